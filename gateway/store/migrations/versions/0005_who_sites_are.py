"""Who sites are: enrolment tokens and issued credentials"""

import sqlalchemy as sa
import sqlmodel
from alembic import op


revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('enrolment_token',
    sa.Column('secret_hash', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('site_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('made_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('expires_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('used_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.PrimaryKeyConstraint('secret_hash', name=op.f('pk_enrolment_token'))
    )
    with op.batch_alter_table('enrolment_token', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_enrolment_token_site_id'), ['site_id'], unique=False)

    op.create_table('site_credential',
    sa.Column('serial', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('site_id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('user_key', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('issued_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('until', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('revoked_at', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
    sa.Column('cause', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('serial', name=op.f('pk_site_credential'))
    )
    with op.batch_alter_table('site_credential', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_site_credential_site_id'), ['site_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('site_credential', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_site_credential_site_id'))

    op.drop_table('site_credential')
    with op.batch_alter_table('enrolment_token', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_enrolment_token_site_id'))

    op.drop_table('enrolment_token')
