"""The file itself: its schema, its owner, and what a restart finds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import Session

from contracts.errors import ConfigError, PermanentError
from gateway.store.database import Database
from gateway.store.leader import leadership
from gateway.store.ledger import SqlLedger
from gateway.store.tables import METADATA
from gateway.store.telemetry import SqlTelemetry
from gateway.store.utility_memory import SqlUtilityMemory
from support.gateway_store import (
    HOLD,
    T0,
    batch,
    dispatch_plan,
    grid_event,
    instruction,
    measured,
    opted,
)


async def test_migrations_and_tables_say_the_same(database: Database) -> None:
    def differences(session: Session) -> list[object]:
        context = MigrationContext.configure(session.connection())
        return list(compare_metadata(context, METADATA))

    assert await database.read(differences) == []


async def test_a_file_that_is_no_database_is_a_clear_mistake(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    path.write_text("these are not the bytes you are looking for" * 50)
    with pytest.raises(ConfigError, match=r"gateway\.db: cannot be opened or upgraded"):
        Database.open(path)


async def test_a_database_of_a_newer_release_is_left_alone(place: Path | str) -> None:
    newer = Database.open(place)
    await newer.write(
        lambda s: s.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    )
    newer.close()
    with pytest.raises(ConfigError, match="9999"):
        Database.open(place)


def test_only_one_gateway_runs_on_a_data_folder(tmp_path: Path) -> None:
    with (
        leadership(tmp_path / "data"),
        pytest.raises(PermanentError, match=r"another gateway \(process \d+\) runs"),
        leadership(tmp_path / "data"),
    ):
        pass
    with leadership(tmp_path / "data"):
        pass


async def test_everything_is_there_after_a_restart(place: Path | str) -> None:
    database = Database.open(place)
    event = grid_event()
    await SqlLedger(database).put_event(event, opted(event), T0)
    sent = await SqlLedger(database).put_plan(dispatch_plan(), [instruction("i1")])
    await SqlTelemetry(database, max_hold=HOLD).ingest(batch((1, measured(0, 1.0))), T0)
    await SqlUtilityMemory(database).save("u1", "k", "a", json.loads('{"x": 1}'))

    # No close: as after kill -9. A second engine on the same data sees every commit.
    again = Database.open(place)
    ledger = SqlLedger(again)
    assert [s.event for s in await ledger.events()] == [event]
    assert await ledger.plans(event.key) == [dispatch_plan()]
    assert await ledger.unseen_instructions("depot-1", 0, T0) == list(sent)
    assert await SqlTelemetry(again, max_hold=HOLD).ingest(batch((1, measured(0, 5.0))), T0) == 1
    latest = await SqlTelemetry(again, max_hold=HOLD).latest("depot-1")
    assert latest["pcc_power_w"].value == 1.0
    assert await SqlUtilityMemory(again).load("u1", "k") == {"a": {"x": 1}}
    again.close()
    database.close()
