"""Split what a utility asks over the sites, never above what each offers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import Sampler
from gateway.domain.dispatch.fill import NOTHING_W, Watts, water_fill
from gateway.domain.dispatch.plan import AllocatedStep, DispatchPlan, SiteAllocation
from gateway.domain.event import GridEvent
from gateway.domain.flexibility import SiteFlexibility
from gateway.domain.words import kw, pct


def plan(
    event: GridEvent,
    target: StepSeries,
    flexibilities: Sequence[SiteFlexibility],
    *,
    created_at: datetime,
    revision: int,
    reason: str,
) -> DispatchPlan:
    """Fill the target, interval by interval, in proportion to the offers.

    No site is asked for more than it offers, nor to go below the lowest import it can hold, nor
    where its baseline is unknown; what these bounds take from one site the others give. The
    result does not depend on the order of `flexibilities`.

    Raises:
        ValueError: the target is open-ended, or a site appears twice.
    """
    sites = sorted(flexibilities, key=lambda site: site.site_id)
    if len({site.site_id for site in sites}) < len(sites):
        raise ValueError("a site appears twice among the flexibilities")
    pieces = _pieces(target, sites)
    shape = (len(sites), len(pieces))
    baselines = np.array([_row(site.baseline, pieces) for site in sites]).reshape(shape)
    caps = _caps(sites, baselines)
    asked = _row(target, pieces)
    weights = np.array([site.down_w for site in sites])
    shares = np.zeros_like(caps)
    for k in range(len(pieces)):
        shares[:, k] = water_fill(float(asked[k]), weights, caps[:, k])
    missing = asked - shares.sum(axis=0)
    return DispatchPlan(
        event_key=event.key,
        modification=event.modification,
        revision=revision,
        created_at=created_at,
        reason=reason,
        target=target,
        allocations=tuple(
            _allocation(site, pieces, *rows)
            for site, *rows in zip(sites, shares, baselines, caps, strict=True)
        ),
        shortfall=_shortfall(pieces, missing),
    )


def _pieces(target: StepSeries, sites: Sequence[SiteFlexibility]) -> tuple[Interval, ...]:
    """The target's intervals, cut wherever some site's baseline steps or has a gap."""
    if any(step.interval.end is None for step in target):
        raise ValueError("an open-ended target cannot be planned: close it first")
    edges = {e for site in sites for s in site.baseline for e in (s.interval.start, s.interval.end)}
    inner = sorted(edge for edge in edges if edge is not None)
    return tuple(piece for step in target for piece in _cut(step.interval, inner))


def _cut(interval: Interval, edges: Sequence[datetime]) -> list[Interval]:
    inside = [edge for edge in edges if edge in interval and edge != interval.start]
    starts = [interval.start, *inside]
    return [
        Interval(start=start, end=end)
        for start, end in zip(starts, [*inside, interval.end], strict=True)
    ]


def _row(series: StepSeries, pieces: Sequence[Interval]) -> Watts:
    """The value in each piece, NaN where there is none."""
    means = Sampler(series).means(pieces)
    return np.array([np.nan if m.value is None or m.coverage < 1 else m.value for m in means])


def _caps(sites: Sequence[SiteFlexibility], baselines: Watts) -> Watts:
    offers = np.array([[site.down_w if site.available else 0.0] for site in sites])
    floors = np.array([[-np.inf if site.floor_w is None else site.floor_w] for site in sites])
    reachable = np.maximum(0.0, baselines - floors.reshape(-1, 1))
    return np.where(np.isnan(baselines), 0.0, np.minimum(offers.reshape(-1, 1), reachable))


def _allocation(
    site: SiteFlexibility, pieces: Sequence[Interval], given: Watts, baseline: Watts, caps: Watts
) -> SiteAllocation:
    return SiteAllocation(
        site_id=site.site_id,
        steps=_steps(pieces, given, baseline),
        cause=_cause(site, given, caps),
        counted_on=site.available,
    )


def _steps(pieces: Sequence[Interval], given: Watts, baseline: Watts) -> tuple[AllocatedStep, ...]:
    return tuple(
        AllocatedStep(
            interval=piece,
            reduction_w=float(given[k]),
            import_limit_w=float(baseline[k] - given[k]),
        )
        for k, piece in enumerate(pieces)
        if given[k] > NOTHING_W
    )


def _shortfall(pieces: Sequence[Interval], missing: Watts) -> StepSeries:
    pairs = zip(pieces, missing, strict=True)
    return StepSeries.of((piece, float(w)) for piece, w in pairs if w > NOTHING_W)


def _cause(site: SiteFlexibility, given: Watts, caps: Watts) -> str:
    """Why the site was asked for this, for its owner and for the operator."""
    if not site.available:
        return f"not counted on: {site.reason or 'not available'}"
    note = f" ({site.reason})" if site.reason else ""
    most = float(given.max(initial=0.0))
    if most <= NOTHING_W:
        nothing = "it offers nothing" if site.down_w <= NOTHING_W else "nothing is needed of it"
        return f"asked nothing: {nothing}{note}"
    where = int(given.argmax())
    share = pct(most / site.down_w)
    if most < caps[where] - NOTHING_W:
        return f"{kw(most)} of {kw(site.down_w)} offered ({share}): fair share{note}"
    if caps[where] < site.down_w - NOTHING_W:
        return f"{kw(most)} of {kw(site.down_w)} offered: its lowest import binds{note}"
    return f"all of the {kw(site.down_w)} it offers{note}"
