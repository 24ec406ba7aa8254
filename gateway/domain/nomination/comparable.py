"""Which past hours say what a slot of a coming period can give.

Comparable are the same local hours on days of the same type: working days, or days off by the
program's own calendar. A slot that holds on both types must hold on either, so both are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from contracts.days import WEEKDAYS
from contracts.time import Interval
from gateway.domain.nomination.history import HOUR, whole_hour
from gateway.domain.nomination.period import Slot
from gateway.domain.program.program import Program
from gateway.domain.program.wall import local_day, span_of

Cell = tuple[int, int]
"""Local hour and minute at which a whole hour begins."""


class DayKind(StrEnum):
    """Type of a day."""

    WORKING = "working day"
    OFF = "day off"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDay:
    """A past day with the hours of it that are comparable."""

    day: date
    kind: DayKind
    hours: tuple[datetime, ...]
    """Starts, UTC."""


def kind_of(day: date, program: Program) -> DayKind:
    """The type of a local day, by the program's own holidays."""
    return DayKind.WORKING if program.rules.days.kind(day) in WEEKDAYS else DayKind.OFF


def cells(slot: Slot, program: Program) -> Mapping[DayKind, frozenset[Cell]]:
    """By type of day, the local hours that a slot touches."""
    found: dict[DayKind, set[Cell]] = {}
    for start in hours_of(slot):
        local = start.astimezone(program.zone)
        found.setdefault(kind_of(local.date(), program), set()).add((local.hour, local.minute))
    return {kind: frozenset(held) for kind, held in found.items()}


def hours_of(slot: Slot) -> Iterator[datetime]:
    """Starts of the whole hours (UTC) that a slot touches."""
    for one in slot.hours:
        yield from _whole_hours(one)


def past_days(
    wanted: Mapping[DayKind, frozenset[Cell]], program: Program, now: datetime, look_back: timedelta
) -> tuple[PastDay, ...]:
    """The comparable days up to yesterday, newest first."""
    today = local_day(now, program.zone)
    found = []
    for back in range(1, look_back.days + 1):
        day = today - timedelta(days=back)
        kind = kind_of(day, program)
        hours = tuple(_of_day(day, wanted.get(kind, frozenset()), program))
        if hours:
            found.append(PastDay(day=day, kind=kind, hours=hours))
    return tuple(found)


def needed(
    slots: Iterable[Slot], program: Program, now: datetime, look_back: timedelta
) -> frozenset[datetime]:
    """Every past hour that says something of one of these slots."""
    return frozenset(
        start
        for slot in slots
        for day in past_days(cells(slot, program), program, now, look_back)
        for start in day.hours
    )


def _of_day(day: date, held: frozenset[Cell], program: Program) -> Iterator[datetime]:
    for start in _whole_hours(span_of(day, day, program.zone)):
        local = start.astimezone(program.zone)
        if local.date() == day and (local.hour, local.minute) in held:
            yield start


def _whole_hours(interval: Interval) -> Iterator[datetime]:
    start = whole_hour(interval.start)
    while interval.end is not None and start < interval.end:
        yield start
        start += HOUR
