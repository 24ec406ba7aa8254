"""Nominations"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('offered_hour',
    sa.Column('hour_us', sa.BigInteger(), nullable=False),
    sa.Column('site_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('down_w', sa.Float(), nullable=False),
    sa.Column('sure_w', sa.Float(), nullable=False),
    sa.Column('expected_w', sa.Float(), nullable=False),
    sa.Column('out', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('hour_us', 'site_id', name=op.f('pk_offered_hour'))
    )
    op.create_table('nomination',
    sa.Column('nomination_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('program_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('start_us', sa.BigInteger(), nullable=False),
    sa.Column('end_us', sa.BigInteger(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('request', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('document', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('nomination_id', name=op.f('pk_nomination')),
    sa.UniqueConstraint('request', name=op.f('uq_nomination_request'))
    )
    op.create_index(op.f('ix_nomination_program_id'), 'nomination', ['program_id'])
    op.create_table('nomination_decision',
    sa.Column('nomination_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('at_us', sa.BigInteger(), nullable=False),
    sa.Column('status', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('cause', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('nomination_id', 'number', name=op.f('pk_nomination_decision'))
    )


def downgrade() -> None:
    op.drop_table('nomination_decision')
    op.drop_index(op.f('ix_nomination_program_id'), table_name='nomination')
    op.drop_table('nomination')
    op.drop_table('offered_hour')
