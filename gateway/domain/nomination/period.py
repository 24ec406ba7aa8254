"""For when a quantity is promised, by when it must be told, and in which hours it may be called.

Everything is on the wall of the program's zone: a day of a clock change has 23 or 25 hours, and
none of its hours is lost or doubled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contracts.time import Interval
from gateway.domain.curves import merged
from gateway.domain.program.nominating import NominationRule, WeekPart
from gateway.domain.program.period import period_of
from gateway.domain.program.program import Program
from gateway.domain.program.quota import Per
from gateway.domain.program.wall import days_of, local_day, span_of
from gateway.domain.program.window import CallWindow, uncovered

_DAY = timedelta(days=1)
_LOOK_AHEAD = 800
"""Days in which the next open period is looked for: more than two years."""
LONGEST = timedelta(days=3660)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One period of a program."""

    label: str
    """`2026-07` for a month, `2026-07-01` for a day, else `first_last`."""
    interval: Interval
    gate: datetime
    """From then on nothing can be told."""
    stated: bool
    """False: the program states no gate, so the period's start stands for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Hours of a period that have one quantity."""

    name: str
    """Of the part of the week, or its local hours; empty: all that may be called."""
    hours: tuple[Interval, ...]


def period_on(program: Program, rule: NominationRule, day: date) -> Period | None:
    """The period that a local day lies in; None: it lies in none, or a contract's dates count."""
    if rule.period is None or (rule.period is Per.TERM and not program.rules.terms):
        return None
    dates = period_of(rule.period, day, program.rules)
    return None if dates is None else between(program, rule, *dates)


def between(program: Program, rule: NominationRule, first: date, last: date) -> Period:
    """The period from one local day to another, both included.

    Raises:
        ValueError: it ends before it begins, or lasts longer than ten years.
    """
    if not timedelta(0) <= last - first <= LONGEST:
        raise ValueError("a period ends on or after its first day, and within ten years")
    interval = span_of(first, last, program.zone)
    gate = interval.start
    if rule.gate is not None:
        gate = rule.gate.deadline(interval.start, program.rules.days, program.zone)
    return Period(
        label=_label(rule.period, first, last),
        interval=interval,
        gate=gate,
        stated=rule.gate is not None,
    )


def next_open(program: Program, rule: NominationRule, now: datetime) -> Period | None:
    """The first period whose gate is still open and in which the program may call at all."""
    day = local_day(now, program.zone)
    last = day + _LOOK_AHEAD * _DAY
    while day <= last:
        found = period_on(program, rule, day)
        if found is None:
            day += _DAY
            continue
        if found.gate > now and callable_hours(program, found.interval):
            return found
        assert found.interval.end is not None  # noqa: S101 (made of two dates)
        day = local_day(found.interval.end, program.zone)
    return None


def callable_hours(program: Program, interval: Interval) -> tuple[Interval, ...]:
    """When the program may call inside an interval, in order: its seasons, days and windows.

    Windows in which taking part is by choice do not count where there are others.
    """
    rules = program.rules
    firm = tuple(one for one in rules.windows if one.mandatory) or (CallWindow(),)
    found = [
        piece
        for day in _days_with_eve(interval, program)
        if (not rules.seasons or any(one.holds(day) for one in rules.seasons))
        and rules.days.holds(day)
        for window in firm
        if (hours := window.on(day, rules.days, program.zone)) is not None
        and (piece := hours.intersection(interval)) is not None
    ]
    return merged(found)


def slots(program: Program, rule: NominationRule, period: Period) -> tuple[Slot, ...]:
    """What has a quantity of its own in a period, in order."""
    hours = callable_hours(program, period.interval)
    if rule.resolution is not None:
        pieces = (piece for one in hours for piece in one.split(rule.resolution))
        return tuple(Slot(name=_local(piece, program), hours=(piece,)) for piece in pieces)
    if rule.parts:
        return tuple(_parts(program, rule, hours))
    return (Slot(name="", hours=hours),) if hours else ()


def _parts(program: Program, rule: NominationRule, hours: tuple[Interval, ...]) -> Iterator[Slot]:
    windows = tuple(one.window for one in rule.parts if not one.rest)
    days, zone = program.rules.days, program.zone
    daily = [piece for one in hours for piece in _by_day(one, program)]
    for part in rule.parts:
        inside = [
            piece
            for one in (daily if part.rest else hours)
            for piece in (
                uncovered(one, windows, days, zone) if part.rest else _inside(program, one, part)
            )
        ]
        if inside:
            yield Slot(name=part.name, hours=merged(inside))


def _by_day(hours: Interval, program: Program) -> Iterator[Interval]:
    for day in days_of(hours, program.zone):
        piece = span_of(day, day, program.zone).intersection(hours)
        if piece is not None:
            yield piece


def _inside(program: Program, hours: Interval, part: WeekPart) -> Iterator[Interval]:
    for day in _days_with_eve(hours, program):
        found = part.window.on(day, program.rules.days, program.zone)
        piece = None if found is None else found.intersection(hours)
        if piece is not None:
            yield piece


def _days_with_eve(interval: Interval, program: Program) -> Iterator[date]:
    """Its local days, and the one before: a window may begin on that and end in the interval."""
    first, *others = days_of(interval, program.zone)
    yield from (first - _DAY, first, *others)


def _label(per: Per | None, first: date, last: date) -> str:
    if per is Per.MONTH:
        return f"{first:%Y-%m}"
    return f"{first}" if first == last else f"{first}_{last}"


def _local(piece: Interval, program: Program) -> str:
    start = piece.start.astimezone(program.zone)
    end = (piece.end or piece.start).astimezone(program.zone)
    again = " again" if start.fold else ""
    return f"{start:%H:%M}-{end:%H:%M}{again}"
