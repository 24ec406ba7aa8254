"""What a utility calls in a season, drawn by seed: mostly by its rules, sometimes against them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.event import EventSource, GridEvent, Signal, SignalKind
from gateway.domain.portfolio import Portfolio
from gateway.domain.program.wall import instant_of
from gridyard.simulate.season.enrolled import CAPACITY, EMERGENCY, ENERGY, PRIORITIES, UTILITY

_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_STEP = 5 * _MINUTE
_LEVEL = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How one program calls; probabilities are per day or per event."""

    per_day: float
    months: frozenset[int]
    weekends: bool
    first_hour: int
    last_hour: int
    hours: tuple[int, ...]
    """Of an event; drawn alike, the last is against the rules."""
    told_before: timedelta | None
    """None: the day before at 14:00, or too late at 19:00."""
    share: float = 0.0
    """Of what is promised, as a change of load; 0: by level."""


_SUMMER = frozenset(range(5, 11))
HABITS = {
    CAPACITY: Habit(
        per_day=0.55,
        months=_SUMMER,
        weekends=False,
        first_hour=17,
        last_hour=17,
        hours=(2, 3, 3, 3, 4, 5),
        told_before=None,
    ),
    EMERGENCY: Habit(
        per_day=0.06,
        months=frozenset(range(1, 13)),
        weekends=True,
        first_hour=0,
        last_hour=22,
        hours=(1, 2, 3, 4, 6, 7),
        told_before=35 * _MINUTE,
        share=0.9,
    ),
    ENERGY: Habit(
        per_day=0.25,
        months=_SUMMER,
        weekends=True,
        first_hour=16,
        last_hour=17,
        hours=(1, 2, 2, 3, 3, 6),
        told_before=None,
        share=0.7,
    ),
}
_LATE, _CHANGED, _CANCELLED, _AGAIN, _OFF_SEASON = 0.1, 0.12, 0.08, 0.2, 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the utility says at an instant."""

    at: datetime
    event: GridEvent


def drawn(portfolio: Portfolio, first: date, months: int, seed: int) -> tuple[Told, ...]:
    """Everything told in so many months from a first day, in order of time."""
    found: list[Told] = []
    for number, (name, habit) in enumerate(HABITS.items()):
        draw = np.random.default_rng((seed, number))
        program = portfolio.program(name)
        assert program is not None  # noqa: S101 (the portfolio is made of these)
        promised_w = sum(portfolio.nominations(name).values())
        for day in _days(first, months):
            for again in range(_calls(habit, day, draw)):
                key = f"{name}-{day:%Y%m%d}-{again}"
                found += _course(name, key, habit, day, program.zone, promised_w, draw)
    return tuple(sorted(found, key=lambda one: (one.at, one.event.key, one.event.modification)))


def last_day(first: date, months: int) -> date:
    """The day after so many months."""
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _days(first: date, months: int) -> Iterator[date]:
    end = last_day(first, months)
    for ordinal in range(first.toordinal(), end.toordinal()):
        yield date.fromordinal(ordinal)


def _calls(habit: Habit, day: date, draw: np.random.Generator) -> int:
    """How often it calls on a day."""
    usual = day.month in habit.months and (habit.weekends or day.weekday() < 5)  # noqa: PLR2004
    if draw.random() >= (habit.per_day if usual else _OFF_SEASON):
        return 0
    return 1 + int(draw.random() < _AGAIN)


def _course(
    name: str,
    key: str,
    habit: Habit,
    day: date,
    zone: ZoneInfo,
    promised_w: float,
    draw: np.random.Generator,
) -> Iterator[Told]:
    """One event from its first notice to its last change."""
    hour = int(draw.integers(habit.first_hour, habit.last_hour + 1))
    start = instant_of(day, hour * 60 + int(draw.choice((0, 30))), zone)
    lasts = int(draw.choice(habit.hours)) * _HOUR
    late = draw.random() < _LATE
    if habit.told_before is None:
        at = instant_of(day - _DAY, (19 if late else 14) * 60, zone)
    else:
        at = start - (10 * _MINUTE if late else habit.told_before)
    share = habit.share * float(draw.uniform(0.6, 1.2))
    event = _event(name, key, at, Interval.lasting(start, lasts), share * promised_w)
    yield Told(at=at, event=event)
    if draw.random() < _CHANGED:
        longer = lasts + int(draw.choice((-1, 1))) * _HOUR / 2
        changed = _event(name, key, at, Interval.lasting(start, longer), 0.9 * share * promised_w)
        yield Told(at=_amid(at, event.window, draw), event=replace(changed, modification=1))
    elif draw.random() < _CANCELLED:
        cancelled = replace(event, modification=1, cancelled=True)
        yield Told(at=_amid(at, event.window, draw), event=cancelled)


def _amid(at: datetime, window: Interval, draw: np.random.Generator) -> datetime:
    """Some time between the notice and shortly before the end."""
    end = (window.end or window.start) - 31 * _MINUTE
    return at + int(draw.integers(1, max(2, (end - at) // _STEP))) * _STEP


def _event(name: str, key: str, at: datetime, window: Interval, share_w: float) -> GridEvent:
    kind, value = (SignalKind.DELTA_W, -share_w) if share_w else (SignalKind.LEVEL, _LEVEL)
    return GridEvent(
        utility_id=UTILITY,
        event_id=key,
        modification=0,
        program_id=name,
        created_at=at,
        window=window,
        signals=(Signal(kind=kind, series=StepSeries.of([(window, value)])),),
        priority=PRIORITIES[name],
        source=EventSource.API,
    )
