"""Split what a utility asks over the sites, never above what each offers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.dispatch.causes import cause, why_short
from gateway.domain.dispatch.choose import Choice, choose
from gateway.domain.dispatch.fairness import Asked, fairness
from gateway.domain.dispatch.fill import NOTHING_W
from gateway.domain.dispatch.limits import Limits
from gateway.domain.dispatch.plan import AllocatedStep, DispatchPlan, SiteAllocation
from gateway.domain.dispatch.problem import Vector
from gateway.domain.dispatch.rows import row
from gateway.domain.event import GridEvent
from gateway.domain.flexibility import SiteFlexibility

_NO_LIMITS = Limits()


def plan(
    event: GridEvent,
    target: StepSeries,
    flexibilities: Sequence[SiteFlexibility],
    *,
    created_at: datetime,
    revision: int,
    reason: str,
    limits: Limits = _NO_LIMITS,
) -> DispatchPlan:
    """Fill the target so that everybody gives the same share of its offer, as far as it can.

    No site is asked for more than it offers in an interval, nor for longer than its energy lasts,
    nor to go below the lowest import it can hold, nor where its baseline is unknown; what these
    bounds and `limits` take from one site the others give. The result does not depend on the order
    of `flexibilities`. The method: docs/explanation/how-a-request-is-split.md.

    Raises:
        ValueError: the target is open-ended, or a site appears twice.
    """
    sites = sorted(flexibilities, key=lambda site: site.site_id)
    if len({site.site_id for site in sites}) < len(sites):
        raise ValueError("a site appears twice among the flexibilities")
    pieces = _pieces(target, sites)
    asked = row(target, pieces)
    choice = choose(sites, pieces, asked, limits)
    hours = np.array([(p.duration.total_seconds() if p.duration else 0.0) / 3600 for p in pieces])
    offered = np.where(asked > NOTHING_W, choice.cap_w, 0.0) @ hours
    used = choice.given_w @ hours
    counted = [site.available for site in sites]
    even = fairness(
        [
            Asked(asked_wh=float(w), offered_wh=float(o))
            for w, o, here in zip(used, offered, counted, strict=True)
            if here
        ]
    )
    return DispatchPlan(
        event_key=event.key,
        modification=event.modification,
        revision=revision,
        created_at=created_at,
        reason=reason,
        target=target,
        allocations=tuple(
            SiteAllocation(
                site_id=site.site_id,
                steps=_steps(pieces, choice, index),
                cause=cause(site, index, pieces, choice),
                counted_on=site.available,
                offered_wh=float(offered[index]),
            )
            for index, site in enumerate(sites)
        ),
        shortfall=_positive(pieces, choice.short_w),
        short_because=why_short(choice, asked),
        over=_positive(pieces, choice.over_w),
        evenness=even.jain,
    )


def _pieces(target: StepSeries, sites: Sequence[SiteFlexibility]) -> tuple[Interval, ...]:
    """The target's intervals, cut wherever some site's baseline or offer steps or has a gap."""
    if any(step.interval.end is None for step in target):
        raise ValueError("an open-ended target cannot be planned: close it first")
    steps = [step.interval for site in sites for step in (*site.baseline, *site.slots)]
    edges = {edge for interval in steps for edge in (interval.start, interval.end)}
    inner = sorted(edge for edge in edges if edge is not None)
    return tuple(piece for step in target for piece in _cut(step.interval, inner))


def _cut(interval: Interval, edges: Sequence[datetime]) -> list[Interval]:
    inside = [edge for edge in edges if edge in interval and edge != interval.start]
    starts = [interval.start, *inside]
    return [
        Interval(start=start, end=end)
        for start, end in zip(starts, [*inside, interval.end], strict=True)
    ]


def _steps(pieces: Sequence[Interval], choice: Choice, index: int) -> tuple[AllocatedStep, ...]:
    given, baseline = choice.given_w[index], choice.baseline_w[index]
    return tuple(
        AllocatedStep(
            interval=pieces[k],
            reduction_w=float(given[k]),
            limit_w=float(baseline[k] - given[k]),
        )
        for k in np.flatnonzero(given > NOTHING_W).tolist()
    )


def _positive(pieces: Sequence[Interval], values: Vector) -> StepSeries:
    pairs = zip(pieces, values, strict=True)
    return StepSeries.of((piece, float(w)) for piece, w in pairs if w > NOTHING_W)
