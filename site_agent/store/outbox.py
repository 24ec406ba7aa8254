"""The outbox on SQLite: bounded, but never silent about what it drops."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.site_link.codec import decode_row, encode_row
from contracts.site_link.messages import Measurement, Notice, NumberedRow, Row, Severity
from site_agent.store.database import Database

MAX_ROWS = 500_000
"""About nine hours of a depot with 30 points every two seconds, some 100 MB."""
GAP_CODE = "telemetry-gap"
GAP_SUBJECT = "outbox"
_GAP_KEY, _LAST_GAP_KEY = "outbox/gap", "outbox/last-gap"

_MIDDLE = "SELECT seq FROM outbox WHERE point IS NOT NULL ORDER BY seq LIMIT 1 OFFSET ?"
_EVERY_SECOND = """SELECT seq, at FROM (
        SELECT seq, at, ROW_NUMBER() OVER (PARTITION BY point ORDER BY seq) AS place
        FROM outbox WHERE point IS NOT NULL AND seq <= ?
    ) WHERE place % 2 = 0 ORDER BY seq"""
_OLDEST = "SELECT seq, at FROM outbox WHERE point IS NOT NULL ORDER BY seq LIMIT ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a transaction did to the outbox."""

    head: int
    rows: int
    """Added, less deleted."""
    gap: bool
    """Whether a gap notice stands."""
    dropped: str = ""
    """What it had to drop, and why; empty: nothing."""


class SqliteOutbox:
    """`site_agent.ports.Outbox`.

    With more than `max_rows` rows, every second measurement of each point in the older half goes,
    and a `telemetry-gap` notice with the count takes its place; statuses and notices always stay.
    The notice is cleared once the outbox has drained to half.
    """

    def __init__(self, database: Database, epoch: str, max_rows: int = MAX_ROWS) -> None:
        self._database = database
        self._epoch = epoch
        self._max_rows = max_rows
        self._head, self._rows = database.run_now(_head_and_rows)
        self._gap = database.run_now(_gap_stands)
        self._last_gap = database.run_now(_last_gap)
        self._arrival = asyncio.Event()

    @property
    def epoch(self) -> str:
        """Made with the database file; a new file is a new epoch."""
        return self._epoch

    def head(self) -> int:
        """The highest sequence number ever given (0: none)."""
        return self._head

    def waiting(self) -> int:
        """How many rows are here."""
        return self._rows

    def last_gap(self) -> str:
        """The last measurements it had to drop, and why, also over a restart; empty: none ever."""
        return self._last_gap

    async def append(self, rows: Sequence[Row]) -> int:
        """Store rows; durable when it returns; the highest seq given. Raises `TransientError`."""
        if rows:
            self.announce(await self._database.run(lambda connection: self.write(connection, rows)))
        return self._head

    async def unsent(self, after: int, limit: int) -> Sequence[NumberedRow]:
        """Rows with a higher seq, in order."""
        found = await self._database.run(
            lambda connection: connection.execute(
                "SELECT seq, body FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
            ).fetchall()
        )
        return [decode_row(seq, body) for seq, body in found]

    async def delete_through(self, seq: int) -> None:
        """The gateway has committed these."""
        self.announce(await self._database.run(lambda connection: self._delete(connection, seq)))

    async def wait_for_rows(self, after: int) -> None:
        """Return when a row with a higher seq exists."""
        while self._head <= after:
            await self._arrival.wait()

    def write(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> Change:
        """Insert rows in the caller's transaction; `announce` the change after its commit."""
        head = _insert(connection, rows)
        if self._rows + len(rows) <= self._max_rows:
            return Change(head=head, rows=len(rows), gap=self._gap)
        _, count = _head_and_rows(connection)  # ours may count rows already gone
        gap = _drop_surplus(connection, count - self._max_rows) if count > self._max_rows else None
        if gap:
            head = _insert(connection, [gap.raised(rows[-1].at)])
            _remember_gap(connection, gap.text)
        return Change(
            head=head,
            rows=_head_and_rows(connection)[1] - self._rows,
            gap=self._gap or gap is not None,
            dropped=gap.text if gap else "",
        )

    def announce(self, change: Change) -> None:
        """Take over what a committed transaction has done."""
        arrived = change.head > self._head
        self._head = max(self._head, change.head)
        self._rows = max(0, self._rows + change.rows)
        self._gap = change.gap
        self._last_gap = change.dropped or self._last_gap
        if arrived:
            self._arrival.set()
            self._arrival = asyncio.Event()

    def _delete(self, connection: sqlite3.Connection, seq: int) -> Change:
        last = connection.execute("SELECT at FROM outbox ORDER BY seq DESC LIMIT 1").fetchone()
        deleted = connection.execute("DELETE FROM outbox WHERE seq <= ?", (seq,)).rowcount
        if not (self._gap and last and self._rows - deleted <= self._max_rows // 2):
            return Change(head=self._head, rows=-deleted, gap=self._gap)
        head = _insert(connection, [_cleared(datetime.fromisoformat(last[0]))])
        connection.execute("DELETE FROM key_value WHERE key = ?", (_GAP_KEY,))
        return Change(head=head, rows=1 - deleted, gap=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gap:
    count: int
    since: str
    until: str

    @property
    def text(self) -> str:
        what = f"{self.count} measurements between {self.since} and {self.until}"
        return f"{what} were dropped: the outbox was full"

    def raised(self, at: datetime) -> Notice:
        return _notice(at, raised=True, text=self.text)


def _drop_surplus(connection: sqlite3.Connection, surplus: int) -> _Gap | None:
    """Thin the older half of the measurements; if that is too little, drop the oldest."""
    query = "SELECT COUNT(*) FROM outbox WHERE point IS NOT NULL"
    (measurements,) = connection.execute(query).fetchone()
    middle = connection.execute(_MIDDLE, (measurements // 2,)).fetchone()
    doomed = connection.execute(_EVERY_SECOND, middle).fetchall() if middle else []
    if len(doomed) <= surplus:
        oldest = max(surplus + 1, measurements // 4)
        doomed = connection.execute(_OLDEST, (oldest,)).fetchall()
    if not doomed:
        return None
    connection.executemany("DELETE FROM outbox WHERE seq = ?", [(seq,) for seq, _ in doomed])
    return _Gap(count=len(doomed), since=doomed[0][1], until=doomed[-1][1])


def _cleared(at: datetime) -> Notice:
    return _notice(at, raised=False, text="the outbox has drained; nothing is being dropped")


def _notice(at: datetime, *, raised: bool, text: str) -> Notice:
    return Notice(
        at=at,
        code=GAP_CODE,
        subject=GAP_SUBJECT,
        severity=Severity.WARNING,
        raised=raised,
        text=text,
    )


def _insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> int:
    """Insert rows one by one, in order; the last seq."""
    head = 0
    for row in rows:
        point = row.point if isinstance(row, Measurement) else None
        cursor = connection.execute(
            "INSERT INTO outbox (point, at, body) VALUES (?, ?, ?)",
            (point, row.at.isoformat(), encode_row(row)),
        )
        head = cursor.lastrowid or head
    return head


def _head_and_rows(connection: sqlite3.Connection) -> tuple[int, int]:
    head = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
    (rows,) = connection.execute("SELECT COUNT(*) FROM outbox").fetchone()
    return (head[0] if head else 0), rows


def _gap_stands(connection: sqlite3.Connection) -> bool:
    found = connection.execute("SELECT 1 FROM key_value WHERE key = ?", (_GAP_KEY,)).fetchone()
    return found is not None


def _last_gap(connection: sqlite3.Connection) -> str:
    query = "SELECT value FROM key_value WHERE key = ?"
    found = connection.execute(query, (_LAST_GAP_KEY,)).fetchone()
    return found[0] if found else ""


def _remember_gap(connection: sqlite3.Connection, text: str) -> None:
    """It stands until the outbox has drained, and is the last one until there is another."""
    rows = [(_GAP_KEY, ""), (_LAST_GAP_KEY, text)]
    connection.executemany("INSERT OR REPLACE INTO key_value VALUES (?, ?)", rows)
