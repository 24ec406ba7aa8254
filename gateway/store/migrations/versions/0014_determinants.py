"""Figures that are told from outside and that statements are made from, kept as they came"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('determinant',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('program_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('what', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('subject', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('document', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_determinant'))
    )
    op.create_index(op.f('ix_determinant_program_id'), 'determinant', ['program_id'])
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(
            'CREATE TRIGGER determinant_never_changes BEFORE UPDATE OR DELETE ON determinant '
            'FOR EACH ROW EXECUTE FUNCTION version_never_changes()'
        )
    else:
        for change in ('update', 'delete'):
            op.execute(
                f'CREATE TRIGGER determinant_no_{change} BEFORE {change.upper()} ON determinant '
                "BEGIN SELECT RAISE(ABORT, 'a version never changes: add another'); END"
            )


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('DROP TRIGGER determinant_never_changes ON determinant')
    else:
        for change in ('update', 'delete'):
            op.execute(f'DROP TRIGGER determinant_no_{change}')
    op.drop_index(op.f('ix_determinant_program_id'), table_name='determinant')
    op.drop_table('determinant')
