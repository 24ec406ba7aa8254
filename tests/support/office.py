"""A measured office (see `tests/captures/lbnl_office/SOURCES.txt`) as the gateway sees a site."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.series import StepSeries
from contracts.time import Interval

ZONE = ZoneInfo("America/Los_Angeles")
QUARTER = timedelta(minutes=15)
EVENT = Interval(
    start=datetime(2013, 9, 23, 14, tzinfo=ZONE), end=datetime(2013, 9, 23, 16, tzinfo=ZONE)
)
"""A real event of that building."""
HOLIDAYS = frozenset({date(2013, 9, 2)})


def series(loads_kw: Mapping[tuple[date, int], float]) -> StepSeries:
    """Quarter hours of the local wall clock, kW, as measured import, W; no clock change in them."""
    return StepSeries.of(
        (Interval.lasting(_at(day, quarter), QUARTER), 1000.0 * load)
        for (day, quarter), load in loads_kw.items()
    )


def _at(day: date, quarter: int) -> datetime:
    return datetime(day.year, day.month, day.day, quarter // 4, 15 * (quarter % 4), tzinfo=ZONE)
