"""How the sites of an event come back after its end: what each is told, in advance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from contracts.series import StepSeries
from gateway.domain.delivery.restoration import RestorationRules, Returning, restoration, returning
from gateway.domain.dispatch import DispatchPlan
from gateway.domain.scope import Scope
from gateway.flows.dispatch.situation import Situation


def way_back(
    seen: Situation, made: DispatchPlan, rules: RestorationRules | None
) -> Mapping[str, StepSeries]:
    """Import limits after the event's end, by site; nothing where a site is free at once.

    A cancelled event ends for the sites when its cancellation came in: whom it held then comes
    back the same way. An event without an end, or one we are opted out of, has none. Batteries
    that were told a target have none either: what they take back is for their own plan. What may
    leave or be made again puts no load on the grid.
    """
    if seen.scope is Scope.STORAGE or seen.scope.turned:
        return {}
    end, held_by = _end(seen), _last_plan(seen, made)
    if rules is None or end is None or held_by is None:
        return {}
    return restoration(list(_sites(seen, held_by, end, rules)), end, rules).limits


def _end(seen: Situation) -> datetime | None:
    if seen.event.cancelled:
        return seen.stored.received_at
    return seen.event.window.end if seen.wanted else None


def _last_plan(seen: Situation, made: DispatchPlan) -> DispatchPlan | None:
    """The plan that holds at the end."""
    if not seen.event.cancelled:
        return made
    before = [p for p in seen.plans if p.created_at < seen.stored.received_at]
    return before[-1] if before else None


def _sites(
    seen: Situation, plan: DispatchPlan, end: datetime, rules: RestorationRules
) -> Iterator[Returning]:
    by_id = {site.site_id: site for site in seen.sites}
    for allocation in plan.allocations:
        site = by_id.get(allocation.site_id)
        last = next((s for s in reversed(allocation.steps) if s.interval.start < end), None)
        opted_out = allocation.site_id in seen.stored.opted_out_sites
        if site is None or last is None or last.interval.end is None or opted_out:
            continue
        if last.interval.end >= end:
            yield returning(
                site.site_id,
                last.limit_w,
                last.limit_w + last.reduction_w,
                site.import_limit_w,
                site.groups,
                rules,
            )
