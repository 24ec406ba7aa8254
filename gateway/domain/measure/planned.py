"""What was planned of a site over an event, beside what it was still asked when it could not.

Dispatch replans within seconds when a site offers less than before: it is asked less and others
more. That is what it is paid for; what is told as its shortfall is against what had been planned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from contracts.power import energy_wh
from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import overlay, pointwise
from gateway.domain.dispatch.plan import DispatchPlan, SiteAllocation

_NEARLY = 0.98
"""An offer that falls short of what is planned by less is as good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """Of one site over one event."""

    reduction: StepSeries = field(default_factory=StepSeries)
    """W, >= 0."""
    expected: StepSeries = field(default_factory=StepSeries)
    """The load that the plans were made against, W on the event's meter."""
    left_out: StepSeries = field(default_factory=StepSeries)
    """1 where it was not counted on, 0 where it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What of one plan is the same whichever site is looked at."""

    created_at: datetime
    total: StepSeries
    """All that is asked of sites, and what nobody could give, W."""
    parts: Mapping[str, SiteAllocation]


def revisions_of(plans: Sequence[DispatchPlan], event: Interval) -> tuple[Revision, ...]:
    """The plans of an event in their order, made ready for many sites."""
    return tuple(
        Revision(
            created_at=plan.created_at,
            total=_total(plan, event),
            parts={one.site_id: one for one in plan.allocations},
        )
        for plan in sorted(plans, key=lambda one: one.revision)
    )


def planned_of(revisions: Sequence[Revision], site_id: str, event: Interval) -> Planned:
    """By every revision from when it was made.

    A plan that does not count on the site leaves standing what was planned. So does one, made
    during the event, for which the site offers less than is planned of it; what all sites together
    are asked less (the utility wants less, or more came than it wanted) is taken off in proportion.
    """
    reduction, total, expected, out = (StepSeries() for _ in range(4))
    for plan in revisions:
        part, at = plan.parts.get(site_id), plan.created_at
        if part is None:
            continue
        counted = StepSeries.of([(event, 0.0 if part.counted_on else 1.0)])
        out = overlay(out, counted, at)
        if not part.counted_on:
            continue
        new, whole = _over(event, part.reduction), plan.total
        if at > event.start and _offers_less(part, reduction, at):
            new = pointwise(_standing, (reduction, total, new, whole))
        else:
            total = overlay(total, whole, at)
        reduction = overlay(reduction, new, at)
        if part.steps:
            load = pointwise(sum, (part.reduction, part.limit))
            expected = overlay(expected, load.clip(event), at)
    return Planned(reduction=reduction.clip(event), expected=expected, left_out=out.clip(event))


def _standing(values: Sequence[float]) -> float:
    before_w, total_before_w, now_w, total_now_w = values
    less = min(1.0, total_now_w / total_before_w) if total_before_w > 0 else 1.0
    return max(now_w, before_w * less)


def _offers_less(part: SiteAllocation, planned: StepSeries, since: datetime) -> bool:
    """Whether it no longer offers what is planned of it from an instant on."""
    if part.offered_wh is None:
        return False
    ahead = planned.clip(Interval(start=since, end=None))
    lengths = ((step.value, step.interval.duration) for step in ahead)
    planned_wh = sum(energy_wh(w, length) for w, length in lengths if length is not None)
    return part.offered_wh < _NEARLY * planned_wh


def _total(plan: DispatchPlan, event: Interval) -> StepSeries:
    parts = [one.reduction for one in plan.allocations if one.steps]
    return pointwise(sum, [_over(event, one) for one in (*parts, plan.shortfall)])


def _over(event: Interval, series: StepSeries) -> StepSeries:
    """With 0 wherever it says nothing."""
    inside = series.clip(event)
    edges = [event.start, *(e for s in inside for e in (s.interval.start, s.interval.end) if e)]
    gaps = [
        Interval(start=start, end=end)
        for start, end in zip(edges[::2], [*edges[1::2], event.end], strict=False)
        if end is None or end > start
    ]
    return StepSeries.of([*((s.interval, s.value) for s in inside), *((g, 0.0) for g in gaps)])
