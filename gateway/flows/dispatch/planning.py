"""What follows from a situation: the next plan, the instructions worth sending, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from contracts.series import StepSeries
from contracts.site_link.messages import Instruction
from contracts.time import Interval
from gateway.domain.curves import differ
from gateway.domain.delivery.correction import shortfall
from gateway.domain.delivery.telling import to_tell
from gateway.domain.dispatch import DispatchPlan, SiteAllocation, effective, plan
from gateway.domain.words import kw
from gateway.flows.dispatch.delivering import Steering
from gateway.flows.dispatch.options import DispatchOptions
from gateway.flows.dispatch.returning import way_back
from gateway.flows.dispatch.situation import Situation, target_load
from gateway.flows.sites import instructions as wire
from gateway.flows.sites.live import EventBand
from gateway.ports import JournalEntry

_NOTHING_W = 1.0


def next_plan(seen: Situation, steering: Steering, reason: str) -> DispatchPlan:
    """The plan for what is left of the event; nobody gives anything to one that is not wanted.

    Sites are asked for what, by their delivery so far, brings the target about.
    """
    target = seen.target.clip(Interval(start=seen.now, end=None))
    sites = steering.sites(seen.flexibilities)
    if not seen.wanted:
        why = "the event is cancelled" if seen.event.cancelled else "we are opted out"
        target = StepSeries()
        sites = tuple(replace(site, available=False, reason=why) for site in sites)
    asked = steering.asked(target)
    made = plan(
        seen.event,
        asked,
        sites,
        created_at=seen.now,
        revision=seen.plans[-1].revision + 1 if seen.plans else 1,
        reason=reason,
        limits=seen.limits,
    )
    short = shortfall(target, asked, made.shortfall)
    return replace(
        made,
        target=target,
        shortfall=short,
        short_because=made.short_because if short else "",
        reason=reason or _what_changed(seen, made, steering),
    )


def notable(seen: Situation, made: DispatchPlan, options: DispatchOptions) -> bool:
    """Whether a plan says anything the last one did not, whoever is instructed."""
    if not seen.plans:
        return seen.wanted
    last = seen.plans[-1]
    if last.modification != made.modification or _counted(last) != _counted(made):
        return True
    highest_w = max((step.value for step in made.target), default=0.0)
    tolerance = max(options.deadband_w, options.deadband_share * highest_w)
    return any(
        differ(old, new, seen.now, tolerance)
        for old, new in ((last.target, made.target), (last.shortfall, made.shortfall))
    )


def news(seen: Situation, made: DispatchPlan, options: DispatchOptions) -> Iterator[Instruction]:
    """Instructions for the sites whose limits change by more than the deadband.

    A site that is not counted on keeps what it was told: it cannot be reached, or it will be asked
    again when it is back. One that is out of the event is told to forget it.
    """
    sites = {site.site_id: site for site in seen.sites}
    back = way_back(seen, made, options.restoration)
    drafts: list[tuple[Instruction, float]] = []
    strangers = sorted(set(seen.newest) - set(sites))
    gone = [
        SiteAllocation(site_id=s, steps=(), cause="no longer addressed", counted_on=False)
        for s in strangers
    ]
    for allocation in (*made.allocations, *gone):
        site = sites.get(allocation.site_id)
        out = site is None or not seen.wanted or site.site_id in seen.stored.opted_out_sites
        if allocation.counted_on or out:
            deadband_w = options.deadband(site) if site else options.deadband_w
            free = back.get(allocation.site_id, StepSeries())
            drafts.append((_instruction(seen, made, allocation, options, free), deadband_w))
    together = _too_much_together(seen, made, drafts, options)
    for after, deadband_w in drafts:
        if after.site_id in together or _worth_sending(seen, after, deadband_w):
            yield after


def journal(made: DispatchPlan, sent: Sequence[Instruction]) -> Iterator[JournalEntry]:
    """Why the plan was made, and why each site was told what it was told."""
    at, key = made.created_at, made.event_key
    short_w = max((step.value for step in made.shortfall), default=0.0)
    because = f" ({made.short_because})" if made.short_because else ""
    short = f"; {kw(short_w)} that nobody can give{because}" if short_w else ""
    yield JournalEntry(
        at=at, subject=key, action=f"plan {made.revision}", cause=f"{made.reason}{short}"
    )
    for one in sent:
        verb = "instructed" if one.steps else "withdrawn"
        yield JournalEntry(at=at, subject=key, action=f"{one.site_id}: {verb}", cause=one.cause)
        yield JournalEntry(at=at, subject=one.site_id, action=f"{key}: {verb}", cause=one.cause)


def band(seen: Situation, plans: Sequence[DispatchPlan], program_name: str) -> EventBand:
    """The event as the live page draws it."""
    whole, event = effective(plans), seen.event
    target = whole.target if whole else StepSeries()
    return EventBand(
        event_key=event.key,
        event_id=event.event_id,
        program_name=program_name,
        window=event.window,
        test=event.test,
        cancelled=event.cancelled,
        opt=seen.stored.decision.opt.value,
        cause=seen.stored.decision.cause,
        revision=whole.revision if whole else 0,
        plan_reason=whole.reason if whole else "",
        baseline=seen.scope.counted(seen.baseline),
        target=target,
        target_load=seen.scope.counted(target_load(seen.baseline, target)),
        shortfall=whole.shortfall if whole else StepSeries(),
    )


def _instruction(
    seen: Situation,
    made: DispatchPlan,
    allocation: SiteAllocation,
    options: DispatchOptions,
    back: StepSeries,
) -> Instruction:
    """Kept by the site until recovery and grace are over, and as long as what it replaces."""
    end = (seen.window.end or seen.now) + seen.event.recovery + options.grace
    last = seen.newest.get(allocation.site_id)
    until = max(end, last.instruction.expires_at) if last else end
    return wire.instruction(
        made,
        allocation,
        seen.event,
        now=seen.now,
        expires_at=until,
        way_back=back,
        scope=seen.scope,
    )


def _too_much_together(
    seen: Situation,
    made: DispatchPlan,
    drafts: Sequence[tuple[Instruction, float]],
    options: DispatchOptions,
) -> frozenset[str]:
    """Sites whose limits move by little each, but that make up for too much if nobody is told."""
    at = max(seen.now, seen.event.window.start)
    held = {s: one.instruction for s, one in seen.newest.items()}
    changes = {
        a.site_id: wire.moved(held[a.site_id], a, at) for a, _ in drafts if a.site_id in held
    }
    deadbands = {after.site_id: deadband_w for after, deadband_w in drafts}
    wanted_w = made.target.value_at(at) or 0.0
    return to_tell(changes, deadbands, max(options.untold_share * wanted_w, _NOTHING_W))


def _worth_sending(seen: Situation, after: Instruction, deadband_w: float) -> bool:
    last = seen.newest.get(after.site_id)
    if last is None or last.instruction.expires_at <= seen.now:
        return bool(after.steps)
    return wire.differs(last.instruction, after, seen.now, deadband_w)


def _counted(made: DispatchPlan) -> frozenset[str]:
    return frozenset(a.site_id for a in made.allocations if a.counted_on)


def _what_changed(seen: Situation, made: DispatchPlan, steering: Steering) -> str:
    """The reason for a plan nobody asked for by name."""
    if not seen.plans:
        return "first look"
    before, after = _counted(seen.plans[-1]), _counted(made)
    lost = [f"{a.site_id}: {a.cause}" for a in made.allocations if _left(a, before)]
    back = [f"{site_id} can be counted on again" for site_id in sorted(after - before)]
    words = [steering.words] if steering.words else []
    return "; ".join(lost + back + words) or "offers or baselines have changed"


def _left(allocation: SiteAllocation, before: frozenset[str]) -> bool:
    return allocation.site_id in before and not allocation.counted_on
