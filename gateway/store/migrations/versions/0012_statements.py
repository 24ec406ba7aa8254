"""Statements, and versions of reports and statements that the database itself keeps as they are"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

KEPT = ('statement', 'report')


def upgrade() -> None:
    op.create_table('statement',
    sa.Column('program_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('period', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('final', sa.Boolean(), nullable=False),
    sa.Column('document', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('program_id', 'period', 'version', name=op.f('pk_statement'))
    )
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(
            "CREATE FUNCTION version_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN RAISE EXCEPTION 'a version never changes: add another'; END $$"
        )
        for table in KEPT:
            op.execute(
                f'CREATE TRIGGER {table}_never_changes BEFORE UPDATE OR DELETE ON {table} '
                'FOR EACH ROW EXECUTE FUNCTION version_never_changes()'
            )
    else:
        for table in KEPT:
            for change in ('update', 'delete'):
                op.execute(
                    f'CREATE TRIGGER {table}_no_{change} BEFORE {change.upper()} ON {table} '
                    "BEGIN SELECT RAISE(ABORT, 'a version never changes: add another'); END"
                )


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        for table in KEPT:
            op.execute(f'DROP TRIGGER {table}_never_changes ON {table}')
        op.execute('DROP FUNCTION version_never_changes()')
    else:
        for table in KEPT:
            for change in ('update', 'delete'):
                op.execute(f'DROP TRIGGER {table}_no_{change}')
    op.drop_table('statement')
