"""Meter intervals in versions, means of what was thinned, and an index that answers by itself"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('meter_interval',
    sa.Column('site_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('meter', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('start_us', sa.BigInteger(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('length_s', sa.Integer(), nullable=False),
    sa.Column('energy_wh', sa.Float(), nullable=True),
    sa.Column('quality', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('issued_us', sa.BigInteger(), nullable=False),
    sa.Column('received_us', sa.BigInteger(), nullable=False),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('site_id', 'meter', 'start_us', 'version', name=op.f('pk_meter_interval')),
    sqlite_with_rowid=False
    )
    op.create_table('measurement_mean',
    sa.Column('site_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('point', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('step_s', sa.Integer(), nullable=False),
    sa.Column('start_us', sa.BigInteger(), nullable=False),
    sa.Column('mean', sa.Float(), nullable=False),
    sa.Column('coverage', sa.Float(), nullable=False),
    sa.Column('quality', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('site_id', 'point', 'step_s', 'start_us', name=op.f('pk_measurement_mean')),
    sqlite_with_rowid=False
    )
    if op.get_bind().dialect.name == 'postgresql':
        # One index that holds the values too: a series is read from it alone, not row by row.
        op.execute('ALTER TABLE measurement DROP CONSTRAINT pk_measurement')
        op.execute('ALTER TABLE measurement ADD CONSTRAINT pk_measurement'
                   ' PRIMARY KEY (site_id, point, at_us) INCLUDE (value, quality, hold_us)')


def downgrade() -> None:
    if op.get_bind().dialect.name == 'postgresql':
        op.execute('ALTER TABLE measurement DROP CONSTRAINT pk_measurement')
        op.execute('ALTER TABLE measurement ADD CONSTRAINT pk_measurement'
                   ' PRIMARY KEY (site_id, point, at_us)')
    op.drop_table('measurement_mean')
    op.drop_table('meter_interval')
