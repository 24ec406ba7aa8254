"""What a split must know besides baselines: offers, limits of the network, earlier requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf

from contracts.device_class import DeviceClass
from contracts.series import StepSeries
from contracts.site_link.messages import FlexibilityOffer
from contracts.site_link.messages import OfferedSlot as WireSlot
from contracts.site_link.parts import OfferedPart
from contracts.time import Interval
from gateway.domain.dispatch import DispatchPlan, effective
from gateway.domain.dispatch.fairness import Asked
from gateway.domain.dispatch.limits import Block, GroupLimit, Limits
from gateway.domain.flexibility import OfferedSlot, SiteOffer
from gateway.domain.portfolio import Site
from gateway.domain.scope import Scope
from gateway.ports import Ledger, StoredEvent

_ENDED = timedelta(minutes=5)
_AS_ASKED = timedelta(days=366)
"""Longer than any plan: what is not made needs no energy to be held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkGroup:
    """A feeder or transformer by the name under which sites are grouped."""

    name: str
    reduction_w: float | None = None
    """Most its sites are asked together, W."""
    export_limit_w: float | None = None
    """Most its sites may export together, by their baselines, W >= 0."""

    def limit(self, sites: Sequence[Site]) -> GroupLimit:
        """On those of these sites that are in the group."""
        members = frozenset(site.site_id for site in sites if self.name in site.groups)
        whole = GroupLimit(name=self.name, sites=members)
        return GroupLimit(
            name=self.name,
            sites=members,
            reduction_w=whole.reduction_w if self.reduction_w is None else self.reduction_w,
            lowest_w=whole.lowest_w if self.export_limit_w is None else -self.export_limit_w,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOptions:
    """How requests are split."""

    network: tuple[NetworkGroup, ...] = ()
    blocks: Mapping[str, Block] = field(default_factory=dict)
    """Sites with a least request."""
    offer_max_age: timedelta = timedelta(minutes=10)
    """An older offer says nothing any more."""
    offer_refresh: timedelta = timedelta(seconds=20)
    """Sites tell one a minute: stored ones are read this often."""
    look_back: timedelta = timedelta(days=60)
    """Who was asked how much in events that ended since then counts in the next."""


class Offers:
    """The newest offers of sites, read now and then."""

    def __init__(self, ledger: Ledger, options: SplitOptions) -> None:
        self._ledger = ledger
        self._options = options
        self._kept: dict[str, tuple[datetime, FlexibilityOffer | None]] = {}

    async def of(
        self, site_id: str, window: Interval, now: datetime, scope: Scope = Scope.SITE
    ) -> SiteOffer | None:
        """What a site offers in a window; None: it has told nothing about it, or long ago."""
        read_at, newest = self._kept.get(site_id, (None, None))
        if read_at is None or not timedelta(0) <= now - read_at < self._options.offer_refresh:
            newest = await self._ledger.offer(site_id)
            self._kept[site_id] = (now, newest)
        if newest is None or now - newest.at > self._options.offer_max_age:
            return None
        found = site_offer(newest, window, scope)
        return found if found.slots else None


def site_offer(told: FlexibilityOffer, window: Interval, scope: Scope = Scope.SITE) -> SiteOffer:
    """An offer in the domain's words, as far as it touches a window.

    Of one class of devices only slots count of which its part is told, and never with more than the
    slot says.
    """
    found = (_slot(one, interval, scope) for interval, one in timed(told))
    slots = (slot for slot in found if slot is not None)
    return SiteOffer(
        at=told.at,
        slots=tuple(slot for slot in slots if slot.interval.overlaps(window)),
        ramp_w_per_min=inf if scope.turned else told.ramp_w_per_min or inf,
    )


def timed(told: FlexibilityOffer) -> Iterator[tuple[Interval, WireSlot]]:
    """The slots of an offer with their times, in order.

    The first slot begins when the offer was made and is shorter; of two that overlap the earlier
    ends where the later begins.
    """
    step = timedelta(seconds=told.step_s)
    ordered = sorted(told.slots, key=lambda one: one.start)
    nexts = [*(one.start for one in ordered[1:]), None]
    for one, after in zip(ordered, nexts, strict=True):
        yield Interval(start=one.start, end=min(one.start + step, after or one.start + step)), one


def _slot(one: WireSlot, interval: Interval, scope: Scope) -> OfferedSlot | None:
    if scope.turned:
        return _kept_in(one, interval, scope)
    given: WireSlot | OfferedPart | None = one
    if scope.device_class is not None:
        given = next((p for p in one.parts if p.device_class == scope.device_class), None)
    if given is None or scope is Scope.NOTHING:
        return None
    down_w = min(given.down_w, one.down_w)
    return OfferedSlot(
        interval=interval,
        expected_w=given.expected_w,
        down_w=down_w,
        sure_w=min(given.down_sure_w, down_w),
        lasts=timedelta(seconds=one.lasts_s),
        again_at=one.again_at,
    )


def _kept_in(one: WireSlot, interval: Interval, scope: Scope) -> OfferedSlot | None:
    """What would leave, and what of it inverters can be told not to make: for as long as asked.

    Sites that take it themselves meanwhile do better than that, so it is sure.
    """
    made = next((p for p in one.parts if p.device_class == DeviceClass.PV), None)
    if not one.parts:
        return None
    load_w = one.expected_w if scope is Scope.EXPORT else made.expected_w if made else 0.0
    leaves_w = max(0.0, 0.0 - load_w)
    kept_w = min(leaves_w, made.curtail_w) if made else 0.0
    return OfferedSlot(
        interval=interval, expected_w=0.0 - load_w, down_w=kept_w, sure_w=kept_w, lasts=_AS_ASKED
    )


class History:
    """What sites were asked of what they offered, in events of one program that are over."""

    def __init__(self, ledger: Ledger, options: SplitOptions) -> None:
        self._ledger = ledger
        self._options = options
        self._kept: dict[str, Mapping[str, Asked]] = {}

    async def of(
        self, program_id: str, events: Sequence[StoredEvent], now: datetime
    ) -> Mapping[str, Asked]:
        """By site; an event that is over changes no more, so it is read once."""
        since = now - self._options.look_back
        total: dict[str, Asked] = {}
        over = {
            one.event.key
            for one in events
            if one.event.program_id == program_id
            and one.event.window.end is not None
            and since <= one.event.window.end < now - _ENDED
        }
        self._kept = {key: kept for key, kept in self._kept.items() if key in over}
        for key in over:
            if key not in self._kept:
                self._kept[key] = asked_of(await self._ledger.plans(key))
            for site_id, one in self._kept[key].items():
                total[site_id] = total[site_id] + one if site_id in total else one
        return total


def asked_of(plans: Sequence[DispatchPlan]) -> Mapping[str, Asked]:
    """What an event asked of each site that was counted on; nothing from plans of old."""
    whole = effective(plans)
    if whole is None:
        return {}
    return {
        one.site_id: Asked(asked_wh=_wh(one.reduction), offered_wh=one.offered_wh)
        for one in whole.allocations
        if one.offered_wh
    }


def limits(
    sites: Sequence[Site],
    plans: Sequence[DispatchPlan],
    history: Mapping[str, Asked],
    options: SplitOptions,
    now: datetime,
    *,
    ends_known: bool,
    scope: Scope = Scope.SITE,
) -> Limits:
    """Everything that binds a plan made now besides what sites offer.

    Limits of network groups and least requests are about lower imports, and bind nothing else.
    """
    if scope.turned:
        return Limits(history=history, ends_known=ends_known)
    last = effective(plans)
    so_far = {one.site_id: one.reduction for one in last.allocations} if last else {}
    return Limits(
        groups=tuple(group.limit(sites) for group in options.network),
        blocks=options.blocks,
        given_w={s: value for s, one in so_far.items() if (value := one.value_at(now))},
        on_for={s: _on_for(so_far[s], now) for s in options.blocks if s in so_far},
        history=history,
        ends_known=ends_known,
    )


def _on_for(reduction: StepSeries, now: datetime) -> timedelta:
    """How long something has been asked without a break."""
    since = now
    past = Interval(start=min([now, *(s.interval.start for s in reduction)]), end=now)
    for step in reversed(reduction.clip(past).steps):
        if step.interval.end != since:
            break
        since = step.interval.start
    return now - since


def _wh(reduction: StepSeries) -> float:
    return sum(
        step.value * (step.interval.duration or timedelta(0)) / timedelta(hours=1)
        for step in reduction
    )
