"""Split what a utility asks over the sites, never above what each offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import Sampler, overlay
from gateway.domain.event import GridEvent
from gateway.domain.flexibility import SiteFlexibility
from gateway.domain.words import kw, pct

Watts = NDArray[np.float64]
_NOTHING_W = 1e-6  # rounding, far below anything a meter can see


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocatedStep:
    """What one site gives over one interval."""

    interval: Interval
    reduction_w: float
    import_limit_w: float
    """Baseline less reduction: what the site is told to stay under, W."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteAllocation:
    """One site's part of the plan, with the causes that bound it; no steps: asked nothing."""

    site_id: str
    steps: tuple[AllocatedStep, ...]
    cause: str
    counted_on: bool = True
    """False: the site was not available when the plan was made."""

    @property
    def reduction(self) -> StepSeries:
        """Reduction asked of this site, W."""
        return StepSeries.of((step.interval, step.reduction_w) for step in self.steps)

    @property
    def limit(self) -> StepSeries:
        """Import limit given to this site, W."""
        return StepSeries.of((step.interval, step.import_limit_w) for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchPlan:
    """Who gives how much, when, for one event at one revision (a new revision replaces the old)."""

    event_key: str
    modification: int
    revision: int
    created_at: datetime
    reason: str
    """What made this plan: a new event, an opt-out, a site lost, ..."""
    target: StepSeries
    """Reduction asked of the portfolio, W, >= 0."""
    allocations: tuple[SiteAllocation, ...]
    shortfall: StepSeries
    """Reduction nobody can give, W, >= 0: reported, never hidden."""

    def allocation(self, site_id: str) -> SiteAllocation | None:
        """This site's part."""
        return next((a for a in self.allocations if a.site_id == site_id), None)


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


def water_fill(target_w: float, weights: Watts, caps_w: Watts) -> Watts:
    """Shares in proportion to the weights, none above its cap, that add up to the target.

    The exact solution by sorting: sites whose cap binds give their cap, the rest the same
    multiple of their weight. When all caps together fall short, every site gives its cap.
    """
    caps = np.where(weights > _NOTHING_W, caps_w, 0.0)
    if target_w >= caps.sum():
        return caps
    active = np.flatnonzero(caps > 0)
    level = caps[active] / weights[active]  # the multiple at which a site's cap begins to bind
    order = active[np.argsort(level, kind="stable")]
    bound_before = np.concatenate(([0.0], np.cumsum(caps[order])[:-1]))
    weight_left = np.cumsum(weights[order][::-1])[::-1]
    wanted = (target_w - bound_before) / weight_left
    fits = np.flatnonzero(wanted * weights[order] <= caps[order])
    if not fits.size:  # the target equals all caps but for rounding
        return caps
    return np.minimum(caps, max(0.0, float(wanted[fits[0]])) * weights)


def effective(plans: Sequence[DispatchPlan]) -> DispatchPlan | None:
    """One plan that holds, at each instant, what the revision of that time asked; None of none."""
    ordered = sorted(plans, key=lambda p: p.revision)
    if not ordered:
        return None
    whole = ordered[0]
    for later in ordered[1:]:
        whole = _followed_by(whole, later)
    return whole


def _followed_by(first: DispatchPlan, then: DispatchPlan) -> DispatchPlan:
    site_ids = sorted({a.site_id for p in (first, then) for a in p.allocations})
    return DispatchPlan(
        event_key=then.event_key,
        modification=then.modification,
        revision=then.revision,
        created_at=then.created_at,
        reason=then.reason,
        target=overlay(first.target, then.target, then.created_at),
        allocations=tuple(_merged(site_id, first, then) for site_id in site_ids),
        shortfall=overlay(first.shortfall, then.shortfall, then.created_at),
    )


def _merged(site_id: str, first: DispatchPlan, then: DispatchPlan) -> SiteAllocation:
    old, new = first.allocation(site_id), then.allocation(site_id)
    none = StepSeries()
    reduction, limit = (
        overlay(
            getattr(old, part) if old else none,
            getattr(new, part) if new else none,
            then.created_at,
        )
        for part in ("reduction", "limit")
    )
    steps = (
        AllocatedStep(interval=r.interval, reduction_w=r.value, import_limit_w=m.value)
        for r, m in zip(reduction, limit, strict=True)
    )
    last = new or old
    return SiteAllocation(
        site_id=site_id,
        steps=tuple(steps),
        cause=last.cause if last else "",
        counted_on=last.counted_on if last else False,
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
        if given[k] > _NOTHING_W
    )


def _shortfall(pieces: Sequence[Interval], missing: Watts) -> StepSeries:
    pairs = zip(pieces, missing, strict=True)
    return StepSeries.of((piece, float(w)) for piece, w in pairs if w > _NOTHING_W)


def _cause(site: SiteFlexibility, given: Watts, caps: Watts) -> str:
    """Why the site was asked for this, for its owner and for the operator."""
    if not site.available:
        return f"not counted on: {site.reason or 'not available'}"
    note = f" ({site.reason})" if site.reason else ""
    most = float(given.max(initial=0.0))
    if most <= _NOTHING_W:
        nothing = "it offers nothing" if site.down_w <= _NOTHING_W else "nothing is needed of it"
        return f"asked nothing: {nothing}{note}"
    where = int(given.argmax())
    share = pct(most / site.down_w)
    if most < caps[where] - _NOTHING_W:
        return f"{kw(most)} of {kw(site.down_w)} offered ({share}): fair share{note}"
    if caps[where] < site.down_w - _NOTHING_W:
        return f"{kw(most)} of {kw(site.down_w)} offered: its lowest import binds{note}"
    return f"all of the {kw(site.down_w)} it offers{note}"
