"""What a statement is for: a month, or a season of a program."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from contracts.time import Interval
from gateway.domain.program.season import Season, on
from gateway.domain.program.wall import span_of

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_SEASON = re.compile(r"(\d{4})-(.+)")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPeriod:
    """From `first` to `last`, local dates, both included."""

    name: str
    """`2026-10`, or the year a season begins in and its name: `2026-summer`."""
    first: date
    last: date
    season: bool = False

    def span(self, zone: ZoneInfo) -> Interval:
        """As instants of a program's wall clock; 23 or 25 hours on a day of clock change."""
        return span_of(self.first, self.last, zone)

    def months(self) -> Iterator[date]:
        """The first day of every month it touches."""
        day = self.first.replace(day=1)
        while day <= self.last:
            yield day
            day = next_month(day)


def period_named(name: str, seasons: Sequence[Season] = ()) -> StatementPeriod:
    """The period of this name.

    Raises:
        ValueError: it is neither a month such as 2026-10 nor one of the seasons.
    """
    if found := _MONTH.fullmatch(name):
        first = date(max(1, int(found[1])), int(found[2]), 1)
        return StatementPeriod(name=name, first=first, last=next_month(first) - _DAY)
    if found := _SEASON.fullmatch(name):
        season = next((one for one in seasons if one.name == found[2]), None)
        if season is not None:
            first, last = season.around(on(season.first, max(1, int(found[1]))))
            return StatementPeriod(name=name, first=first, last=last, season=True)
    known = ", ".join(f"2026-{one.name}" for one in seasons)
    or_season = f", or a season such as {known}" if known else ""
    raise ValueError(f"{name!r} is no period: give a month such as 2026-10{or_season}")


def season_ending_in(period: StatementPeriod, seasons: Sequence[Season]) -> Season | None:
    """The season whose last day lies in a month, or that the period itself is."""
    for season in seasons:
        ends = on(season.last, period.last.year)
        if period.first <= ends <= period.last and (not period.season or _is(period, season)):
            return season
    return None


def next_month(day: date) -> date:
    """The first day of the next month."""
    return (day.replace(day=28) + 4 * _DAY).replace(day=1)


def _is(period: StatementPeriod, season: Season) -> bool:
    return period.name.endswith(f"-{season.name}")
