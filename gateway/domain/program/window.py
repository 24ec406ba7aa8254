"""Hours in which a program may call, by day, month and network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from contracts.days import EVERY_DAY, WEEKDAYS, WEEKENDS
from contracts.time import Interval
from gateway.domain.program.season import DayClass
from gateway.domain.program.source import Source
from gateway.domain.program.wall import (
    DAY_MINUTES,
    checked_minute,
    clock,
    days_of,
    instant_of,
    month_name,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWindow:
    """From `start` to `end` on the wall of the program's zone.

    An `end` at or before `start` lies on the next day; the window then belongs to the day on which
    it begins. 1440 (24:00) ends the day.
    """

    start: int = 0
    end: int = DAY_MINUTES
    months: frozenset[int] = frozenset()
    """1-12; empty: all."""
    kinds: frozenset[int] = EVERY_DAY
    networks: frozenset[str] = frozenset()
    """Network groups it holds for; empty: all."""
    mandatory: bool = True
    """False: who takes part in it does so by choice."""
    source: Source | None = None

    def __post_init__(self) -> None:
        checked_minute(self.start, "start")
        checked_minute(self.end, "end")
        if not all(1 <= month <= 12 for month in self.months):  # noqa: PLR2004 (of a year)
            raise ValueError("months: a month is a number from 1 to 12")

    def concerns(self, networks: frozenset[str]) -> bool:
        """Whether it holds for calls of these networks."""
        return not self.networks or networks <= self.networks

    def on(self, day: date, days: DayClass, zone: ZoneInfo) -> Interval | None:
        """The window that begins on a day, as instants."""
        if (self.months and day.month not in self.months) or days.kind(day) not in self.kinds:
            return None
        end = self.end if self.end > self.start else self.end + DAY_MINUTES
        start = instant_of(day, self.start, zone)
        return Interval(start=start, end=max(start, instant_of(day, end, zone, fold=1)))

    @property
    def words(self) -> str:
        """`16:00 to 21:00 in Jun, Jul, voluntary, network: A`."""
        parts = [f"{clock(self.start)} to {clock(self.end)}"]
        if self.end <= self.start:
            parts[0] += " of the next day"
        if self.kinds != EVERY_DAY:
            names = {WEEKDAYS: "on weekdays", WEEKENDS: "on weekends and holidays"}
            parts[0] += " " + names.get(self.kinds, "on some days")
        if self.months:
            parts[0] += " in " + ", ".join(month_name(month) for month in sorted(self.months))
        if self.networks:
            parts.append("networks " + ", ".join(sorted(self.networks)))
        if not self.mandatory:
            parts.append("voluntary")
        return ", ".join(parts)


def uncovered(
    call: Interval, windows: tuple[CallWindow, ...], days: DayClass, zone: ZoneInfo
) -> tuple[Interval, ...]:
    """The parts of a call that none of the windows covers; of an open-ended one, of its start."""
    whole = call if call.end else Interval.lasting(call.start, timedelta(microseconds=1))
    left = [whole]
    for piece in _pieces(whole, windows, days, zone):
        left = [rest for one in left for rest in _less(one, piece)]
    return tuple(left)


def _pieces(
    call: Interval, windows: tuple[CallWindow, ...], days: DayClass, zone: ZoneInfo
) -> Iterator[Interval]:
    eve = next(days_of(call, zone)) - timedelta(days=1)
    for day in (eve, *days_of(call, zone)):
        for window in windows:
            found = window.on(day, days, zone)
            if found is not None and found.overlaps(call):
                yield found


def _less(one: Interval, piece: Interval) -> Iterator[Interval]:
    """What is left of an interval once a piece is taken out of it."""
    assert one.end is not None  # noqa: S101 (made of closed ones only)
    assert piece.end is not None  # noqa: S101
    if not one.overlaps(piece):
        yield one
        return
    if one.start < piece.start:
        yield Interval(start=one.start, end=piece.start)
    if piece.end < one.end:
        yield Interval(start=piece.end, end=one.end)
