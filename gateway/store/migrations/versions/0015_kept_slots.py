"""Slots of telemetry that are kept, what has come in since, and prices of the past"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('slot_watch',
    sa.Column('site_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('until_us', sa.BigInteger(), nullable=False),
    sa.Column('changes', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('site_id', name=op.f('pk_slot_watch'))
    )
    op.create_index(op.f('ix_slot_watch_until_us'), 'slot_watch', ['until_us'])
    op.create_table('slot_block',
    sa.Column('site_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('point', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('step_s', sa.Integer(), nullable=False),
    sa.Column('start_us', sa.BigInteger(), nullable=False),
    sa.Column('end_us', sa.BigInteger(), nullable=False),
    sa.Column('sums', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('site_id', 'point', 'step_s', 'start_us', 'end_us', name=op.f('pk_slot_block'))
    )
    op.create_table('past_price',
    sa.Column('source_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('start_us', sa.BigInteger(), nullable=False),
    sa.Column('end_us', sa.BigInteger(), nullable=False),
    sa.Column('area', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('currency', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('per_kwh', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('said_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('as_of_us', sa.BigInteger(), nullable=False),
    sa.Column('quality', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('source_id', 'start_us', name=op.f('pk_past_price'))
    )


def downgrade() -> None:
    op.drop_table('past_price')
    op.drop_table('slot_block')
    op.drop_index(op.f('ix_slot_watch_until_us'), table_name='slot_watch')
    op.drop_table('slot_watch')
