"""Charging sessions that are over, and anomalies"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('ended_session',
    sa.Column('site_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('session_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('started_us', sa.BigInteger(), nullable=False),
    sa.Column('ended_us', sa.BigInteger(), nullable=False),
    sa.Column('told_us', sa.BigInteger(), nullable=False),
    sa.Column('document', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('site_id', 'session_id', name=op.f('pk_ended_session'))
    )
    op.create_index(op.f('ix_ended_session_site_id_ended_us'), 'ended_session', ['site_id', 'ended_us'])
    op.create_table('anomaly',
    sa.Column('site_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('code', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('subject', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('start_us', sa.BigInteger(), nullable=False),
    sa.Column('end_us', sa.BigInteger(), nullable=False),
    sa.Column('document', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('site_id', 'code', 'subject', 'start_us', name=op.f('pk_anomaly'))
    )
    op.create_index(op.f('ix_anomaly_site_id_end_us'), 'anomaly', ['site_id', 'end_us'])


def downgrade() -> None:
    op.drop_index(op.f('ix_anomaly_site_id_end_us'), table_name='anomaly')
    op.drop_table('anomaly')
    op.drop_index(op.f('ix_ended_session_site_id_ended_us'), table_name='ended_session')
    op.drop_table('ended_session')
