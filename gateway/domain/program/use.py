"""Counters of use: what a program has called of what it may call.

Calls become occasions: those that are one event by the program's rules (back to back, overlapping)
are joined. Everything is counted afresh from the history, so the order in which calls became known
does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contracts.time import Interval
from gateway.domain.program.call import Call, length
from gateway.domain.program.opting import OptOutRule
from gateway.domain.program.period import period_of
from gateway.domain.program.program import Program
from gateway.domain.program.quota import Per, Quota, Scope, Unit
from gateway.domain.program.rules import Rules
from gateway.domain.program.wall import local_day, span_of

_HOUR = timedelta(hours=1)
_NONE = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What counts as one event."""

    spans: tuple[Interval, ...]
    """In order; they overlap where several are counted apart."""
    keys: frozenset[str]
    test: bool

    @property
    def start(self) -> datetime:
        """Its local day is the one the event counts on."""
        return self.spans[0].start

    def within(self, period: Interval) -> timedelta:
        """How much of it lies in a period."""
        parts = (span.intersection(period) for span in self.spans)
        return sum((length(part) for part in parts if part is not None), _NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """One quota and how much of it is used in one period."""

    quota: Quota
    of: str
    """The network or site it is counted for; empty: the program."""
    first: date
    last: date
    used: float
    """Events, or hours."""

    @property
    def left(self) -> float:
        """What may still be called, >= 0."""
        return max(0.0, self.quota.limit - self.used)


def occasions(calls: Iterable[Call], rules: Rules, now: datetime) -> tuple[Occasion, ...]:
    """The calls that count, joined where several are one event, in order of time."""
    counted = [(call.counted(rules.counting, now), call) for call in calls]
    ordered = sorted(
        ((span, call) for span, call in counted if span is not None),
        key=lambda one: (one[0].start, one[1].event_key),
    )
    done: list[list[tuple[Interval, Call]]] = []
    near: list[list[tuple[Interval, Call]]] = []
    for span, call in ordered:
        reach = span.start - rules.back_to_back.gap
        done += [group for group in near if _end(group) < reach]
        near = [group for group in near if _end(group) >= reach]
        mine = [group for group in near if any(_one(rules, other, span) for other, _ in group)]
        near = [group for group in near if group not in mine]
        near.append([part for group in mine for part in group] + [(span, call)])
    return tuple(sorted((_occasion(group, rules) for group in done + near), key=lambda o: o.start))


def used(quota: Quota, period: Interval, among: Iterable[Occasion]) -> float:
    """Events that begin in a period, or hours that lie in it."""
    counting = [one for one in among if quota.tests_count or not one.test]
    if quota.unit is Unit.EVENTS:
        return float(sum(one.start in period for one in counting))
    return sum((one.within(period) for one in counting), _NONE) / _HOUR


def of_scope(scope: Scope, calls: Sequence[Call], mine: Call) -> Iterator[tuple[str, list[Call]]]:
    """`(name, calls)` of each network or site that a call concerns; calls hold the call itself.

    Sites with the same history are named once together.
    """
    every = [*calls, mine]
    if scope is Scope.NETWORK and mine.networks:
        for network in sorted(mine.networks):
            yield network, [call for call in every if network in call.networks]
    elif scope is Scope.RESOURCE and mine.sites:
        alike: dict[tuple[int, ...], list[str]] = {}
        for site in sorted(mine.sites):
            touched = tuple(i for i, call in enumerate(every) if site in call.sites)
            alike.setdefault(touched, []).append(site)
        for touched, sites in alike.items():
            yield _names(sites), [every[i] for i in touched]
    else:
        yield "", every


def limits(program: Program) -> list[Quota]:
    """The quotas that hold for us: those of a product only when it is the one we chose."""
    return [one for one in program.rules.quotas if one.product in ("", program.product)]


def counters(program: Program, history: Sequence[Call], now: datetime) -> tuple[Counter, ...]:
    """Every quota of the program in the periods that hold `now`, by network and site."""
    rules, zone = program.rules, program.zone
    found = []
    for quota in limits(program):
        period = period_of(quota.per, local_day(now, zone), rules)
        if period is None:
            continue
        for name, calls in _parts(quota.scope, history):
            spent = used(quota, span_of(*period, zone), occasions(calls, rules, now))
            found.append(Counter(quota=quota, of=name, first=period[0], last=period[1], used=spent))
    return tuple(found)


def opt_outs_used(
    program: Program, rule: OptOutRule, history: Iterable[Call], day: date
) -> int | None:
    """How many events of the period of a day we opted out of; None: it lies in no season."""
    period = period_of(rule.per, day, program.rules)
    if period is None:
        return None
    span = span_of(*period, program.zone)
    return sum(
        call.window.start in span and not (call.accepted or call.cancelled) for call in history
    )


def starting(calls: Iterable[Call], per: Per, at: datetime, program: Program) -> list[Call]:
    """Those that begin in the same period as an instant, cancelled ones and our opt-outs apart."""
    period = period_of(per, local_day(at, program.zone), program.rules)
    if period is None:
        return []
    span = span_of(*period, program.zone)
    live = (call for call in calls if call.accepted and not (call.cancelled or call.standby))
    return [call for call in live if call.window.start in span]


def _parts(scope: Scope, history: Sequence[Call]) -> Iterator[tuple[str, list[Call]]]:
    """`(name, calls)` of each network or site that the history knows."""
    if scope is Scope.PROGRAM:
        yield "", list(history)
        return
    named = [(call, call.networks if scope is Scope.NETWORK else call.sites) for call in history]
    for name in sorted({name for _, names in named for name in names}):
        yield name, [call for call, names in named if name in names]


def _one(rules: Rules, earlier: Interval, later: Interval) -> bool:
    """Whether two spans are one event; the second does not begin before the first."""
    assert earlier.end is not None  # noqa: S101 (spans that count are closed)
    gap = later.start - earlier.end
    if gap < _NONE:
        return rules.counting.overlapping_as_one
    return rules.back_to_back.one_event and gap <= rules.back_to_back.gap


def _occasion(group: list[tuple[Interval, Call]], rules: Rules) -> Occasion:
    spans = sorted((span for span, _ in group), key=lambda span: span.start)
    return Occasion(
        spans=tuple(_union(spans) if rules.counting.overlapping_as_one else spans),
        keys=frozenset(call.event_key for _, call in group),
        test=all(call.test for _, call in group),
    )


def _union(spans: Iterable[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for span in spans:
        last = merged[-1] if merged else None
        if last is not None and last.end is not None and span.start <= last.end:
            end = max(last.end, span.end or last.end)
            merged[-1] = Interval(start=last.start, end=end)
        else:
            merged.append(span)
    return merged


def _end(group: list[tuple[Interval, Call]]) -> datetime:
    return max(span.end or span.start for span, _ in group)


def _names(sites: Sequence[str]) -> str:
    shown = ", ".join(sites[:3])
    return shown if len(sites) <= 3 else f"{shown} and {len(sites) - 3} more"  # noqa: PLR2004
