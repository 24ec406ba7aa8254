"""Webhooks on their way, on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from site_agent.flows.fleet.webhook_queue import NewEvent, QueuedEvent
from site_agent.store.database import Database

_STATE = "webhooks/state"
_DUE = """SELECT seq, event_id, subject, at, body, tries FROM webhook_event WHERE seq IN
    (SELECT MIN(seq) FROM webhook_event WHERE endpoint = ? GROUP BY subject)
    AND due_at <= ? ORDER BY seq LIMIT ?"""
_NEXT_DUE = """SELECT MIN(due_at) FROM webhook_event WHERE seq IN
    (SELECT MIN(seq) FROM webhook_event WHERE endpoint = ? GROUP BY subject)"""


class SqliteWebhooks:
    """`site_agent.flows.fleet.webhook_queue.WebhookQueue`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def state(self) -> str | None:
        """What `append` was last given as state."""
        query = "SELECT value FROM key_value WHERE key = ?"
        found = await self._database.run(lambda c: c.execute(query, (_STATE,)).fetchone())
        return None if found is None else str(found[0])

    async def append(self, events: Sequence[NewEvent], state: str) -> None:
        """Store events, and the state they lead to: both or neither."""
        rows = [
            (one.endpoint, one.event_id, one.subject, one.at.isoformat(), one.body)
            for one in events
        ]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT INTO webhook_event (endpoint, event_id, subject, at, body, due_at)"
                " VALUES (?1, ?2, ?3, ?4, ?5, ?4)",
                rows,
            )
            connection.execute("INSERT OR REPLACE INTO key_value VALUES (?, ?)", (_STATE, state))

        await self._database.run(work)

    async def heads(self, endpoint: str, now: datetime, limit: int) -> Sequence[QueuedEvent]:
        """The first event of every subject, of those that are due, by number."""
        values = (endpoint, now.isoformat(), limit)
        rows = await self._database.run(lambda c: c.execute(_DUE, values).fetchall())
        return [
            QueuedEvent(
                seq=seq,
                event_id=event_id,
                subject=subject,
                at=datetime.fromisoformat(at),
                body=body,
                tries=tries,
            )
            for seq, event_id, subject, at, body, tries in rows
        ]

    async def next_due(self, endpoint: str) -> datetime | None:
        """When the next first event of a subject is due; None: nothing waits."""
        (found,) = await self._database.run(lambda c: c.execute(_NEXT_DUE, (endpoint,)).fetchone())
        return None if found is None else datetime.fromisoformat(found)

    async def delivered(self, seq: int) -> None:
        """It has been heard."""
        query = "DELETE FROM webhook_event WHERE seq = ?"
        await self._database.run(lambda c: c.execute(query, (seq,)))

    async def failed(self, seq: int, due_at: datetime) -> None:
        """It has not been heard; try again then."""
        query = "UPDATE webhook_event SET tries = tries + 1, due_at = ? WHERE seq = ?"
        await self._database.run(lambda c: c.execute(query, (due_at.isoformat(), seq)))

    async def drop(self, endpoint: str, before: datetime, most: int) -> int:
        """Forget events older than this, and the oldest beyond `most`; how many."""

        def work(connection: sqlite3.Connection) -> int:
            old = connection.execute(
                "DELETE FROM webhook_event WHERE endpoint = ? AND at < ?",
                (endpoint, before.isoformat()),
            ).rowcount
            surplus = connection.execute(
                "DELETE FROM webhook_event WHERE endpoint = ?1 AND seq <= (SELECT seq FROM"
                " webhook_event WHERE endpoint = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
                (endpoint, most),
            ).rowcount
            return old + surplus

        return await self._database.run(work)
