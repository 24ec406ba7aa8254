"""Charging transactions on SQLite: durable before the charger is answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from contracts.errors import TransientError
from contracts.reading import Quality
from contracts.time import Clock
from site_agent.domain.session import (
    PRESUMED,
    ChargingSession,
    EnergyCount,
    MeterSample,
    energy_of,
    presumption,
)
from site_agent.store import samples as sampled
from site_agent.store.database import Database, T, Work
from site_agent.store.outbox import Change, SqliteOutbox

_GROUP_S = 1.0
"""Live samples are committed together this often."""
_PRUNE_EVERY_S = 3600.0
_MOST_PENDING = 100_000
_MOST_SESSIONS = 10_000
_COLUMNS = """id, evse_id, ref, id_tag, started_at, CASE WHEN start_told THEN start_wh END,
    stopped_at, stop_wh, presumed, reason, energy_wh, quality, remarks"""
_SELECT = f"SELECT {_COLUMNS} FROM charging_transaction"  # noqa: S608 (our own constants)
_TAKEN = "SELECT 1 FROM charging_transaction WHERE ref = ?"
"""By a transaction that somebody else has numbered."""
_BETWEEN = "; "
_Start = tuple[str, str | None, str | None, str, float, bool]
"""EVSE, tag, remote id, start, register, whether that was told."""
_Row = tuple[Any, ...]
"""Of `_COLUMNS`."""
log = structlog.get_logger(__name__)


class SqliteSessions:
    """`site_agent.ports.SessionStore`.

    Live samples wait in memory until `run` or any other write takes them along.
    """

    def __init__(
        self,
        database: Database,
        outbox: SqliteOutbox,
        *,
        max_samples: int = sampled.MAX_SAMPLES,
        max_sessions: int = sampled.MAX_SESSIONS,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._max_samples = max_samples
        self._max_sessions = max_sessions
        self._pending: list[sampled.SampleRow] = []

    # --- transactions -----------------------------------------------------------------------------

    async def start(
        self,
        evse_id: str,
        id_tag: str | None,
        at: datetime,
        meter_wh: float | None,
        remote_id: str | None,
        *,
        ref: str | None = None,
        alone: bool = True,
        register_wh: float | None = None,
    ) -> int:
        """A new transaction; returns an id never given before (also over restarts)."""
        values = (evse_id, id_tag, remote_id, at.isoformat(), meter_wh or 0.0, meter_wh is not None)
        closing_wh = meter_wh if register_wh is None else register_wh

        def work(connection: sqlite3.Connection) -> int:
            known = _known(connection, values)
            if known is not None:
                return known
            if alone:
                _close(connection, values, closing_wh)
            return _start(connection, values, ref)

        return await self._run(work)

    async def stop(
        self, transaction_id: int, at: datetime, meter_wh: float | None, reason: str
    ) -> None:
        """The transaction has ended (idempotent; what the charger says replaces a presumption)."""
        values = (at.isoformat(), meter_wh, reason, False, transaction_id)
        await self._run(lambda connection: _stop(connection, values))

    async def running(self, evse_id: str) -> ChargingSession | None:
        """The newest session still open at an EVSE, or None."""
        where = "WHERE evse_id = ? AND stopped_at IS NULL ORDER BY id DESC LIMIT 1"
        return next(iter(await self._select(where, (evse_id,))), None)

    async def find(self, evse_id: str, ref: str) -> ChargingSession | None:
        """The newest session of an EVSE with this id on the wire, or None."""
        where = "WHERE ref = ? AND evse_id = ? ORDER BY id DESC LIMIT 1"
        return next(iter(await self._select(where, (ref, evse_id))), None)

    async def sessions(self, since: datetime, until: datetime) -> Sequence[ChargingSession]:
        """Sessions that ran at some time in `[since, until)`, by id; the newest 10,000."""
        where = (
            "WHERE started_at < ? AND (stopped_at IS NULL OR stopped_at > ?)"
            " ORDER BY id DESC LIMIT ?"
        )
        span = (until.isoformat(), since.isoformat(), _MOST_SESSIONS)
        return (await self._select(where, span))[::-1]

    # --- samples ----------------------------------------------------------------------------------

    def sampled(self, evse_id: str, transaction_id: int, samples: Sequence[MeterSample]) -> None:
        """Live samples of a transaction; durable within about a second."""
        self._pending += [sampled.row(evse_id, transaction_id, s, late=False) for s in samples]
        if (surplus := len(self._pending) - _MOST_PENDING) > 0:
            del self._pending[:surplus]
            log.error("meter samples dropped: they cannot be stored", count=surplus)

    async def sampled_late(
        self,
        evse_id: str,
        transaction_id: int,
        samples: Sequence[MeterSample],
        behind: timedelta = timedelta(0),
    ) -> int:
        """Samples of the past: stored when it returns; how many were new.

        The session's energy is settled anew, and the gateway gets what it could not know: power
        at instants without a live sample, by our clock (`behind`: ours less the charger's).
        """

        def work(connection: sqlite3.Connection) -> tuple[int, Change]:
            new, uncovered = sampled.put_late(connection, evse_id, transaction_id, samples)
            if new and transaction_id:
                _settle(connection, transaction_id)
            told = uncovered if transaction_id else []
            rows = [sampled.measurement(evse_id, sample, behind) for sample in told]
            return new, self._outbox.write(connection, rows)

        new, change = await self._run(work)
        self._outbox.announce(change)
        return new

    async def run(self, clock: Clock) -> None:
        """Commit live samples about once a second and prune once an hour, until cancelled."""
        prune_at_s = clock.monotonic()
        while True:
            await clock.sleep(_GROUP_S)
            try:
                if self._pending:
                    await self._run(lambda _: None)
                if clock.monotonic() >= prune_at_s:
                    prune_at_s = clock.monotonic() + _PRUNE_EVERY_S
                    await self._prune(clock.now())
            except TransientError as error:
                log.error("meter samples not stored yet", why=str(error))  # noqa: TRY400 (the disk, not us)

    def flush(self) -> None:
        """Commit what waits, now, in the caller's thread (at the end)."""
        rows, self._pending = self._pending, []
        self._database.run_now(lambda connection: sampled.put(connection, rows))

    async def _prune(self, now: datetime) -> None:
        """In small pieces, so that a charger's start never waits long for the file."""
        while await self._database.run(lambda c: sampled.prune_old(c, now)):
            pass
        most = self._max_sessions
        while await self._database.run(lambda c: sampled.prune_sessions(c, now, most)):
            pass
        surplus = await self._database.run(sampled.count) - self._max_samples
        while surplus > 0:
            deleted = await self._database.run(partial(sampled.prune_surplus, surplus=surplus))
            surplus -= max(1, deleted)

    async def _run(self, work: Work[T]) -> T:
        """Do `work` with every sample so far stored; if it fails they go on waiting."""
        rows, self._pending = self._pending, []

        def whole(connection: sqlite3.Connection) -> T:
            sampled.put(connection, rows)
            return work(connection)

        try:
            return await self._database.run(whole)
        except BaseException:
            self._pending[:0] = rows  # perhaps stored all the same: to store them again is nothing
            raise

    async def _select(self, where: str, values: tuple[object, ...]) -> list[ChargingSession]:
        query = f"{_SELECT} {where}"
        return await self._run(
            lambda connection: [
                _session(connection, found) for found in connection.execute(query, values)
            ]
        )


def _known(connection: sqlite3.Connection, start: _Start) -> int | None:
    """Its id, if this start has been told before."""
    found = connection.execute(
        "SELECT id FROM charging_transaction WHERE evse_id = ? AND remote_id = ?",
        (start[0], start[2]),
    ).fetchone()
    if found is None:
        return None
    _complete(connection, found[0], start)
    return int(found[0])


def _close(connection: sqlite3.Connection, start: _Start, register_wh: float | None) -> None:
    """Presume the end of what is still open at the EVSE of a start."""
    query = "SELECT id FROM charging_transaction WHERE evse_id = ? AND stopped_at IS NULL"
    for (number,) in connection.execute(query, (start[0],)).fetchall():
        _stop(connection, (start[3], register_wh, PRESUMED, True, number))


def _start(
    connection: sqlite3.Connection,
    values: _Start,
    ref: str | None,
) -> int:
    cursor = connection.execute(
        "INSERT INTO charging_transaction"
        " (evse_id, id_tag, remote_id, started_at, start_wh, start_told) VALUES (?, ?, ?, ?, ?, ?)",
        values,
    )
    number = cursor.lastrowid or 0
    if ref is None and connection.execute(_TAKEN, (str(number),)).fetchone():
        connection.execute("DELETE FROM charging_transaction WHERE id = ?", (number,))
        return _start(connection, values, ref)
    connection.execute(
        "UPDATE charging_transaction SET ref = ? WHERE id = ?", (ref or str(number), number)
    )
    return number


def _complete(connection: sqlite3.Connection, number: int, start: _Start) -> None:
    """Its start is told after all: at first there was only its course, or its end."""
    _, id_tag, _, started_at, start_wh, told = start
    if told:
        changed = connection.execute(
            "UPDATE charging_transaction SET start_wh = ?, start_told = 1, started_at = ?,"
            " id_tag = COALESCE(id_tag, ?) WHERE id = ? AND NOT start_told",
            (start_wh, started_at, id_tag, number),
        ).rowcount
        if changed:
            _settle(connection, number)


def _stop(connection: sqlite3.Connection, values: tuple[str, float | None, str, bool, int]) -> None:
    changed = connection.execute(
        "UPDATE charging_transaction SET stopped_at = ?, stop_wh = ?, reason = ?, presumed = ?"
        " WHERE id = ? AND (stopped_at IS NULL OR (presumed AND NOT ?))",
        (*values, values[3]),
    ).rowcount
    if changed:
        _settle(connection, values[4])


def _settle(connection: sqlite3.Connection, transaction_id: int) -> None:
    """Count the energy of a session that is over from all that is known of it."""
    found = connection.execute(f"{_SELECT} WHERE id = ?", (transaction_id,)).fetchone()
    if found is None or found[6] is None:
        return
    energy = _energy(connection, found)
    connection.execute(
        "UPDATE charging_transaction SET energy_wh = ?, quality = ?, remarks = ? WHERE id = ?",
        (energy.energy_wh, energy.quality, _BETWEEN.join(energy.remarks), transaction_id),
    )


def _energy(connection: sqlite3.Connection, found: _Row) -> EnergyCount:
    number, evse_id, _, _, _, start_wh, stopped_at, stop_wh, presumed, *_ = found
    until = _instant(stopped_at) if not presumed else None
    registers = sampled.registers_wh(connection, evse_id, number, until)
    energy = energy_of(start_wh, registers, stop_wh)
    return presumption(energy) if presumed else energy


def _session(connection: sqlite3.Connection, found: _Row) -> ChargingSession:
    number, evse_id, ref, id_tag, started_at, start_wh, stopped_at, *_ = found
    reason, energy_wh, quality, remarks = found[9:]
    settled = EnergyCount(
        energy_wh=energy_wh,
        quality=Quality(quality) if quality else Quality.OFFLINE,
        remarks=tuple(remarks.split(_BETWEEN)) if remarks else (),
    )
    return ChargingSession(
        transaction_id=number,
        evse_id=evse_id,
        ref=ref,
        id_tag=id_tag,
        started_at=datetime.fromisoformat(started_at),
        start_wh=start_wh,
        ended_at=_instant(stopped_at),
        reason=reason,
        energy=_energy(connection, found) if stopped_at is None else settled,
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
