"""The decision journal on SQLite, bounded, and its in-memory twin."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from site_agent.domain.journal import Entry, Kind
from site_agent.domain.why.answer import Answer, Step, Subject
from site_agent.store.database import Database

SETPOINTS_KEPT = timedelta(days=31)
"""Entries of setpoints, by far the most; all others stay `OTHERS_KEPT`."""
OTHERS_KEPT = timedelta(days=400)
MAX_ENTRIES = 100_000
"""Some 120 MB. Above it the oldest setpoints go first."""
_AT_ONCE = 5_000
"""Rows of one deletion, so that nobody waits long for the file."""
_MICRO = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_INSERT = "INSERT INTO decision (at_us, kind, subject, text, answer) VALUES (?, ?, ?, ?, ?)"
_COLUMNS = "SELECT at_us, kind, subject, text, answer FROM decision"
_ANSWER_AT = f"""{_COLUMNS} WHERE subject = ? AND at_us <= ? AND answer IS NOT NULL
    ORDER BY at_us DESC, id DESC LIMIT 1"""
_PAGE = f"{_COLUMNS} WHERE at_us < ? ORDER BY at_us DESC, id DESC LIMIT ?"
_PAGE_OF = f"{_COLUMNS} WHERE subject = ? AND at_us < ? ORDER BY at_us DESC, id DESC LIMIT ?"
_OLD = """DELETE FROM decision WHERE id IN (
    SELECT id FROM decision WHERE (kind = 'setpoint' AND at_us < ?) OR at_us < ? LIMIT ?)"""
_SURPLUS = """DELETE FROM decision WHERE id IN (
    SELECT id FROM decision ORDER BY kind <> 'setpoint', at_us LIMIT ?)"""

_Row = tuple[int, str, str, str, str | None]


class SqliteJournal:
    """`site_agent.ports.JournalStore`."""

    def __init__(self, database: Database, most: int = MAX_ENTRIES) -> None:
        self._database = database
        self._most = most

    async def add(self, entries: Sequence[Entry]) -> None:
        """Durable when it returns."""
        rows = [_row(entry) for entry in entries]
        await self._database.run(lambda connection: _put(connection, rows))

    async def answered(self, subject: str, at: datetime) -> Entry | None:
        """The newest entry of a subject at or before `at` that holds an answer."""
        found = await self._select(_ANSWER_AT, (subject, _micros(at)))
        return found[0] if found else None

    async def page(self, subject: str | None, before: datetime, most: int) -> Sequence[Entry]:
        """The newest entries before an instant, of one subject or of all, newest first."""
        if subject is None:
            return await self._select(_PAGE, (_micros(before), most))
        return await self._select(_PAGE_OF, (subject, _micros(before), most))

    async def prune(self, now: datetime) -> int:
        """Delete some of what is too old or too much; how many entries went."""
        old = (_micros(now - SETPOINTS_KEPT), _micros(now - OTHERS_KEPT), _AT_ONCE)
        return await self._database.run(lambda connection: _prune(connection, old, self._most))

    async def _select(self, query: str, values: tuple[object, ...]) -> list[Entry]:
        rows: list[_Row] = await self._database.run(
            lambda connection: connection.execute(query, values).fetchall()
        )
        return [_entry(row) for row in rows]


class MemoryJournal:
    """The same in memory."""

    def __init__(self, most: int = MAX_ENTRIES) -> None:
        self.entries: list[Entry] = []
        self._most = most

    async def add(self, entries: Sequence[Entry]) -> None:
        """As `SqliteJournal.add`."""
        self.entries += entries
        self.entries.sort(key=lambda one: one.at)

    async def answered(self, subject: str, at: datetime) -> Entry | None:
        """As `SqliteJournal.answered`."""
        fits = (
            one
            for one in reversed(self.entries)
            if one.subject == subject and one.at <= at and one.answer is not None
        )
        return next(fits, None)

    async def page(self, subject: str | None, before: datetime, most: int) -> Sequence[Entry]:
        """As `SqliteJournal.page`."""
        fits = [
            one
            for one in reversed(self.entries)
            if one.at < before and subject in (None, one.subject)
        ]
        return fits[:most]

    async def prune(self, now: datetime) -> int:
        """As `SqliteJournal.prune`."""
        held = len(self.entries)
        kept = [one for one in self.entries if one.at >= _kept_since(one, now)]
        order = sorted(kept, key=lambda one: (one.kind is not Kind.SETPOINT, one.at))
        surplus = {id(one) for one in order[: max(0, len(kept) - self._most)]}
        self.entries = [one for one in kept if id(one) not in surplus]
        return held - len(self.entries)


def _kept_since(entry: Entry, now: datetime) -> datetime:
    return now - (SETPOINTS_KEPT if entry.kind is Kind.SETPOINT else OTHERS_KEPT)


def _put(connection: sqlite3.Connection, rows: Sequence[_Row]) -> None:
    connection.executemany(_INSERT, rows)


def _prune(connection: sqlite3.Connection, old: tuple[int, int, int], most: int) -> int:
    deleted = connection.execute(_OLD, old).rowcount
    (held,) = connection.execute("SELECT COUNT(*) FROM decision").fetchone()
    surplus = min(_AT_ONCE, max(0, held - most))
    return deleted + (connection.execute(_SURPLUS, (surplus,)).rowcount if surplus else 0)


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICRO


def _row(entry: Entry) -> _Row:
    answer = None if entry.answer is None else _answer_text(entry.answer)
    return _micros(entry.at), entry.kind.value, entry.subject, entry.text, answer


def _entry(row: _Row) -> Entry:
    at_us, kind, subject, text, answer = row
    return Entry(
        at=_EPOCH + at_us * _MICRO,
        kind=Kind(kind),
        subject=subject,
        text=text,
        answer=None if answer is None else _answer(answer),
    )


def _answer_text(answer: Answer) -> str:
    steps = [[step.what, step.text] for step in answer.steps]
    told = [answer.of.value, answer.name, _micros(answer.at), answer.sentence, answer.binding]
    return json.dumps([*told, steps], ensure_ascii=False, separators=(",", ":"))


def _answer(text: str) -> Answer:
    of, name, at_us, sentence, binding, steps = json.loads(text)
    return Answer(
        of=Subject(of),
        name=name,
        at=_EPOCH + at_us * _MICRO,
        sentence=sentence,
        binding=binding,
        steps=tuple(Step(what=what, text=words) for what, words in steps),
    )
