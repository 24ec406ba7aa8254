"""A time zone as ESPI tells it: offset, and when daylight saving begins and ends, as bit maps.

NAESB REQ.21 (ESPI), type DstRuleType, 32 bits in hexadecimal: seconds of the hour in bits 0-11,
hour 12-16, day of the week 17-19 (Monday 1), day of the month 20-24, operator 25-27, month 28-31.
Operators: 0 on the day of the month; 1 on the weekday on or after it; 2 to 6 the first to fifth
such weekday of the month; 7 the last. The hour is that of the wall clock just before the change.
0xFFFFFFFF: no daylight saving.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

NO_RULE = "FFFFFFFF"
_ON_DAY, _ON_OR_AFTER, _FIRST, _LAST = 0, 1, 2, 7
_YEARS_AHEAD = 8
"""Over so many years a rule must hold; tells the fourth Sunday of a month from the last."""
_WEEK = 7
_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTime:
    """What `LocalTimeParameters` holds; offsets in seconds, east of UTC positive."""

    tz_offset_s: int
    """Without daylight saving."""
    dst_offset_s: int
    """What daylight saving adds; 0: there is none."""
    start_rule: str
    end_rule: str


def local_time(zone: ZoneInfo, year: int) -> LocalTime:
    """Of a zone in one year.

    A year with other than one change forward and one back has no rule: its offset is that of its
    first day.
    """
    changes = _changes(zone, year)
    ahead = [one for one in changes if one.forward]
    back = [one for one in changes if not one.forward]
    if len(ahead) != 1 or len(back) != 1:
        offset = _offset(zone, datetime(year, 1, 1, tzinfo=UTC))
        return LocalTime(
            tz_offset_s=int(offset.total_seconds()),
            dst_offset_s=0,
            start_rule=NO_RULE,
            end_rule=NO_RULE,
        )
    years = [_changes(zone, year + n) for n in range(_YEARS_AHEAD)]
    return LocalTime(
        tz_offset_s=int(ahead[0].before.total_seconds()),
        dst_offset_s=int((back[0].before - ahead[0].before).total_seconds()),
        start_rule=_rule(ahead[0], [c for found in years for c in found if c.forward]),
        end_rule=_rule(back[0], [c for found in years for c in found if not c.forward]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """One change of a zone's offset."""

    wall: datetime
    """What the clock would have shown without it, naive."""
    before: timedelta
    after: timedelta

    @property
    def forward(self) -> bool:
        return self.after > self.before


def _changes(zone: ZoneInfo, year: int) -> list[_Change]:
    """Of one year of UTC, in order."""
    found, day = [], datetime(year, 1, 1, tzinfo=UTC)
    while day.year == year:
        if _offset(zone, day) != _offset(zone, day + _DAY):
            at = _between(zone, day, day + _DAY)
            before = _offset(zone, at - _SECOND)
            wall = (at + before).replace(tzinfo=None)
            found.append(_Change(wall=wall, before=before, after=_offset(zone, at)))
        day += _DAY
    return found


def _between(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first second with the later offset."""
    first = _offset(zone, low)
    while high - low > _SECOND:
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        low, high = (middle, high) if _offset(zone, middle) == first else (low, middle)
    return high


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


def _rule(now: _Change, years: Sequence[_Change]) -> str:
    """By the operator that holds in all the years; else for this year alone."""
    wall = now.wall
    same = [c.wall for c in years if (c.wall.month, c.wall.time()) == (wall.month, wall.time())]
    if len(same) < len(years) or any(w.weekday() != wall.weekday() for w in same):
        return _bits(wall, _ON_DAY, day=wall.day, weekday=0)
    weekday = wall.weekday() + 1
    if all((w + timedelta(days=_WEEK)).month != w.month for w in same):
        return _bits(wall, _LAST, day=0, weekday=weekday)
    nth = {(w.day - 1) // _WEEK for w in same}
    if len(nth) == 1:
        return _bits(wall, _FIRST + nth.pop(), day=0, weekday=weekday)
    days = [w.day for w in same]
    if max(days) - min(days) < _WEEK:
        return _bits(wall, _ON_OR_AFTER, day=min(days), weekday=weekday)
    return _bits(wall, _ON_DAY, day=wall.day, weekday=0)


def _bits(wall: datetime, operator: int, *, day: int, weekday: int) -> str:
    seconds = wall.minute * 60 + wall.second
    value = (
        wall.month << 28 | operator << 25 | day << 20 | weekday << 17 | wall.hour << 12 | seconds
    )
    return f"{value:08X}"
