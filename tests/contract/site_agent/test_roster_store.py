"""One suite for what the fleet's systems have told: SQLite on a file, and the in-memory twin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from site_agent.ports import RosterStore
from site_agent.store.memory_fleet import MemoryRoster
from site_agent.store.sqlite import open_store


@pytest.fixture(params=["sqlite", "memory"])
def roster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RosterStore]:
    if request.param == "memory":
        yield MemoryRoster()
        return
    store = open_store(tmp_path / "site.db", datetime(2026, 3, 1, tzinfo=UTC))
    yield store.roster
    store.close()


async def test_the_newest_body_of_each_vehicle_is_kept(roster: RosterStore) -> None:
    await roster.put({"b": "1", "a": "2"})
    await roster.put({"b": "3", "c": "4"})
    assert await roster.all() == [("a", "2"), ("b", "3"), ("c", "4")]


async def test_a_vehicle_is_forgotten(roster: RosterStore) -> None:
    await roster.put({"a": "1", "b": "2"})
    await roster.put({"a": None, "x": None})
    assert await roster.all() == [("b", "2")]
