"""Small learnt things on SQLite."""

from __future__ import annotations

from site_agent.store.database import Database


class SqliteKeyValues:
    """`site_agent.ports.KeyValues`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key: str) -> str | None:
        """The value last put, or None."""
        query = "SELECT value FROM key_value WHERE key = ?"
        found = await self._database.run(lambda c: c.execute(query, (key,)).fetchone())
        return None if found is None else str(found[0])

    async def put(self, key: str, value: str) -> None:
        """Durable when it returns."""
        query = "INSERT OR REPLACE INTO key_value (key, value) VALUES (?, ?)"
        await self._database.run(lambda connection: connection.execute(query, (key, value)))
