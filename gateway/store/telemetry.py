"""Measured values, stored once each: `gateway.ports.TelemetryStore` on a database.

A site numbers its rows; a batch is committed before it is acknowledged. The fence against rows
sent twice is one number per (site, epoch): everything up to it is stored. Rows that arrive ahead
of others are stored at once and remembered as a run until the gap in front of them closes. A
batch that is sent again although it lies ahead says that the site has nothing older left (its
outbox thinned it): then the gap is taken as final and written into the journal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select
from sqlmodel import Session, func
from sqlmodel import select as select_rows

from contracts.reading import Quality, Reading
from contracts.series import StepSeries
from contracts.site_link.messages import Batch, Measurement
from contracts.site_link.messages import Row as SiteRow
from contracts.time import Interval
from gateway.domain.metering.means import Piece, beside
from gateway.ports import MAX_CLOCK_AHEAD, JournalEntry
from gateway.store import site_rows
from gateway.store.bulk import StoredReading, put_readings
from gateway.store.database import Database, insert_into, upsert
from gateway.store.instants import from_micros, micros
from gateway.store.means import mean_pieces, value_pieces, value_rows
from gateway.store.tables import (
    HistoryRow,
    IngestAheadRow,
    IngestMarkRow,
    MeasurementRow,
    table,
)

_M = table(MeasurementRow).c
_K = table(IngestMarkRow).c
_A = table(IngestAheadRow).c
_MARK = select(_K.complete).where(
    _K.site_id == bindparam("site_id"), _K.epoch == bindparam("epoch")
)
_AHEAD = (
    select(_A.first, _A.last)
    .where(_A.site_id == bindparam("site_id"), _A.epoch == bindparam("epoch"))
    .order_by(_A.first)
)
_JOINED = delete(table(IngestAheadRow)).where(
    _A.site_id == bindparam("site"),
    _A.epoch == bindparam("in_epoch"),
    _A.first <= bindparam("upto"),
)


class SqlTelemetry:
    """Bulk work by plain statements; ORM objects would take ten times as long."""

    def __init__(self, database: Database, *, max_hold: timedelta) -> None:
        self._read = database.read
        self._write = database.write
        self._max_hold_us = max_hold // timedelta(microseconds=1)

    async def ingest(self, batch: Batch, received_at: datetime) -> int:
        """Store every row not stored yet, in one transaction; the highest seq now complete."""

        def work(session: Session) -> int:
            sender = {"site_id": batch.site_id, "epoch": batch.epoch}
            known = session.connection().scalar(_MARK, sender) or 0
            new = [numbered.row for numbered in batch.rows if numbered.seq > known]
            _store(session, batch.site_id, new, received_at)
            complete = _advance(session, batch, known, received_at)
            if complete > known:
                mark = {**sender, "complete": complete}
                session.connection().execute(upsert(session, IngestMarkRow), mark)
            return complete

        return await self._write(work)

    async def series(self, site_id: str, point: str, window: Interval) -> StepSeries:
        """Good and estimated values as steps inside a window; of old ones their means."""
        return await self.series_of(site_id, point, (window,))

    async def series_of(self, site_id: str, point: str, windows: Sequence[Interval]) -> StepSeries:
        """The same in each of several windows, in one transaction: a baseline asks for many."""
        spans = [(micros(w.start), None if w.end is None else micros(w.end)) for w in windows]

        def work(session: Session) -> StepSeries:
            found = (_series(session, site_id, point, self._max_hold_us, one) for one in spans)
            return StepSeries(tuple(step for one in found for step in one))

        return await self._read(work)

    async def latest(self, site_id: str) -> Mapping[str, Reading]:
        """The newest reading of every point of a site."""
        return await self._read(lambda session: _latest(session, site_id))

    async def insert_history(self, site_id: str, point: str, steps: StepSeries, label: str) -> None:
        """Load past intervals; what the site itself measured at an instant is never replaced."""
        if not steps:
            return
        rows = [_history_values(site_id, point, step.interval, step.value) for step in steps]
        first, last = steps.steps[0].interval, steps.steps[-1].interval
        stretch = HistoryRow(
            site_id=site_id,
            point=point,
            start=first.start,
            end=last.end or last.start,
            label=label,
        )

        def work(session: Session) -> None:
            put_readings(session, rows, replace=False)
            session.merge(stretch)

        await self._write(work)

    async def history_label(self, site_id: str, window: Interval) -> str | None:
        """The label of loaded history inside a window; several are joined by a comma."""
        query = select_rows(HistoryRow.label).where(
            HistoryRow.site_id == site_id, HistoryRow.end > window.start
        )
        if window.end is not None:
            query = query.where(HistoryRow.start < window.end)
        labels = await self._read(lambda session: sorted(set(session.exec(query).all())))
        return ", ".join(labels) or None


# --- writing -------------------------------------------------------------------------------------


def _store(session: Session, site_id: str, rows: Sequence[SiteRow], received_at: datetime) -> None:
    measured = [row for row in rows if isinstance(row, Measurement)]
    for row in rows:
        if not isinstance(row, Measurement):
            site_rows.put_row(session, site_id, row)
    usable = [row for row in measured if row.at <= received_at + MAX_CLOCK_AHEAD]
    if usable:
        values = [_measured_values(site_id, row) for row in usable]
        put_readings(session, values)
    if refused := len(measured) - len(usable):
        cause = f"{refused} values from the future were not stored: the site's clock is wrong"
        entry = JournalEntry(at=received_at, subject=site_id, action="clock ahead", cause=cause)
        site_rows.put_journal(session, [entry])


def _measured_values(site_id: str, row: Measurement) -> StoredReading:
    return (site_id, row.point, micros(row.at), row.value, row.quality.value, None)


def _history_values(site_id: str, point: str, interval: Interval, value: float) -> StoredReading:
    hold = None if interval.duration is None else interval.duration // timedelta(microseconds=1)
    return (site_id, point, micros(interval.start), value, Quality.GOOD.value, hold)


def _advance(session: Session, batch: Batch, known: int, received_at: datetime) -> int:
    """The highest seq up to which nothing is missing, now that this batch is stored."""
    sender = {"site_id": batch.site_id, "epoch": batch.epoch}
    first, last = batch.rows[0].seq, batch.rows[-1].seq
    runs = session.connection().execute(_AHEAD, sender).all()
    if first > known + 1:
        if all(run.first != first for run in runs):
            ahead = {**sender, "first": first, "last": last}
            session.connection().execute(insert_into(session, IngestAheadRow), ahead)
            return known
        site_rows.put_journal(session, [_gap(batch, known + 1, first - 1, received_at)])
    complete = max(known, last)
    for run in runs:
        if run.first <= complete + 1:
            complete = max(complete, run.last)
    if runs:
        reached = {"site": batch.site_id, "in_epoch": batch.epoch, "upto": complete}
        session.connection().execute(_JOINED, reached)
    return complete


def _gap(batch: Batch, first: int, last: int, at: datetime) -> JournalEntry:
    return JournalEntry(
        at=at,
        subject=batch.site_id,
        action="telemetry gap",
        cause=f"rows {first} to {last} of epoch {batch.epoch} were dropped by the site's outbox",
    )


# --- reading -------------------------------------------------------------------------------------


def _series(
    session: Session, site_id: str, point: str, max_hold_us: int, span: tuple[int, int | None]
) -> StepSeries:
    rows = value_rows(session, site_id, point, *span)
    pieces: Sequence[Piece] = value_pieces(rows, max_hold_us, *span)
    if not rows or rows[0][0] > span[0]:  # nothing was in force: it may have been thinned
        pieces = beside(pieces, mean_pieces(session, site_id, point, *span))
    return StepSeries.of(
        (Interval(start=from_micros(begin), end=from_micros(end)), value)
        for begin, end, value, _ in pieces
    )


def _latest(session: Session, site_id: str) -> Mapping[str, Reading]:
    """One index seek a point: a plain GROUP BY would read the site's whole past."""
    found: dict[str, Reading] = {}
    connection, point = session.connection(), ""
    following = select(func.min(_M.point)).where(_M.site_id == site_id)
    newest = select(_M.at_us, _M.value, _M.quality).where(_M.site_id == site_id)
    while (name := connection.scalar(following.where(_M.point > point))) is not None:
        point = name
        query = newest.where(_M.point == point).order_by(_M.at_us.desc()).limit(1)
        at_us, value, quality = connection.execute(query).one()
        found[point] = Reading(value=value, quality=Quality(quality), at=from_micros(at_us))
    return found
