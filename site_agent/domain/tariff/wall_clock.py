"""From schedules on a local wall clock to shares of the slots of a horizon.

A day has 23, 24 or 25 hours. On the days on which clocks are set, a price holds for as long as the
wall clock shows its hours: twice in an hour that comes twice, never in one that is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

import numpy as np

from site_agent.domain.horizon import Flags, Horizon, Series

_DAY = timedelta(days=1)
_DAY_S = 86_400.0
MINUTES = 1440
"""Of a day by the wall clock."""

Steps = Sequence[tuple[int, int]]
"""(minute of the day from which it holds, its number), ascending, the first from minute 0 on."""


def shares(
    horizon: Horizon, zone: tzinfo, steps_on: Callable[[date], Steps], count: int
) -> tuple[Series, ...]:
    """How much of each slot each of `count` numbered steps holds, 0 to 1."""
    found = list(_edges(horizon, zone, steps_on))
    at = np.array([second for second, _ in found] + [horizon.end.timestamp() + 2 * _DAY_S])
    numbers = np.array([number for _, number in found])
    slots: Series = horizon.start.timestamp() + horizon.step.total_seconds() * np.arange(
        horizon.count + 1, dtype=np.float64
    )
    return tuple(_share(at, numbers == number, slots) for number in range(count))


def _share(at: Series, holds: Flags, slots: Series) -> Series:
    """Mean of a step function over each slot, by its integral."""
    integral = np.concatenate([[0.0], np.cumsum(np.diff(at) * holds)])
    share: Series = np.diff(np.interp(slots, at, integral)) / np.diff(slots)
    return share


def _edges(
    horizon: Horizon, zone: tzinfo, steps_on: Callable[[date], Steps]
) -> Iterator[tuple[float, int]]:
    day = horizon.start.astimezone(zone).date() - _DAY
    last = horizon.end.astimezone(zone).date()
    while day <= last:
        begins, ends = midnight(day, zone).timestamp(), midnight(day + _DAY, zone).timestamp()
        steps = steps_on(day)
        if ends - begins == _DAY_S:
            yield from ((begins + 60.0 * minute, number) for minute, number in steps)
        else:
            yield from _by_the_clock(begins, ends, zone, steps)
        day += _DAY


def _by_the_clock(
    begins: float, ends: float, zone: tzinfo, steps: Steps
) -> Iterator[tuple[float, int]]:
    """Minute by minute, on a day on which clocks are set."""
    for second in np.arange(begins, ends, 60.0).tolist():
        local = datetime.fromtimestamp(second, zone)
        minute = 60 * local.hour + local.minute
        yield second, next(number for start, number in reversed(steps) if start <= minute)


def midnight(day: date, zone: tzinfo) -> datetime:
    """Where a local day begins, UTC."""
    return datetime.combine(day, time(0), tzinfo=zone).astimezone(UTC)
