"""A site's meter data by quarter-hour, as tables and as a Green Button feed.

Energy of an interval is its measured mean power times its length; import positive. An interval less
than whole in the data is estimated, one measured for less than half its time is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.power import energy_wh
from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import Sampler
from gateway.domain.measure.performance import MIN_INTERVAL_COVERAGE
from gateway.reports.tables import Table
from gateway.reports.view import SIMULATED

COLUMNS = (
    *("site_id", "data_label", "start_utc", "end_utc", "start_local"),
    *("net_kwh", "coverage", "quality"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterRow:
    """Energy over one interval."""

    interval: Interval
    net_wh: float | None
    """Import less export, Wh; None: unknown."""
    coverage: float
    """Share of the interval that was measured, 0-1."""

    @property
    def quality(self) -> str:
        """`measured`, `estimated` or `missing`."""
        if self.net_wh is None:
            return "missing"
        return "measured" if self.coverage >= 1 else "estimated"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterData:
    """Of one site over whole days of its own calendar: 92 to 100 quarter-hours each."""

    site_id: str
    name: str
    zone: ZoneInfo
    length: timedelta
    rows: Sequence[MeterRow]
    simulated: bool
    created_at: datetime


def meter_rows(power: StepSeries, window: Interval, length: timedelta) -> list[MeterRow]:
    """Energy by interval from the power at the meter, W."""
    intervals = tuple(window.split(length))
    return [
        MeterRow(
            interval=interval,
            net_wh=(
                energy_wh(mean.value, interval.duration or length)
                if mean.value is not None and mean.coverage >= MIN_INTERVAL_COVERAGE
                else None
            ),
            coverage=mean.coverage,
        )
        for interval, mean in zip(intervals, Sampler(power).means(intervals), strict=True)
    ]


def meter_table(data: MeterData) -> Table:
    """One row an interval; an empty cell is unknown."""
    label = SIMULATED if data.simulated else ""
    return Table(
        name="Meter",
        columns=COLUMNS,
        rows=[
            (
                *(data.site_id, label, row.interval.start.isoformat()),
                (row.interval.end or row.interval.start).isoformat(),
                row.interval.start.astimezone(data.zone).isoformat(),
                None if row.net_wh is None else round(row.net_wh / 1000, 6),
                round(row.coverage, 4),
                row.quality,
            )
            for row in data.rows
        ],
    )
