"""Quotas, days in a row, back to back, opt-outs: what the history makes of an event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from gateway.domain.program.call import Call, closed
from gateway.domain.program.finding import Effect, Finding, RuleKind
from gateway.domain.program.period import period_of
from gateway.domain.program.program import Program
from gateway.domain.program.quota import MaxInRow, Quota
from gateway.domain.program.use import Occasion, limits, occasions, of_scope, opt_outs_used, used
from gateway.domain.program.wall import days_of, local_day, span_of

_DAY = timedelta(days=1)
_ROUNDING = 1e-9


def count_findings(
    program: Program, call: Call, history: Sequence[Call], now: datetime
) -> Iterator[Finding]:
    """Every limit that the event would exceed if it were accepted."""
    if call.standby:
        return
    near = _relevant(history, call)
    for quota in limits(program):
        yield from _quota(program, quota, call, near, now)
    for rule in program.rules.in_row:
        yield from _in_row(program, rule, call, near, now)
    yield from _back_to_back(program, call, near, now)
    yield from _opt_outs(program, call, near)


def _relevant(history: Sequence[Call], call: Call) -> list[Call]:
    """Other events; earlier modifications of this one do not count."""
    return [one for one in history if one.event_key != call.event_key]


def _quota(
    program: Program, quota: Quota, call: Call, history: Sequence[Call], now: datetime
) -> Iterator[Finding]:
    if call.test and not quota.tests_count:
        return
    for of, calls in of_scope(quota.scope, history, call):
        among = occasions(calls, program.rules, now)
        for first, last in _periods(program, quota, call, among):
            spent = used(quota, span_of(first, last, program.zone), among)
            if spent > quota.limit + _ROUNDING:
                whose = f" of {of}" if of else ""
                text = (
                    f"{spent:g} {quota.unit.value}{whose} with it from {first} to {last}; "
                    f"{quota.words}"
                )
                yield Finding(rule=RuleKind.QUOTA, effect=Effect.BREACH, text=text)


def _periods(
    program: Program, quota: Quota, call: Call, among: Sequence[Occasion]
) -> list[tuple[date, date]]:
    """The periods in which the event may change the count."""
    mine = [one for one in among if call.event_key in one.keys]
    days = {day for one in mine for span in one.spans for day in days_of(span, program.zone)}
    found = {period_of(quota.per, day, program.rules) for day in days}
    return sorted(period for period in found if period is not None)


def _in_row(
    program: Program, rule: MaxInRow, call: Call, history: Sequence[Call], now: datetime
) -> Iterator[Finding]:
    if call.test and not rule.tests_count:
        return
    for of, calls in of_scope(rule.scope, history, call):
        counted = [
            o for o in occasions(calls, program.rules, now) if rule.tests_count or not o.test
        ]
        row = _row({local_day(o.start, program.zone) for o in counted}, call, program)
        if row > rule.days:
            text = f"day {row} in a row{f' for {of}' if of else ''}; {rule.words}"
            yield Finding(rule=RuleKind.IN_ROW, effect=Effect.BREACH, text=text)


def _row(days: set[date], call: Call, program: Program) -> int:
    """Length of the run of days with events that holds the event's day."""
    day = local_day(call.window.start, program.zone)
    first = last = day
    while first - _DAY in days:
        first -= _DAY
    while last + _DAY in days:
        last += _DAY
    return (last - first).days + 1


def _back_to_back(
    program: Program, call: Call, history: Sequence[Call], now: datetime
) -> Iterator[Finding]:
    rule = program.rules.back_to_back
    mine = closed(call.window, now)
    for other in history:
        span = other.counted(program.rules.counting, now)
        shared = call.networks & other.networks or not (call.networks and other.networks)
        if span is None or span.end is None or mine.end is None or not shared:
            continue
        after, before = mine.start - span.end, span.start - mine.end
        if not (timedelta(0) <= after <= rule.gap or timedelta(0) <= before <= rule.gap):
            continue
        if not rule.allowed:
            text = f"too near to {other.event_key}; {rule.words}"
            yield Finding(rule=RuleKind.BACK_TO_BACK, effect=Effect.BREACH, text=text)
        elif after >= timedelta(0):
            text = (
                f"it follows {other.event_key} at once ({rule.words}): "
                "its adjustment window lies in that event"
            )
            yield Finding(rule=RuleKind.BACK_TO_BACK, effect=Effect.NOTE, text=text)


def _opt_outs(program: Program, call: Call, history: Sequence[Call]) -> Iterator[Finding]:
    day = local_day(call.window.start, program.zone)
    for rule in program.rules.opt_outs:
        count = opt_outs_used(program, rule, history, day)
        if count is not None and count >= rule.count:
            text = f"{count} of {rule.words} are used: opting out has a price"
            yield Finding(rule=RuleKind.OPT_OUT, effect=Effect.NOTE, text=text)
