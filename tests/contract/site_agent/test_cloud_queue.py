"""One suite for what waits for the clouds: SQLite on a file, and the in-memory twin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from site_agent.ports import CloudQueue
from site_agent.store.memory import MemoryCloudQueue
from site_agent.store.sqlite import open_store


@pytest.fixture(params=["sqlite", "memory"])
def queue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CloudQueue]:
    if request.param == "memory":
        yield MemoryCloudQueue()
        return
    store = open_store(tmp_path / "site.db", datetime(2026, 3, 1, tzinfo=UTC))
    yield store.cloud
    store.close()


async def test_what_waits_is_told_in_the_order_of_its_numbers(queue: CloudQueue) -> None:
    for seq in (3, 1, 10, 2):
        await queue.put("CP1", seq, f"message {seq}", samples=seq == 2)
    assert await queue.waiting("CP1") == [(1, False), (2, True), (3, False), (10, False)]
    assert await queue.body("CP1", 10) == "message 10"


async def test_the_same_number_again_replaces(queue: CloudQueue) -> None:
    await queue.put("CP1", 1, "first", samples=True)
    await queue.put("CP1", 1, "second", samples=False)
    assert await queue.waiting("CP1") == [(1, False)]
    assert await queue.body("CP1", 1) == "second"


async def test_every_station_has_its_own(queue: CloudQueue) -> None:
    for station in ("CP1", "CP2"):
        for seq in (1, 2):
            await queue.put(station, seq, f"{station} {seq}", samples=False)
    await queue.delete("CP1", [1, 2, 3])
    assert await queue.waiting("CP1") == []
    assert await queue.body("CP1", 1) is None
    assert await queue.waiting("CP2") == [(1, False), (2, False)]
    assert await queue.body("CP2", 1) == "CP2 1"
