"""Season, day, hours, blackout: when an event lies, on the wall of the program's zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from contracts.time import Interval
from gateway.domain.program.call import Call
from gateway.domain.program.finding import Effect, Finding, RuleKind
from gateway.domain.program.program import Program
from gateway.domain.program.rules import Outside
from gateway.domain.program.wall import days_of, local_day
from gateway.domain.program.window import uncovered


def calendar_findings(program: Program, call: Call) -> Iterator[Finding]:
    """What season, days, windows and blackouts say; the day of an event is that of its start."""
    day = local_day(call.window.start, program.zone)
    outside = list(_outside_of_days(program, call, day))
    yield from outside or _windows(program, call)
    yield from _blackouts(program, call)


def _outside_of_days(program: Program, call: Call, day: date) -> Iterator[Finding]:
    rules = program.rules
    tests = rules.tests
    seasons = tests.windows if call.test and tests and tests.windows else rules.seasons
    if seasons and not any(season.holds(day) for season in seasons):
        named = " or ".join(season.words for season in seasons)
        yield _outside(program, RuleKind.SEASON, f"{day} lies outside the season ({named})")
    if not rules.days.holds(day):
        yield _outside(program, RuleKind.DAY, f"{day} is none of: {rules.days.words}")


def _windows(program: Program, call: Call) -> Iterator[Finding]:
    rules = program.rules
    mine = tuple(one for one in rules.windows if one.concerns(call.networks))
    if not rules.windows:
        return
    named = "; ".join(window.words for window in mine) or "none for its networks"
    must = tuple(window for window in mine if window.mandatory)
    open_parts = uncovered(call.window, must, rules.days, program.zone)
    for part in open_parts:
        outside = uncovered(part, mine, rules.days, program.zone)
        if not outside:
            text = f"{_wall(part, program)} lies in a voluntary window ({named})"
            yield Finding(rule=RuleKind.WINDOW, effect=Effect.VOLUNTARY, text=text)
        for piece in outside:
            text = f"{_wall(piece, program)} lies outside the windows ({named})"
            yield _outside(program, RuleKind.WINDOW, text)


def _blackouts(program: Program, call: Call) -> Iterator[Finding]:
    rules = program.rules
    for day in days_of(call.window, program.zone):
        for one in rules.blackouts:
            if one.first <= day <= one.last:
                text = f"{day} lies in a blackout ({one.words})"
                yield Finding(rule=RuleKind.BLACKOUT, effect=Effect.BREACH, text=text)
        storm = rules.storms.storm_after(day) if rules.storms else None
        if storm is not None:
            text = f"{day} is kept free for the storm of {storm}"
            yield Finding(rule=RuleKind.BLACKOUT, effect=Effect.BREACH, text=text)


def _outside(program: Program, rule: RuleKind, text: str) -> Finding:
    voluntary = program.rules.outside is Outside.VOLUNTARY
    return Finding(rule=rule, effect=Effect.VOLUNTARY if voluntary else Effect.BREACH, text=text)


def _wall(span: Interval, program: Program) -> str:
    start = span.start.astimezone(program.zone)
    return f"{start:%Y-%m-%d %H:%M} to {_end(span.end or span.start, program)}"


def _end(end: datetime, program: Program) -> str:
    return f"{end.astimezone(program.zone):%H:%M}".replace("00:00", "24:00")
