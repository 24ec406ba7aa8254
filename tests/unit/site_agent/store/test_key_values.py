"""Small learnt things that are put at the same time: written together, and none is lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.errors import TransientError
from site_agent.store.database import Database, T, Work
from site_agent.store.sqlite import open_store


class FullOnce:
    """A disk that is full for the second piece of work."""

    def __init__(self, database: Database) -> None:
        self._run = database.run
        self.pieces = 0

    async def run(self, work: Work[T]) -> T:
        self.pieces += 1
        if self.pieces == 2:
            raise TransientError("disk full")
        return await self._run(work)


async def test_whoever_shares_a_write_that_fails_writes_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path / "site.db", datetime(2026, 3, 1, tzinfo=UTC))
    disk = FullOnce(store.database)
    with monkeypatch.context() as patched:
        patched.setattr(store.database, "run", disk.run)
        puts = [store.key_values.put(key, key.upper()) for key in ("a", "b", "c")]
        alone, failed, shared = await asyncio.gather(*puts, return_exceptions=True)
    assert isinstance(failed, TransientError)  # b, which had taken c along
    assert (alone, shared, disk.pieces) == (None, None, 3)
    assert [await store.key_values.get(key) for key in ("a", "c")] == ["A", "C"]
    store.close()
