"""Telemetry as received: one value for each point and interval, however often it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.openadr.payloads import Report, ReportInterval, ResourceStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One reported value, in the unit of the point's metadata."""

    ven_id: str
    r_id: str
    report_request_id: str
    start: datetime
    duration: timedelta
    value: float | ResourceStatus
    data_quality: str | None
    received_at: datetime

    @property
    def end(self) -> datetime:
        """Where the value ends."""
        return self.start + self.duration


class Telemetry:
    """Samples by VEN and point, the newest `keep` of each."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._samples: dict[tuple[str, str], dict[datetime, Sample]] = {}

    def store(self, samples: Sequence[Sample]) -> None:
        """Add samples; the same point and start again replaces the older value."""
        for sample in samples:
            series = self._samples.setdefault((sample.ven_id, sample.r_id), {})
            series[sample.start] = sample
            if len(series) > self._keep:
                del series[next(iter(series))]

    def series(self, ven_id: str, r_id: str) -> Sequence[Sample]:
        """The samples of one point in order of time."""
        return sorted(self._samples.get((ven_id, r_id), {}).values(), key=lambda s: s.start)

    def points(self, ven_id: str) -> Sequence[str]:
        """The points a VEN has reported on."""
        return tuple(r_id for owner, r_id in self._samples if owner == ven_id)


def samples_of(
    report: Report, *, ven_id: str, granularity: timedelta, now: datetime
) -> Sequence[Sample]:
    """The values of a report, each with its own start and duration.

    An interval without a start begins where the one before ended (at first: at the report's
    start); one without a duration lasts as long as the granularity asked for.
    """
    return [
        Sample(
            ven_id=ven_id,
            r_id=payload.r_id,
            report_request_id=report.report_request_id,
            start=start,
            duration=duration,
            value=payload.value,
            data_quality=payload.data_quality,
            received_at=now,
        )
        for interval, start, duration in _placed(report, granularity)
        for payload in interval.payloads
    ]


def _placed(
    report: Report, granularity: timedelta
) -> Iterator[tuple[ReportInterval, datetime, timedelta]]:
    start = report.start or report.created_at
    for interval in report.intervals:
        start = interval.start or start
        duration = granularity if interval.duration is None else interval.duration
        yield interval, start, duration
        start += duration
