"""Settings that were pushed to sites"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('site_configuration',
    sa.Column('site_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('rollout', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('stage', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('document', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('site_id', 'revision', name=op.f('pk_site_configuration'))
    )
    op.create_index(op.f('ix_site_configuration_rollout'), 'site_configuration', ['rollout'])
    op.create_index(op.f('ix_site_configuration_stage'), 'site_configuration', ['stage'])


def downgrade() -> None:
    op.drop_index(op.f('ix_site_configuration_stage'), table_name='site_configuration')
    op.drop_index(op.f('ix_site_configuration_rollout'), table_name='site_configuration')
    op.drop_table('site_configuration')
