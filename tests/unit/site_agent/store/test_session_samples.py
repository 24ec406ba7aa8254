"""Samples in the site's file: grouped in passing, bounded, and kept while the disk fails."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.errors import TransientError
from contracts.testing import FakeClock
from site_agent.domain.session import MeterSample
from site_agent.store.samples import KEPT, SESSIONS_KEPT, count
from site_agent.store.sessions import SqliteSessions
from site_agent.store.sqlite import SqliteStore, open_store
from support.waiting import until

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = open_store(tmp_path / "a.db", NOW)
    yield made
    made.close()


def course(start: datetime, many: int) -> list[MeterSample]:
    return [
        MeterSample(at=start + timedelta(seconds=10 * n), register_wh=100.0 + min(n, 300))
        for n in range(many)
    ]


async def session(sessions: SqliteSessions, start: datetime, many: int, *, over: bool) -> int:
    number = await sessions.start("a", None, start, 100.0, None)
    sessions.sampled("a", number, course(start, many))
    if over:
        await sessions.stop(number, start + timedelta(days=1), 500.0, "Local")
    return number


def held(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many samples and sessions there are."""
    (many,) = connection.execute("SELECT COUNT(*) FROM charging_transaction").fetchone()
    return count(connection), many


async def pruned_to(left: tuple[int, int], store: SqliteStore, sessions: SqliteSessions) -> None:
    """Let it run until so many samples and sessions are left."""
    clock = FakeClock(NOW)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(sessions.run(clock))
        await clock.advance(1.0)
        await until(lambda: store.database.run_now(held) == left)
        running.cancel()


async def test_old_samples_go_and_the_energy_stays(store: SqliteStore) -> None:
    old = NOW - KEPT - timedelta(days=2)
    await session(store.sessions, old, 6_000, over=True)
    await session(store.sessions, NOW - timedelta(days=2), 10, over=True)
    await session(store.sessions, NOW - SESSIONS_KEPT - timedelta(days=2), 10, over=True)
    await store.sessions.sampled_late("a", 0, course(old, 5))
    await pruned_to((10, 2), store, store.sessions)
    left = await store.sessions.sessions(NOW - timedelta(days=4000), NOW)
    assert [one.energy.energy_wh for one in left] == [400.0, 400.0]  # the third was of years ago


async def test_of_too_many_the_oldest_go_and_running_ones_last(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a.db", NOW)
    sessions = SqliteSessions(store.database, store.outbox, max_samples=30)
    await session(sessions, NOW - timedelta(days=9), 20, over=True)
    await session(sessions, NOW - timedelta(days=5), 20, over=True)
    await session(sessions, NOW, 20, over=False)
    await pruned_to((30, 3), store, sessions)
    first, second, running = await sessions.sessions(NOW - timedelta(days=10), NOW + KEPT)
    assert [one.energy.energy_wh for one in (first, second, running)] == [400.0, 400.0, 19.0]
    store.close()


async def test_of_too_many_sessions_the_oldest_go(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a.db", NOW)
    sessions = SqliteSessions(store.database, store.outbox, max_sessions=3)
    running = await session(sessions, NOW, 1, over=False)
    for minute in range(9):
        at = NOW + timedelta(minutes=minute)
        number = await sessions.start("b", None, at, 1.0, None)
        sessions.sampled("b", number, [MeterSample(at=at, register_wh=2.0)])
    await pruned_to((3, 3), store, sessions)
    left = [one.transaction_id for one in await sessions.sessions(NOW - KEPT, NOW + KEPT)]
    assert left == [running, number - 1, number]
    store.close()


async def test_live_samples_wait_while_the_disk_fails(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await store.sessions.start("a", None, NOW, 100.0, None)
    store.sessions.sampled("a", number, course(NOW, 5))

    async def full(_: object) -> None:
        raise TransientError("database: the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(store.database, "run", full)
        with pytest.raises(TransientError):
            await store.sessions.stop(number, NOW, 200.0, "Local")
    running = await store.sessions.running("a")
    assert running is not None
    assert running.energy.energy_wh == 4.0


async def test_what_waits_is_stored_at_the_end(tmp_path: Path) -> None:
    store = open_store(tmp_path / "a.db", NOW)
    number = await store.sessions.start("a", None, NOW, 100.0, None)
    store.sessions.sampled("a", number, course(NOW, 5))
    store.close()
    again = open_store(tmp_path / "a.db", NOW)
    assert again.database.run_now(count) == 5
    again.close()
