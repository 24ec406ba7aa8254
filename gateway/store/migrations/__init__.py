"""Alembic migrations of the gateway's database, run at every start."""
