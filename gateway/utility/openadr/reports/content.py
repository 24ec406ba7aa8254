"""What goes into a report: values in the units of the metadata, with how far to trust them.

The only place where W become kW and kWh for reports. Signs stay: import positive.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from contracts.openadr.payloads import Report, ReportInterval, ReportPayload, ReportRequest
from contracts.openadr.words import DataQuality, ReportName
from contracts.power import kw_from_watts
from contracts.reading import Quality, Reading
from contracts.time import Interval
from gateway.ports import ReportSource
from gateway.utility.openadr.reports.offer import Measure, Point
from gateway.utility.openadr.reports.status import StatusWatch

QUALITY = {
    Quality.GOOD: (DataQuality.GOOD, 100),
    Quality.ESTIMATED: (DataQuality.UNCERTAIN, 50),
    Quality.STALE: (DataQuality.UNCERTAIN_LAST_USABLE, 25),
    Quality.INVALID: (DataQuality.BAD, 0),
    Quality.OFFLINE: (DataQuality.BAD_COMMUNICATION, 0),
}
"""`oadrDataQuality` and confidence in per cent."""
CHANGE_KW = 0.1
"""A power that moved less than this since it was last reported has not changed."""
_DECIMALS = {Measure.POWER: 3, Measure.ENERGY: 6}
_HOUR = timedelta(hours=1)


class Readings:
    """Means of points, read once however many reports want the same ones."""

    def __init__(self, source: ReportSource) -> None:
        self._source = source
        self._read: dict[tuple[str, datetime, datetime | None, int], Sequence[Reading]] = {}

    async def means(self, source_id: str, pieces: Sequence[Interval]) -> Sequence[Reading]:
        """Mean power in W over each of these intervals."""
        key = (source_id, pieces[0].start, pieces[-1].end, len(pieces))
        if key not in self._read:
            self._read[key] = await self._source.means(source_id, pieces)
        return self._read[key]


async def intervals(
    points: Sequence[Point], pieces: Sequence[Interval], readings: Readings, watch: StatusWatch
) -> list[ReportInterval]:
    """The values of each interval; intervals of which nothing is known are left out."""
    columns: list[Sequence[ReportPayload | None]] = []
    for point in points if pieces else ():
        if point.measure is Measure.STATUS:
            columns.append([_status(point, piece, watch) for piece in pieces])
        else:
            means = await readings.means(point.source_id, pieces)
            columns.append([_usage(point, m, p) for m, p in zip(means, pieces, strict=True)])
    rows = zip(*columns, strict=True) if columns else iter(())
    return [
        ReportInterval(start=piece.start, duration=piece.duration, payloads=known)
        for piece, row in zip(pieces, rows, strict=False)
        if (known := tuple(payload for payload in row if payload is not None))
    ]


def changes(
    found: Iterable[ReportInterval], last: Sequence[ReportPayload]
) -> tuple[list[ReportInterval], tuple[ReportPayload, ...]]:
    """Only what differs from the value sent before, and the values sent last from now on."""
    sent = {payload.r_id: payload for payload in last}
    kept = []
    for interval in found:
        moved = tuple(p for p in interval.payloads if _moved(sent.get(p.r_id), p))
        sent |= {payload.r_id: payload for payload in moved}
        if moved:
            kept.append(
                ReportInterval(start=interval.start, duration=interval.duration, payloads=moved)
            )
    return kept, tuple(sent.values())


def report(
    request: ReportRequest, name: ReportName, found: Sequence[ReportInterval], now: datetime
) -> Report:
    """A report with these intervals; without any it says that there is nothing to tell."""
    key = request.report_request_id
    begin = found[0].start if found else None
    end = _end(found[-1]) if found else None
    at = begin or now
    return Report(
        report_request_id=key,
        report_specifier_id=request.specifier.report_specifier_id,
        created_at=now,
        name=name,
        report_id=f"{key}-{at:%Y%m%dT%H%M%S}",
        start=begin,
        duration=None if begin is None or end is None else end - begin,
        intervals=tuple(found),
    )


def by_r_id(points: Mapping[str, Point], request: ReportRequest) -> list[Point]:
    """The points of a request, each once; those that are gone are left out."""
    wanted = dict.fromkeys(payload.r_id for payload in request.specifier.payloads)
    return [points[r_id] for r_id in wanted if r_id in points]


def _end(interval: ReportInterval) -> datetime | None:
    if interval.start is None or interval.duration is None:
        return None
    return interval.start + interval.duration


def _usage(point: Point, mean: Reading, piece: Interval) -> ReportPayload | None:
    if mean.value is None or piece.duration is None:
        return None
    value = kw_from_watts(mean.value)
    if point.measure is Measure.ENERGY:
        value *= piece.duration / _HOUR
    quality, confidence = QUALITY[mean.quality]
    return ReportPayload(
        r_id=point.r_id,
        value=round(value, _DECIMALS[point.measure]),
        confidence=confidence,
        data_quality=quality,
    )


def _status(point: Point, piece: Interval, watch: StatusWatch) -> ReportPayload | None:
    status = watch.at(point.source_id, piece.end or piece.start)
    if status is None:
        return None
    quality, confidence = QUALITY[Quality.GOOD]
    return ReportPayload(r_id=point.r_id, value=status, confidence=confidence, data_quality=quality)


def _moved(before: ReportPayload | None, now: ReportPayload) -> bool:
    if before is None or before.data_quality != now.data_quality:
        return True
    if isinstance(before.value, float) and isinstance(now.value, float):
        return abs(now.value - before.value) >= CHANGE_KW
    return before.value != now.value
