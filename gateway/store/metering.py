"""Revenue meters' intervals on a database: `gateway.ports.MeterStore`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, insert, select, update
from sqlmodel import Session

from contracts.reading import Quality
from contracts.time import Interval
from gateway.domain.metering.checks import Checked, Noted, check
from gateway.domain.metering.gaps import missing
from gateway.domain.metering.interval import Meter, MeterInterval
from gateway.ports.metering import Delivered, Delivery, StoredInterval
from gateway.ports.store import JournalEntry
from gateway.store import site_rows
from gateway.store.database import Database
from gateway.store.instants import from_micros, micros
from gateway.store.tables import table
from gateway.store.telemetry_tables import MeterDeliveryRow, MeterIntervalRow

_T, _D = table(MeterIntervalRow), table(MeterDeliveryRow)
_C = _T.c
_SECOND_US = 1_000_000
_COLUMNS = (
    _C.start_us,
    _C.version,
    _C.length_s,
    _C.energy_wh,
    _C.quality,
    _C.issued_us,
    _C.received_us,
    _C.reason,
)
_Stored = Row[int, int, int, float | None, str, int, int, str]
_COMPARED_WITH = 96
"""So many good values before a delivery are what its values are compared with."""
_TOLD_REASONS = 3


class SqlMeters:
    """Whole deliveries in one transaction each; what is stored is never changed."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def deliver(
        self,
        site_id: str,
        meter: str,
        rules: Meter,
        intervals: Iterable[MeterInterval],
        received_at: datetime,
    ) -> Delivered:
        """See `MeterStore.deliver`."""
        told = tuple(intervals)
        if not told:
            return Delivered(stored=0, known=0, flagged=0, refused=())

        def work(session: Session) -> Delivered:
            known_wh = _known_before(session, site_id, meter, min(one.start for one in told))
            checked = check(told, rules, received_at, known_wh)
            new = _new_versions(session, site_id, meter, checked.kept, received_at)
            if new:
                session.connection().execute(insert(_T), new)
                session.add(_delivery_row(site_id, meter, new, received_at))
            flagged = [row for row in new if not Quality(str(row["quality"])).usable]
            _journal(session, site_id, meter, checked, flagged, received_at)
            return Delivered(
                stored=len(new),
                known=len(checked.kept) - len(new),
                flagged=len(flagged),
                refused=checked.refused,
                noted=tuple(_noted(row) for row in new if _noteworthy(row)),
            )

        return await self._write(work)

    async def intervals(
        self, site_id: str, meter: str, window: Interval, known_at: datetime | None = None
    ) -> Sequence[StoredInterval]:
        """See `MeterStore.intervals`."""
        start, end = micros(window.start), None if window.end is None else micros(window.end)

        def work(session: Session) -> Sequence[StoredInterval]:
            newest = _newest(session, site_id, meter, (start, end), known_at)
            return [_stored(row) for row in newest.values()]

        return await self._read(work)

    async def versions(self, site_id: str, meter: str, start: datetime) -> Sequence[StoredInterval]:
        """See `MeterStore.versions`."""
        here = and_(_C.site_id == site_id, _C.meter == meter, _C.start_us == micros(start))
        query = select(*_COLUMNS).where(here).order_by(_C.version)
        return await self._read(lambda s: [_stored(row) for row in s.connection().execute(query)])

    async def missing(
        self, site_id: str, meter: str, rules: Meter, window: Interval
    ) -> Sequence[Interval]:
        """See `MeterStore.missing`."""
        known = await self.intervals(site_id, meter, window)
        return missing((one.told.start for one in known if one.told.counts), window, rules.length)

    async def unsettled(self) -> Sequence[Delivery]:
        """See `MeterStore.unsettled`."""
        query = select(_D).where(_D.c.settled_us.is_(None)).order_by(_D.c.number)
        return await self._read(lambda s: [_delivery(r) for r in s.connection().execute(query)])

    async def settled(self, numbers: Sequence[int], at: datetime) -> None:
        """See `MeterStore.settled`."""
        done = update(_D).where(_D.c.number.in_(numbers)).values(settled_us=micros(at))
        await self._write(lambda session: session.connection().execute(done))


def _delivery_row(
    site_id: str, meter: str, new: Sequence[Mapping[str, object]], received_at: datetime
) -> MeterDeliveryRow:
    starts = [int(str(row["start_us"])) for row in new]
    length_us = int(str(new[0]["length_s"])) * _SECOND_US
    return MeterDeliveryRow(
        site_id=site_id,
        meter=meter,
        received_us=micros(received_at),
        first_us=min(starts),
        until_us=max(starts) + length_us,
        stored=len(new),
    )


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        number=row.number,
        site_id=row.site_id,
        meter=row.meter,
        received_at=from_micros(row.received_us),
        window=Interval(start=from_micros(row.first_us), end=from_micros(row.until_us)),
        stored=row.stored,
    )


def _noteworthy(row: Mapping[str, object]) -> bool:
    return bool(row["reason"]) or not Quality(str(row["quality"])).usable


def _noted(row: Mapping[str, object]) -> Noted:
    return Noted(
        start=from_micros(int(str(row["start_us"]))),
        quality=Quality(str(row["quality"])),
        reason=str(row["reason"]),
    )


def _newest(
    session: Session,
    site_id: str,
    meter: str,
    span: tuple[int, int | None],
    known_at: datetime | None = None,
) -> Mapping[int, _Stored]:
    """Of every start inside a span the version that counts, in order of time."""
    here = and_(_C.site_id == site_id, _C.meter == meter, _C.start_us >= span[0])
    query = select(*_COLUMNS).where(here)
    if span[1] is not None:
        query = query.where(_C.start_us < span[1])
    if known_at is not None:
        query = query.where(_C.received_us <= micros(known_at))
    # a mapping keeps the place of its first entry and the value of its last
    ordered = query.order_by(_C.start_us, _C.issued_us, _C.version)
    return {row.start_us: row for row in session.connection().execute(ordered)}


def _known_before(session: Session, site_id: str, meter: str, start: datetime) -> Sequence[float]:
    """The last good values before a delivery, whatever their version."""
    here = and_(_C.site_id == site_id, _C.meter == meter, _C.start_us < micros(start))
    good = and_(_C.quality == Quality.GOOD.value, _C.energy_wh.is_not(None))
    query = select(_C.energy_wh).where(here, good).order_by(_C.start_us.desc())
    return session.connection().scalars(query.limit(_COMPARED_WITH)).all()


def _new_versions(
    session: Session,
    site_id: str,
    meter: str,
    kept: Sequence[MeterInterval],
    received_at: datetime,
) -> Sequence[Mapping[str, object]]:
    """Rows for what was not said before: another value, or one issued at another time.

    A value that is issued again unchanged is kept, too: it takes back a correction that was issued
    between the two, even if that one arrives last.
    """
    if not kept:
        return []
    here = and_(_C.site_id == site_id, _C.meter == meter)
    span = _C.start_us.between(micros(kept[0].start), micros(kept[-1].start))
    query = select(_C.start_us, _C.issued_us, _C.length_s, _C.energy_wh).where(here, span)
    stored = session.connection().execute(query).all()
    said = {tuple(row) for row in stored}
    versions = Counter(row[0] for row in stored)
    rows = [_row(site_id, meter, one, versions[micros(one.start)] + 1, received_at) for one in kept]
    keys = ("start_us", "issued_us", "length_s", "energy_wh")
    return [row for row in rows if tuple(row[key] for key in keys) not in said]


def _row(
    site_id: str, meter: str, one: MeterInterval, version: int, received_at: datetime
) -> Mapping[str, object]:
    return {
        "site_id": site_id,
        "meter": meter,
        "start_us": micros(one.start),
        "version": version,
        "length_s": one.length // timedelta(seconds=1),
        "energy_wh": one.energy_wh,
        "quality": one.quality.value,
        "issued_us": micros(one.issued_at),
        "received_us": micros(received_at),
        "reason": one.reason,
    }


def _stored(row: _Stored) -> StoredInterval:
    told = MeterInterval(
        start=from_micros(row.start_us),
        length=timedelta(seconds=row.length_s),
        energy_wh=row.energy_wh,
        quality=Quality(row.quality),
        issued_at=from_micros(row.issued_us),
        reason=row.reason,
    )
    return StoredInterval(told=told, version=row.version, received_at=from_micros(row.received_us))


def _journal(
    session: Session,
    site_id: str,
    meter: str,
    checked: Checked,
    flagged: Sequence[Mapping[str, object]],
    at: datetime,
) -> None:
    """An entry for what was refused and one for what does not count, with the commonest reasons."""
    told = {
        "meter data refused": [one.reason for one in checked.refused],
        "meter data flagged": [str(row["reason"]) for row in flagged],
    }
    entries = [
        JournalEntry(at=at, subject=site_id, action=action, cause=_summary(meter, reasons))
        for action, reasons in told.items()
        if reasons
    ]
    if entries:
        site_rows.put_journal(session, entries)


def _summary(meter: str, reasons: Sequence[str]) -> str:
    common = Counter(reasons).most_common(_TOLD_REASONS)
    told = "; ".join(f"{count} times: {reason or 'told so'}" for reason, count in common)
    return f"meter {meter}, {len(reasons)} intervals: {told}"
