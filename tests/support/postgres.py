"""A real PostgreSQL for the tests: one server a worker, one fresh database a test.

Where none can be had the tests are skipped, and say so; in CI that fails.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count

import psycopg
import pytest
from psycopg import sql

from gateway.store.database import Database
from gridyard.bench.telemetry_server import postgres_server, server_programs

_NUMBERS = count(1)
_TEMPLATE = "gridyard_template"


class Databases:
    """Makes databases with the newest schema, quickly: copies of one."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._made = False

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The address of a database of its own, dropped after the block."""
        if not self._made:
            self._admin("CREATE DATABASE {}", _TEMPLATE)
            Database.open(self._named(_TEMPLATE)).close()
            self._made = True
        name = f"test_{next(_NUMBERS)}"
        self._admin(f"CREATE DATABASE {{}} TEMPLATE {_TEMPLATE}", name)
        try:
            yield self._named(name)
        finally:
            self._admin("DROP DATABASE {} WITH (FORCE)", name)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """As `fresh`, without a schema."""
        name = f"test_{next(_NUMBERS)}"
        self._admin("CREATE DATABASE {}", name)
        try:
            yield self._named(name)
        finally:
            self._admin("DROP DATABASE {} WITH (FORCE)", name)

    def _named(self, name: str) -> str:
        return self._address.replace("/postgres?", f"/{name}?")

    def _admin(self, statement: str, name: str) -> None:
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def serve() -> Iterator[Databases]:
    """The body of a session's fixture."""
    if server_programs() is None:
        said = "no PostgreSQL on this machine: its tests are left out (install `postgresql`)"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)
    with ExitStack() as stack:
        yield Databases(stack.enter_context(postgres_server(durable=False)))
