"""What an event asks of each site, and what became of it there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from contracts.time import Interval
from gateway.domain.dispatch import DispatchPlan, SiteAllocation, effective
from gateway.domain.event import EventStatus
from gateway.domain.operating_envelope import EnvelopeStep
from gateway.domain.scope import Scope, scope_of
from gateway.domain.why.facts import EventFacts, Told
from gateway.domain.why.tree import Line, some, span
from gateway.domain.words import kw

MOST_SITES = 50


def sites_lines(facts: EventFacts) -> Iterator[Line]:
    """Who gives how much and why, who gives nothing, and who has taken its instruction."""
    plan = effective(facts.plans)
    newest = _newest(facts)
    out = {one.site_id: one.cause for one in facts.out}
    if plan is not None:
        asked = sorted(asked_of(facts, plan), key=_most, reverse=True)
        mine = {one.site_id for one in asked}
        rest = [a for a in plan.allocations if a.site_id not in mine]
        lines = (_site(facts, one, newest.get(one.site_id)) for one in asked)
        text = f"{len(asked)} of {len(plan.allocations)}"
        yield Line(what="sites", text=text, lines=some(asked, MOST_SITES, "sites", lines))
        if rest:
            idle = (Line(what=one.site_id, text=out.get(one.site_id) or one.cause) for one in rest)
            shown = some(rest, MOST_SITES, "sites", idle)
            yield Line(what="not asked", text=f"{len(rest)}", lines=shown)
    if facts.out:
        gone = (Line(what=o.site_id, text=o.cause, at=o.at) for o in facts.out)
        shown = some(facts.out, MOST_SITES, "sites", gone)
        yield Line(what="opted out", text=f"{len(facts.out)}", lines=shown)
    if newest:
        yield Line(what="instructed", text=_states(newest))


def asked_of(facts: EventFacts, plan: DispatchPlan) -> list[SiteAllocation]:
    """Who is asked for something now or later; once the event is over, who was at all."""
    over = facts.event is not None and facts.event.status(facts.now) is EventStatus.COMPLETED
    return [
        one
        for one in plan.allocations
        if any(over or (s.interval.end or facts.now) > facts.now for s in one.steps)
    ]


def _site(facts: EventFacts, one: SiteAllocation, told: Told | None) -> Line:
    lines = list(_asked(facts, one))[:MOST_SITES]
    if told is not None:
        at = told.said[-1].at if told.said else told.issued_at
        lines.append(Line(what="instruction", text=told.state, at=at))
    turned = facts.event is not None and scope_of(facts.event, None).turned
    part = None if turned else one
    lines += [_envelope(step, part) for step in facts.imposed.get(one.site_id, ())]
    return Line(what=one.site_id, text=one.cause, lines=tuple(lines))


def _asked(facts: EventFacts, one: SiteAllocation) -> Iterator[Line]:
    """What it is asked; steps that follow each other and read alike are one."""
    spells: list[tuple[tuple[str, str], Interval]] = []
    for step in one.steps:
        said, whole = (kw(step.reduction_w), kw(step.limit_w)), step.interval
        if spells and spells[-1][0] == said and spells[-1][1].end == whole.start:
            whole = Interval(start=spells.pop()[1].start, end=whole.end)
        spells.append((said, whole))
    under = "under" if facts.event is None else _UNDER.get(scope_of(facts.event, None), "under")
    for (less, limit), whole in spells:
        text = f"{under} {limit} {span(whole, facts.zone, facts.now)}"
        yield Line(what=f"{less} less", text=text)


_UNDER = {Scope.EXPORT: "export under", Scope.GENERATION: "generation under"}


def _envelope(step: EnvelopeStep, one: SiteAllocation | None) -> Line:
    """An envelope holds beside the event; it binds where it is tighter than an import limit."""
    limit_w = step.bounds.import_limit_w
    lowest_w = min((s.limit_w for s in one.steps), default=None) if one else None
    binds = limit_w is not None and lowest_w is not None and limit_w < lowest_w
    said = f"import at most {kw(limit_w)}, " if limit_w is not None else ""
    tail = "which binds more than the event" if binds else "beside the event"
    return Line(what="envelope", text=f"{said}{tail}: {step.cause}")


def _newest(facts: EventFacts) -> dict[str, Told]:
    return {told.site_id: told for told in sorted(facts.told, key=lambda told: told.number)}


def _states(newest: dict[str, Told]) -> str:
    counted = Counter(t.said[-1].state if t.said else "not confirmed" for t in newest.values())
    return ", ".join(f"{count} {state}" for state, count in sorted(counted.items()))


def _most(one: SiteAllocation) -> float:
    return max(step.reduction_w for step in one.steps)
