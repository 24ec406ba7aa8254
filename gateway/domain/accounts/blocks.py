"""A window cut into what is over and can be kept, and the rest.

Local days that are over are one block each; of the running day each hour that is over is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.time import Interval
from gateway.domain.price.market import market_day

HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a window."""

    window: Interval
    block: bool
    """Whether it is one to keep: a whole local day that is over, or a whole hour of another."""


def pieces(window: Interval, zone: ZoneInfo, over: datetime) -> Iterator[Piece]:
    """A closed window in order; what ends after `over` is not over. They cover it without gaps."""
    end = window.end or window.start
    date, at = window.start.astimezone(zone).date(), window.start
    while at < end:
        day = market_day(date, zone)
        part = Interval(start=at, end=min(day.end or end, end))
        if part == day and (part.end or end) <= over:
            yield Piece(window=part, block=True)
        else:
            yield from _hours(part, over)
        at, date = part.end or end, date + _DAY


def _hours(part: Interval, over: datetime) -> Iterator[Piece]:
    """By whole hours of the clock, which every zone's days begin and end on a quarter of."""
    rest = part
    for hour in part.split(HOUR):
        if hour.duration != HOUR or (hour.end or over) > over:
            break
        yield Piece(window=hour, block=True)
        rest = Interval(start=hour.end or part.start, end=part.end)
    if rest.duration:
        yield Piece(window=rest, block=False)
