"""One kW, one promise: who is served first where several events want the same site.

::

    emergency before economic            the program says so
    capacity before energy               capacity pay or a penalty: a promise that was paid for
    the program's own precedence         set by the operator
    the event's priority                 1 before 2 ... before 0 (OpenADR 2.0b)
    first come                           within a program the newest event replaces older ones

Operating envelopes stand above all of it: sites hold them whatever events ask. What a stronger
event was given at a site is no longer there for a weaker one: it is counted from the load that the
stronger leaves. Order: design section 7, programs note section 2 (Exclusivity).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from itertools import groupby
from math import inf

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.event import GridEvent
from gateway.domain.flexibility import SiteFlexibility
from gateway.domain.program.joining import Beside
from gateway.domain.program.program import Program
from gateway.domain.timeline import Claim, TimelineEntry, holds, layered, precedence
from gateway.domain.words import kw

_Place = tuple[bool, bool, int, float, datetime, str, tuple[float, float, str]]
_NEVER = datetime.min.replace(tzinfo=UTC)
_FOREVER = datetime.max.replace(tzinfo=UTC)
_NAMED = 20
"""Sites named in a sentence."""
Given = Mapping[str, Mapping[str, StepSeries]]
"""Reduction that events were given, W, by event key and site id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A claim with what decides its place."""

    claim: Claim
    program: Program
    told_at: datetime
    """When the event first came in."""

    @property
    def event(self) -> GridEvent:
        """The event."""
        return self.claim.event


class Fit(StrEnum):
    """How the events of two programs go together at one site."""

    NOT = "not"
    EXPORT_ONLY = "export_only"
    """The weaker may take only what goes below no import at all."""
    TOGETHER = "together"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What an event was given at one site."""

    event_key: str
    program_name: str
    reduction: StepSeries
    """W, > 0."""
    fit: Fit = Fit.TOGETHER


def strongest_first(contenders: Iterable[Contender]) -> tuple[Contender, ...]:
    """In the order in which they are served; a total order, whatever the order of arrival."""
    every = tuple(contenders)
    came = dict(_first_come(every))

    def place(one: Contender) -> _Place:
        program = one.program
        return (
            not program.emergency,
            not program.firm,
            program.precedence,
            one.event.priority or inf,
            came[one.event.key],
            program.program_id,
            precedence(one.event),
        )

    return tuple(sorted(every, key=place))


def fit(one: Program, other: Program) -> Fit:
    """How events of two programs go together; both programs' rules count, the strictest holds.

    Programs that ask for the same aggregator go together: it is us.
    """
    if one.program_id == other.program_id:
        return Fit.NOT
    found = {
        rule.beside
        for ruling, named in ((one, other), (other, one))
        for rule in ruling.rules.exclusivity
        if {named.program_id, named.template, named.name} & set(rule.others)
    }
    if Beside.NOT in found:
        return Fit.NOT
    return Fit.EXPORT_ONLY if Beside.EXPORT_ONLY in found else Fit.TOGETHER


def in_force(ordered: Sequence[Contender]) -> tuple[TimelineEntry, ...]:
    """Which event is in force where and when; `ordered`: strongest first."""
    programs = {one.event.key: one.program for one in ordered}

    def together(strong: Claim, weak: Claim) -> bool:
        return fit(programs[strong.event.key], programs[weak.event.key]) is not Fit.NOT

    return layered((one.claim for one in ordered), together)


def rivals(
    ordered: Sequence[Contender], event_key: str
) -> tuple[tuple[Contender, ...], tuple[Contender, ...]]:
    """`(stronger, weaker)` events that meet this one at some site at some time."""
    mine = [index for index, one in enumerate(ordered) if one.event.key == event_key]
    if not mine:
        return (), ()
    at = mine[0]
    meets = [_meet(one, ordered[at]) for one in ordered]
    stronger = tuple(one for one, met in zip(ordered[:at], meets[:at], strict=True) if met)
    weaker = tuple(one for one, met in zip(ordered[at + 1 :], meets[at + 1 :], strict=True) if met)
    return stronger, weaker


def promises(
    site_id: str,
    mine: Program,
    others: Iterable[Contender],
    entries: Sequence[TimelineEntry],
    given: Given,
) -> Iterator[Promise]:
    """What other events were given at a site, where they are in force."""
    for other in others:
        series = given.get(other.event.key, {}).get(site_id)
        if not series:
            continue
        held = holds(entries, other.event.key, site_id)
        pieces = (s for interval in held for s in series.clip(interval))
        reduction = StepSeries.of((s.interval, s.value) for s in pieces)
        if reduction:
            yield Promise(
                event_key=other.event.key,
                program_name=other.program.name,
                reduction=reduction,
                fit=fit(mine, other.program),
            )


def left_of(baseline: StepSeries, promised: Iterable[Promise]) -> StepSeries:
    """The load that stronger events leave of a baseline, W: from there a weaker one counts."""
    left = baseline
    for one in promised:
        left = StepSeries.of(_lowered(left, one))
    return left


def own_part(given_w: float, asked_w: float, beside_w: float) -> float:
    """Of what a site gives below its baseline, the part that counts for the stronger event, W.

    First what that event asked, then what weaker ones were given (`beside_w`); what is beyond both
    is the stronger's again. So the parts of all events sum up to what came.
    """
    return given_w - min(max(0.0, given_w - asked_w), beside_w)


def words(
    offer: SiteFlexibility,
    promised: Iterable[Promise],
    stronger: Iterable[Contender],
    mine: Program,
    entries: Sequence[TimelineEntry],
) -> str:
    """Why a site has less for this event than it offers; empty when it has not.

    `20 of 60 kW are promised to BIP until 18:00`.
    """
    said = [_promised(one, offer.down_w, offer.zone) for one in promised]
    for other in stronger:
        held = holds(entries, other.event.key, offer.site_id)
        if held and fit(mine, other.program) is Fit.NOT:
            until = _clock(held[-1].end, offer.zone)
            said.append(
                f"event {other.event.event_id} of {other.program.name} has it until {until}"
            )
    return "; ".join(said)


def instead_of(
    mine: Program,
    sites: frozenset[str],
    rest: Interval,
    stronger: Iterable[Contender],
    entries: Sequence[TimelineEntry],
) -> str:
    """Which stronger events are in force in place of one, where and until when; empty: none is.

    `u1/e2 until 12:20Z at depot-1, depot-2`. Where both may go together nothing is superseded.
    """
    said = []
    for other in stronger:
        if fit(mine, other.program) is not Fit.NOT:
            continue
        theirs = [e for e in entries if e.event.key == other.event.key and e.sites & sites]
        theirs = [e for e in theirs if e.interval.overlaps(rest)]
        if theirs:
            said.append(f"{other.event.key} {_until(theirs)} at {_names(sites, theirs)}")
    return "; ".join(said)


def _until(entries: Sequence[TimelineEntry]) -> str:
    last = max(entry.interval.end or _FOREVER for entry in entries)
    return "until further notice" if last == _FOREVER else f"until {last.astimezone(UTC):%H:%M}Z"


def _names(sites: frozenset[str], entries: Sequence[TimelineEntry]) -> str:
    found = sorted(sites & frozenset[str]().union(*(entry.sites for entry in entries)))
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more


def _promised(one: Promise, offered_w: float, zone: tzinfo) -> str:
    most_w = max(step.value for step in one.reduction)
    until = _clock(one.reduction.steps[-1].interval.end, zone)
    only = ", and it goes with it only for exports" if one.fit is Fit.EXPORT_ONLY else ""
    return (
        f"{most_w / 1000:.0f} of {kw(offered_w)} are promised to {one.program_name} until {until}"
        + only
    )


def _clock(instant: datetime | None, zone: tzinfo) -> str:
    return f"{instant.astimezone(zone):%H:%M}" if instant else "further notice"


def _first_come(every: Iterable[Contender]) -> Iterator[tuple[str, datetime]]:
    """By event: since when its program has asked, through events that replace one another."""
    rows = sorted(every, key=lambda one: (*_series(one), one.event.window.start))
    for _, group in groupby(rows, key=_series):
        chain: list[Contender] = []
        until = _NEVER
        for one in group:
            if until <= one.event.window.start:
                yield from _told(chain)
                chain = []
            until = max(until, one.event.window.end or _FOREVER)
            chain.append(one)
        yield from _told(chain)


def _told(chain: Sequence[Contender]) -> Iterable[tuple[str, datetime]]:
    first = min((one.told_at for one in chain), default=_NEVER)
    return ((one.event.key, first) for one in chain)


def _series(one: Contender) -> tuple[str, int]:
    return (one.program.program_id, one.event.priority)


def _lowered(series: StepSeries, promise: Promise) -> Iterator[tuple[Interval, float]]:
    for step in series:
        for piece in _cut(step.interval, promise.reduction):
            given_w = promise.reduction.value_at(piece.start)
            left_w = step.value - (given_w or 0.0)
            bound = given_w is not None and promise.fit is Fit.EXPORT_ONLY
            yield piece, min(left_w, 0.0) if bound else left_w


def _cut(interval: Interval, by: StepSeries) -> Iterator[Interval]:
    """An interval, cut at the edges of a series."""
    edges = {edge for step in by for edge in (step.interval.start, step.interval.end)}
    inside = sorted(e for e in edges if e is not None and e in interval and e != interval.start)
    starts = [interval.start, *inside]
    for start, end in zip(starts, [*inside, interval.end], strict=True):
        yield Interval(start=start, end=end)


def _meet(one: Contender, other: Contender) -> bool:
    at_once = one.event.window.overlaps(other.event.window)
    return at_once and bool(one.claim.sites & other.claim.sites)
