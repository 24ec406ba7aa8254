"""Deliveries of meter data, after which reports are made again"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('meter_delivery',
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('site_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('meter', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('received_us', sa.BigInteger(), nullable=False),
    sa.Column('first_us', sa.BigInteger(), nullable=False),
    sa.Column('until_us', sa.BigInteger(), nullable=False),
    sa.Column('stored', sa.Integer(), nullable=False),
    sa.Column('settled_us', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_meter_delivery'))
    )
    op.create_index(op.f('ix_meter_delivery_settled_us'), 'meter_delivery', ['settled_us'])


def downgrade() -> None:
    op.drop_index(op.f('ix_meter_delivery_settled_us'), table_name='meter_delivery')
    op.drop_table('meter_delivery')
