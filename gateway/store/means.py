"""Old telemetry thinned to means, in small transactions: `gateway.ports.retention.Thinning`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, Row, and_, bindparam, delete, select
from sqlmodel import Session, func

from contracts.reading import Quality
from gateway.domain.metering.means import Piece, StepMean, coarser, means
from gateway.store.bulk import StoredReading, write_readings
from gateway.store.database import Database, upsert
from gateway.store.instants import micros
from gateway.store.tables import MeasurementRow, table
from gateway.store.telemetry_tables import MeanRow

StoredValue = Row[int, float | None, str, int | None]
"""`at_us, value, quality, hold_us`."""

_M = table(MeasurementRow).c
_N = table(MeanRow).c
_USABLE = (Quality.GOOD.value, Quality.ESTIMATED.value)
_SECOND_US = 1_000_000
_FINE_S, _COARSE_S = 300, 900
_READINGS_CHUNK_US = 6 * 3600 * _SECOND_US
_MEANS_CHUNK_US = 24 * 3600 * _SECOND_US
_WHOLE = 0.9999

# Asked for every point, site and past day: to make a statement anew costs twice what it reads.
_START, _END = bindparam("start", type_=BigInteger), bindparam("end", type_=BigInteger)
_HERE = and_(_M.site_id == bindparam("site_id"), _M.point == bindparam("point"))
_IN_FORCE = select(func.max(_M.at_us)).where(_HERE, _M.at_us <= _START).scalar_subquery()
_VALUES = (
    select(_M.at_us, _M.value, _M.quality, _M.hold_us)
    .where(_HERE, _M.at_us >= func.coalesce(_IN_FORCE, _START))
    .order_by(_M.at_us)
)
_VALUES_UNTIL = _VALUES.where(_M.at_us < _END)
_MEANS = (
    select(_N.step_s, _N.start_us, _N.mean, _N.coverage, _N.quality)
    .where(_N.site_id == bindparam("site_id"), _N.point == bindparam("point"))
    .where(_N.start_us > _START)
    .order_by(_N.start_us, _N.step_s)
)
_MEANS_UNTIL = _MEANS.where(_N.start_us < _END)


class SqlThinning:
    """See `Thinning`."""

    def __init__(self, database: Database, *, max_hold: timedelta) -> None:
        self._read = database.read
        self._write = database.write
        self._max_hold_us = max_hold // timedelta(microseconds=1)

    async def sites(self) -> tuple[str, ...]:
        """See `Thinning.sites`."""
        every = lambda s: {*names(s, _M.site_id), *names(s, _N.site_id)}  # noqa: E731
        return tuple(sorted(await self._read(every)))

    async def thin_readings(self, site_id: str, before: datetime) -> bool:
        """See `Thinning.thin_readings`."""
        limit = _floor(micros(before), _READINGS_CHUNK_US)

        def work(session: Session) -> bool:
            points = names(session, _M.point, _M.site_id == site_id)
            return (
                sum(
                    _thin_readings(session, site_id, point, limit, self._max_hold_us)
                    for point in points
                )
                > 0
            )

        return await self._write(work)

    async def thin_means(self, site_id: str, before: datetime) -> bool:
        """See `Thinning.thin_means`."""
        limit = _floor(micros(before), _MEANS_CHUNK_US)

        def work(session: Session) -> bool:
            points = names(session, _N.point, _N.site_id == site_id)
            return sum(_thin_means(session, site_id, point, limit) for point in points) > 0

        return await self._write(work)


def value_rows(
    session: Session, site_id: str, point: str, start: int, end: int | None
) -> Sequence[StoredValue]:
    """Rows inside the window and the one in force at its start."""
    asked = {"site_id": site_id, "point": point, "start": start}
    if end is None:
        return session.connection().execute(_VALUES, asked).all()
    return session.connection().execute(_VALUES_UNTIL, {**asked, "end": end}).all()


def value_pieces(
    rows: Sequence[StoredValue], max_hold_us: int, start: int, end: int | None
) -> list[Piece]:
    """A value holds until the next row or as long as it may; a row without a value ends it."""
    pieces: list[Piece] = []
    nexts = [*(row[0] for row in rows[1:]), end]
    for (at_us, value, quality, hold_us), following in zip(rows, nexts, strict=False):
        if value is None or quality not in _USABLE:
            continue
        until = at_us + (max_hold_us if hold_us is None else hold_us)
        until = until if following is None else min(until, following)
        since = max(at_us, start)
        if until > since:
            pieces.append((since, until, value, quality == Quality.ESTIMATED.value))
    return pieces


def mean_pieces(
    session: Session, site_id: str, point: str, start: int, end: int | None
) -> list[Piece]:
    """What is known of a window by means alone; one that is covered in part holds so long only."""
    earliest = start - _COARSE_S * _SECOND_US
    asked = {"site_id": site_id, "point": point, "start": earliest}
    query = _MEANS if end is None else _MEANS_UNTIL
    known = session.connection().execute(query, asked if end is None else {**asked, "end": end})
    pieces: list[Piece] = []
    for step_s, at, mean, coverage, quality in known:
        length = step_s * _SECOND_US * (1.0 if coverage > _WHOLE else coverage)
        until = at + round(length)
        until = until if end is None else min(until, end)
        since = max(at, start, pieces[-1][1] if pieces else start)
        if until > since:
            pieces.append((since, until, mean, quality == Quality.ESTIMATED.value))
    return pieces


def _thin_readings(
    session: Session, site_id: str, point: str, limit: int, max_hold_us: int
) -> bool:
    """The oldest hours of one point; what still holds at their end begins anew there."""
    here = and_(_M.site_id == site_id, _M.point == point)
    connection = session.connection()
    oldest = connection.scalar(select(func.min(_M.at_us)).where(here))
    if oldest is None or oldest >= limit:
        return False
    start = _floor(oldest, _READINGS_CHUNK_US)
    end = start + _READINGS_CHUNK_US
    rows = value_rows(session, site_id, point, start, end)
    pieces = value_pieces(rows, max_hold_us, start, end)
    _add(session, site_id, point, _FINE_S, means(pieces, _FINE_S * _SECOND_US))
    write_readings(session, _carried(site_id, point, rows, end, max_hold_us), replace=False)
    connection.execute(delete(table(MeasurementRow)).where(here, _M.at_us < end))
    return True


def _carried(
    site_id: str, point: str, rows: Sequence[StoredValue], end: int, max_hold_us: int
) -> list[StoredReading]:
    """The value in force at `end`, as one that begins there and holds no longer than it did."""
    at_us, value, quality, hold_us = rows[-1]
    left = at_us + (max_hold_us if hold_us is None else hold_us) - end
    if value is None or quality not in _USABLE or left <= 0:
        return []
    return [(site_id, point, end, value, quality, left)]


def _thin_means(session: Session, site_id: str, point: str, limit: int) -> bool:
    here = and_(_N.site_id == site_id, _N.point == point, _N.step_s == _FINE_S)
    connection = session.connection()
    oldest = connection.scalar(select(func.min(_N.start_us)).where(here))
    if oldest is None or oldest >= limit:
        return False
    start = _floor(oldest, _MEANS_CHUNK_US)
    end = start + _MEANS_CHUNK_US
    fine = _known(session, site_id, point, _FINE_S, start, end)
    made = coarser(fine, _COARSE_S * _SECOND_US, _FINE_S * _SECOND_US)
    _add(session, site_id, point, _COARSE_S, made)
    connection.execute(delete(table(MeanRow)).where(here, _N.start_us < end))
    return True


def _known(
    session: Session, site_id: str, point: str, step_s: int, start: int, end: int
) -> Mapping[int, StepMean]:
    here = and_(_N.site_id == site_id, _N.point == point, _N.step_s == step_s)
    query = select(_N.start_us, _N.mean, _N.coverage, _N.quality).where(
        here, _N.start_us >= start, _N.start_us < end
    )
    return {
        at: StepMean(mean=mean, coverage=coverage, estimated=quality == Quality.ESTIMATED.value)
        for at, mean, coverage, quality in session.connection().execute(query)
    }


def _add(
    session: Session, site_id: str, point: str, step_s: int, new: Mapping[int, StepMean]
) -> None:
    """Store means, together with what is known of the same intervals from before."""
    if not new:
        return
    known = _known(session, site_id, point, step_s, min(new), max(new) + 1)
    rows = []
    for at, one in new.items():
        both = known[at].joined(one) if at in known else one
        quality = Quality.ESTIMATED if both.estimated else Quality.GOOD
        rows.append(
            {
                "site_id": site_id,
                "point": point,
                "step_s": step_s,
                "start_us": at,
                "mean": both.mean,
                "coverage": both.coverage,
                "quality": quality.value,
            }
        )
    session.connection().execute(upsert(session, MeanRow), rows)


def names(session: Session, column: ColumnElement[str], *where: ColumnElement[bool]) -> list[str]:
    """The distinct values of a leading column of an index, by one seek each."""
    found: list[str] = []
    first = select(func.min(column)).where(*where)
    while (
        name := session.connection().scalar(first.where(column > (found or [""])[-1]))
    ) is not None:
        found.append(name)
    return found


def _floor(at: int, step: int) -> int:
    return at - at % step
