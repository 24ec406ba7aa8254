"""One suite for every way to keep the gateway's data: a file, memory and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.ports import Ledger, TelemetryStore, UtilityMemory
from gateway.store.database import Database
from gateway.store.ledger import SqlLedger
from gateway.store.telemetry import SqlTelemetry
from gateway.store.utility_memory import SqlUtilityMemory
from support.gateway_store import HOLD
from support.postgres import Databases, serve


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    yield from serve()


@pytest.fixture(params=["file", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """Where a database is that outlives its owner."""
    if request.param == "file":
        yield tmp_path / "gateway.db"
        return
    with request.getfixturevalue("postgres").fresh() as address:
        yield address


@pytest.fixture(params=["file", "memory", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with ExitStack() as stack:
        if request.param == "memory":
            kept = Database.in_memory()
        elif request.param == "file":
            kept = Database.open(tmp_path / "gateway.db")
        else:
            databases = request.getfixturevalue("postgres")
            kept = Database.open(stack.enter_context(databases.fresh()))
        yield kept
        kept.close()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return SqlLedger(database)


@pytest.fixture
def telemetry(database: Database) -> TelemetryStore:
    return SqlTelemetry(database, max_hold=HOLD)


@pytest.fixture
def memory(database: Database) -> UtilityMemory:
    return SqlUtilityMemory(database)
