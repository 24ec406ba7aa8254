"""Who decided"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('event', sa.Column(
        'decided_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False, server_default='rules'
    ))


def downgrade() -> None:
    op.drop_column('event', 'decided_by')
