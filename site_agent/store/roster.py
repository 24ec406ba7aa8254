"""What the fleet's systems have told, on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from site_agent.store.database import Database


class SqliteRoster:
    """`site_agent.ports.RosterStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Sequence[tuple[str, str]]:
        """`(vehicle_id, body)` of every vehicle."""
        query = "SELECT vehicle_id, body FROM fleet_vehicle ORDER BY vehicle_id"
        rows = await self._database.run(lambda c: c.execute(query).fetchall())
        return [(str(name), str(body)) for name, body in rows]

    async def put(self, rows: Mapping[str, str | None]) -> None:
        """Set bodies (None: forget the vehicle), all or none; durable when it returns."""
        kept = [(name, body) for name, body in rows.items() if body is not None]
        gone = [(name,) for name, body in rows.items() if body is None]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR REPLACE INTO fleet_vehicle VALUES (?, ?)", kept)
            connection.executemany("DELETE FROM fleet_vehicle WHERE vehicle_id = ?", gone)

        await self._database.run(work)
