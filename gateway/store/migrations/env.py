"""Run by alembic: the connection comes from `gateway.store.database`."""

from alembic import context

from gateway.store import account_tables, telemetry_tables  # noqa: F401 (they fill METADATA)
from gateway.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
