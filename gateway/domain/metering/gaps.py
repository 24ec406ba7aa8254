"""Which intervals of a meter are missing, whatever the clocks do.

Intervals follow one another in UTC, so a local day has 96 quarters, 92 when clocks go forward and
100 when they go back; nothing is doubled and nothing left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.time import Interval
from gateway.domain.price.market import market_day


def intervals_of_day(day: date, zone: ZoneInfo, length: timedelta) -> Sequence[Interval]:
    """The meter intervals of one local day, from midnight to midnight."""
    return tuple(market_day(day, zone).split(length))


def aligned(start: datetime, length: timedelta) -> datetime:
    """The last multiple of a length since midnight UTC at or before an instant."""
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (start - midnight) // length * length


def missing(starts: Iterable[datetime], window: Interval, length: timedelta) -> Sequence[Interval]:
    """The stretches of a closed window, which begins with an interval, that nobody has told.

    Stretches that follow one another are joined; an interval that begins inside the window and
    ends after it is expected whole.

    Raises:
        ValueError: the window is open-ended.
    """
    known = frozenset(starts)
    joined: list[Interval] = []
    for piece in window.split(length):
        if piece.start in known:
            continue
        end = piece.start + length
        if joined and joined[-1].end == piece.start:
            joined[-1] = Interval(start=joined[-1].start, end=end)
        else:
            joined.append(Interval(start=piece.start, end=end))
    return joined
