"""Small learnt things on SQLite."""

from __future__ import annotations

import asyncio

from site_agent.store.database import Database


class SqliteKeyValues:
    """`site_agent.ports.KeyValues`. What is put at the same time is committed together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._unwritten: dict[str, str] = {}
        self._turn = asyncio.Lock()

    async def get(self, key: str) -> str | None:
        """The value last put, or None."""
        query = "SELECT value FROM key_value WHERE key = ?"
        found = await self._database.run(lambda c: c.execute(query, (key,)).fetchone())
        return None if found is None else str(found[0])

    async def put(self, key: str, value: str) -> None:
        """Durable when it returns."""
        self._unwritten[key] = value
        async with self._turn:
            if key in self._unwritten:  # else whoever had the turn before has written it
                await self._write_all()

    async def _write_all(self) -> None:
        batch, self._unwritten = self._unwritten, {}
        query = "INSERT OR REPLACE INTO key_value (key, value) VALUES (?, ?)"
        try:
            await self._database.run(lambda c: c.executemany(query, batch.items()))
        except BaseException:
            self._unwritten = batch | self._unwritten  # the others write their own
            raise
