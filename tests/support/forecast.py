"""Short ways to say what a site has measured."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from site_agent.domain.forecast.calendar import Calendar
from site_agent.domain.forecast.course import Measured
from site_agent.domain.horizon import QUARTER, Horizon

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 6, 1)
CALENDAR = Calendar(zone=BERLIN)


def midnight(day: date, calendar: Calendar = CALENDAR) -> datetime:
    return calendar.begins(day)


def at(day: date, hour: float, calendar: Calendar = CALENDAR) -> datetime:
    """An instant by the wall clock of the site."""
    clock = time(int(hour), round(hour % 1 * 60))
    return datetime.combine(day, clock, tzinfo=calendar.zone).astimezone(UTC)


def measured(
    until: datetime,
    days: int,
    value: Callable[[datetime], float],
    calendar: Calendar = CALENDAR,
) -> Measured:
    """`value` of the local time of every quarter of the last `days` local days before `until`."""
    start = calendar.begins(calendar.day_of(until) - timedelta(days=days))
    count = (until - start) // QUARTER
    local = ((start + i * QUARTER).astimezone(calendar.zone) for i in range(count))
    return Measured(start=start, values=np.array([value(one) for one in local], dtype=np.float64))


def ahead(start: datetime, hours: float = 24.0) -> Horizon:
    return Horizon(start=start, count=round(4 * hours))
