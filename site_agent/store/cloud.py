"""Messages that wait for a charger's cloud CSMS, on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from site_agent.store.database import Database


class SqliteCloudQueue:
    """`site_agent.ports.CloudQueue`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, station: str, seq: int, body: str, *, samples: bool) -> None:
        """Durable when it returns."""
        query = "INSERT OR REPLACE INTO cloud_message VALUES (?, ?, ?, ?)"
        await self._database.run(lambda c: c.execute(query, (station, seq, int(samples), body)))

    async def waiting(self, station: str) -> Sequence[tuple[int, bool]]:
        """`(seq, samples)` of all that wait, in order."""
        query = "SELECT seq, samples FROM cloud_message WHERE station = ? ORDER BY seq"
        rows = await self._database.run(lambda c: c.execute(query, (station,)).fetchall())
        return [(int(seq), bool(samples)) for seq, samples in rows]

    async def body(self, station: str, seq: int) -> str | None:
        """One message, or None when there is none."""
        query = "SELECT body FROM cloud_message WHERE station = ? AND seq = ?"
        found = await self._database.run(lambda c: c.execute(query, (station, seq)).fetchone())
        return None if found is None else str(found[0])

    async def delete(self, station: str, seqs: Sequence[int]) -> None:
        """These have been heard, or left out."""

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "DELETE FROM cloud_message WHERE station = ? AND seq = ?",
                [(station, seq) for seq in seqs],
            )

        await self._database.run(work)
