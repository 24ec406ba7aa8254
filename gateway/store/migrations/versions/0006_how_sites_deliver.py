"""How sites deliver"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('delivery_course',
    sa.Column('event_key', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('document', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('event_key', name=op.f('pk_delivery_course'))
    )
    op.create_table('site_standing',
    sa.Column('site_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('document', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('site_id', name=op.f('pk_site_standing'))
    )


def downgrade() -> None:
    op.drop_table('site_standing')
    op.drop_table('delivery_course')
