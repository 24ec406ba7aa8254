"""One suite for every way to keep the gateway's data: a file, and memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.ports import Ledger, TelemetryStore, UtilityMemory
from gateway.store.database import Database
from gateway.store.ledger import SqlLedger
from gateway.store.telemetry import SqlTelemetry
from gateway.store.utility_memory import SqlUtilityMemory
from support.gateway_store import (
    HOLD,
)


@pytest.fixture(params=["file", "memory"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    kept = (
        Database.open(tmp_path / "gateway.db") if request.param == "file" else Database.in_memory()
    )
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
