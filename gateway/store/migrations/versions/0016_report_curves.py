"""The curves of a report's sites, apart from the document"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('report_curves',
    sa.Column('event_key', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('site_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('document', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('event_key', 'version', 'site_id', name=op.f('pk_report_curves'))
    )
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(
            'CREATE TRIGGER report_curves_never_changes BEFORE UPDATE OR DELETE ON report_curves '
            'FOR EACH ROW EXECUTE FUNCTION version_never_changes()'
        )
    else:
        for change in ('update', 'delete'):
            op.execute(
                f'CREATE TRIGGER report_curves_no_{change} BEFORE {change.upper()} '
                'ON report_curves '
                "BEGIN SELECT RAISE(ABORT, 'a version never changes: add another'); END"
            )


def downgrade() -> None:
    op.drop_table('report_curves')
