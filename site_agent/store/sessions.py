"""Charging transactions and small learnt things on SQLite."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from site_agent.store.database import Database


class SqliteSessions:
    """`site_agent.ports.SessionStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(
        self, evse_id: str, id_tag: str | None, at: datetime, meter_wh: float, remote_id: str | None
    ) -> int:
        """A new transaction; returns an id never given before (also over restarts).

        `remote_id`: the charger's own id (OCPP 2.0.1); the same one again returns the same id.
        """
        values = (evse_id, id_tag, remote_id, at.isoformat(), meter_wh)
        return await self._database.run(lambda connection: _start(connection, values))

    async def stop(self, transaction_id: int, at: datetime, meter_wh: float, reason: str) -> None:
        """The transaction has ended (idempotent)."""
        await self._database.run(
            lambda connection: connection.execute(
                "UPDATE charging_transaction SET stopped_at = ?, stop_wh = ?, reason = ?"
                " WHERE id = ? AND stopped_at IS NULL",
                (at.isoformat(), meter_wh, reason, transaction_id),
            )
        )

    async def open_transaction(self, evse_id: str) -> tuple[int, str | None] | None:
        """`(transaction id, id tag)` of the newest still open at an EVSE, or None."""
        found: tuple[int, str | None] | None = await self._database.run(
            lambda connection: connection.execute(
                "SELECT id, id_tag FROM charging_transaction"
                " WHERE evse_id = ? AND stopped_at IS NULL ORDER BY id DESC LIMIT 1",
                (evse_id,),
            ).fetchone()
        )
        return found

    async def start_wh(self, transaction_id: int) -> float | None:
        """The energy register at its start, Wh; None for an unknown transaction."""
        query = "SELECT start_wh FROM charging_transaction WHERE id = ?"
        found = await self._database.run(lambda c: c.execute(query, (transaction_id,)).fetchone())
        return None if found is None else float(found[0])


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


def _start(
    connection: sqlite3.Connection, values: tuple[str, str | None, str | None, str, float]
) -> int:
    evse_id, _, remote_id, _, _ = values
    known = connection.execute(
        "SELECT id FROM charging_transaction WHERE evse_id = ? AND remote_id = ?",
        (evse_id, remote_id),
    ).fetchone()
    if known:
        return int(known[0])
    cursor = connection.execute(
        "INSERT INTO charging_transaction (evse_id, id_tag, remote_id, started_at, start_wh)"
        " VALUES (?, ?, ?, ?, ?)",
        values,
    )
    return cursor.lastrowid or 0
