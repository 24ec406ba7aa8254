"""One accepted event: split, told, measured and corrected, step by step."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf

import numpy as np

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.conflict import own_part
from gateway.domain.curves import total
from gateway.domain.delivery.correction import Correction, corrected
from gateway.domain.delivery.course import Course, DeliveryRules, Minute, SiteMinute, lived
from gateway.domain.delivery.credibility import LAGS
from gateway.domain.delivery.measured import LastSeen
from gateway.domain.delivery.standing import Standing, expected_share, may_be_asked, probed
from gateway.domain.dispatch import DispatchPlan, plan
from gateway.domain.dispatch.fairness import Asked
from gateway.domain.dispatch.limits import Limits
from gateway.domain.flexibility import OfferedSlot, SiteFlexibility
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.program import reduction_target
from gateway.flows.dispatch.rivalry import Rivalry
from gridyard.simulate.season.admission import Entry
from gridyard.simulate.season.depots import SLOT, Depots, Flags, Watts
from gridyard.simulate.season.ledger import Moment, unbalanced

RULES = DeliveryRules()
STEP = timedelta(minutes=5)
"""Delivery is looked at in the last minute of each step; the ledger has a line a step."""
_ALL_BUT, _WORTH = 0.99, 0.03
"""A plan is made anew when 3 % more or less is to be asked, or other sites can be counted on."""
_Sites = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What all events share."""

    portfolio: Portfolio
    depots: Depots
    standings: dict[str, Standing]
    history: Mapping[str, Asked]
    """What the event's program has asked of each site so far."""


class Delivery:
    """From the first minute of an event to its last."""

    def __init__(self, entry: Entry, world: World, now: datetime) -> None:
        self._world = world
        self._entry = entry
        first = Correction(modification=entry.event.modification, at=now)
        self._course = Course(event_key=entry.event.key, correction=first)
        self._asked: deque[Watts] = deque(maxlen=LAGS)
        self._last: dict[str, LastSeen] = {}
        self._settled_from = now + RULES.correction.settle
        self._planned: tuple[float, _Sites] | None = None
        self._plan: DispatchPlan | None = None
        self._offers: Sequence[SiteFlexibility] = ()
        self._target = StepSeries()
        self._given_w = np.zeros(len(world.depots.ids))
        self._offered_w = np.zeros(len(world.depots.ids))
        self.revisions = 0
        self.faults: list[str] = []
        self.given: Mapping[str, StepSeries] = {}
        """What each site is asked by the plan as it stands, W."""
        begun = _caps(self._flexibilities(Rivalry(), now), world, whole=True)
        self._course = replace(self._course, expected=expected_share(begun, world.standings))

    @property
    def entry(self) -> Entry:
        """The event as it stands."""
        return self._entry

    def changed(self, entry: Entry, now: datetime) -> None:
        """The utility has modified it, or another event has come between: plan again."""
        if entry.event.modification != self._entry.event.modification:
            self._settled_from = now + RULES.correction.settle
        self._entry = entry
        self._planned = None

    def ask(self, rivalry: Rivalry, now: datetime) -> Watts:
        """What each site is asked in the step from `now`, W."""
        more, counted = self._planned or (inf, ())
        moved = abs(self._course.asked_more - more) > _WORTH
        if moved or counted != self._counted_on(rivalry, now):
            self._plan_again(rivalry, now)
        assert self._plan is not None  # noqa: S101 (planned just now)
        asked_w = np.zeros(len(self._world.depots.ids))
        for one in self._plan.allocations:
            given_w = next((s.reduction_w for s in one.steps if now in s.interval), 0.0)
            asked_w[self._world.depots.index[one.site_id]] = given_w
        self._asked.appendleft(asked_w)
        return asked_w

    def see(
        self, rivalry: Rivalry, now: datetime, mean_w: Watts, last_w: Watts, heard: Flags
    ) -> Moment:
        """Learn from the step that begins `now`; its line in the ledger."""
        plan, asked_w = self._plan, self._asked[0]
        assert plan is not None  # noqa: S101 (asked before)
        target_w = self._target.value_at(now) or 0.0
        wanted_w = plan.target.value_at(now) or 0.0
        sites = list(self._minutes(now, self._mine(rivalry, now, last_w), heard))
        may_w = sum(_caps(self._offers, self._world, whole=False).values())
        minute = Minute(
            now=now + STEP,
            modification=self._entry.event.modification,
            settled_from=self._settled_from,
            target_w=target_w,
            saturated=asked_w.sum() >= _ALL_BUT * may_w or asked_w.sum() < _ALL_BUT * wanted_w,
            sites=sites,
        )
        self._course, after = lived(self._course, self._world.standings, minute, RULES)
        self._world.standings.update(after)
        held = [self._world.depots.index[one.site_id] for one in self._offers if _held(one, now)]
        offer_w = self._offered(now)
        self._given_w += asked_w
        self._offered_w += np.where(asked_w.sum() > 0, offer_w, 0.0)
        short_w = plan.shortfall.value_at(now) or 0.0
        return Moment(
            event_key=self._entry.event.key,
            program_id=self._entry.event.program_id,
            at=now,
            target_w=target_w,
            wanted_w=wanted_w,
            short_w=short_w,
            over_w=plan.over.value_at(now) or 0.0,
            reported_w=max(0.0, target_w - (wanted_w - short_w)),
            asked_w=asked_w,
            offer_w=offer_w,
            whole_offer_w=self._world.depots.offer_w(now),
            delivered_w=float(self._mine(rivalry, now, mean_w)[held].sum()),
        )

    def asked_of(self) -> Mapping[str, Asked]:
        """What each site was asked of what it offered."""
        energies = zip(self._world.depots.ids, self._given_w, self._offered_w, strict=True)
        return {
            site_id: Asked(asked_wh=float(asked) / 12, offered_wh=float(offered) / 12)
            for site_id, asked, offered in energies
            if offered > 0
        }

    def _plan_again(self, rivalry: Rivalry, now: datetime) -> None:
        world, event = self._world, self._entry.event
        self._offers = self._flexibilities(rivalry, now)
        self._target = self._wanted()
        ahead = Interval(start=now, end=event.window.end)
        asked = corrected(
            self._target.clip(ahead), self._course.correction.share, self._course.expected
        )
        self.revisions += 1
        self._plan = plan(
            event,
            asked,
            [
                probed(one, world.standings.get(one.site_id), RULES.standing.quarantine)
                for one in self._offers
            ],
            created_at=now,
            revision=self.revisions,
            reason=self._course.words,
            limits=Limits(history=world.history),
        )
        self.given = {one.site_id: one.reduction for one in self._plan.allocations}
        self._planned = (self._course.asked_more, self._counted_on(rivalry, now))
        self.faults += unbalanced(self._plan)

    def _counted_on(self, rivalry: Rivalry, now: datetime) -> _Sites:
        """Who is left out, who is offline, what the stronger were given: others, another plan."""
        left_out = (s for s, one in self._world.standings.items() if one.quarantine is not None)
        offline = np.flatnonzero(self._world.depots.offline(now)).tolist()
        stronger = [rivalry.given.get(one.event.key) for one in rivalry.stronger]
        return frozenset(left_out), *offline, *stronger

    def _mine(self, rivalry: Rivalry, now: datetime, given_w: Watts) -> Watts:
        """Of what each site gives, W, the part that is this event's."""
        depots, asked_w = self._world.depots, self._asked[0]
        baseline_w, found = depots.baseline_w(now), given_w.copy()
        for one in self._offers:
            k = depots.index[one.site_id]
            left_w = one.baseline.value_at(now)
            if left_w is not None:
                rest_w = float(given_w[k] - (baseline_w[k] - left_w))
                found[k] = own_part(rest_w, float(asked_w[k]), rivalry.beside_w(one.site_id, now))
        return found

    def _wanted(self) -> StepSeries:
        """What the event asks of the portfolio."""
        event, portfolio = self._entry.event, self._world.portfolio
        program = portfolio.program_of(event)
        assert program is not None  # noqa: S101 (it was admitted)
        out = self._entry.stored.opted_out_sites
        promised = portfolio.nominations(event.program_id, event.window.start)
        nominated_w = sum(w for site_id, w in promised.items() if site_id not in out)
        nominated = StepSeries.of([(event.window, nominated_w)])
        baseline = total([one.baseline for one in self._offers if len(one.baseline)])
        return reduction_target(program, event, nominated, baseline)

    def _flexibilities(self, rivalry: Rivalry, now: datetime) -> tuple[SiteFlexibility, ...]:
        """What the sites offer from `now` on, as far as stronger events leave it."""
        ahead = Interval(start=now, end=self._entry.event.window.end)
        slots = tuple(_slots(ahead))
        offline = self._world.depots.offline(now)
        offers = (
            self._offer(site, slots, offline, now)
            for site in self._world.portfolio.addressed(self._entry.event)
        )
        return tuple(rivalry.leaves(one) for one in offers)

    def _offer(
        self, site: Site, slots: Sequence[Interval], offline: Flags, now: datetime
    ) -> SiteFlexibility:
        """What one site offers all events together."""
        depots, out = self._world.depots, self._entry.stored.opted_out_sites
        k = depots.index[site.site_id]
        why = "opted out" if site.site_id in out else "offline" if offline[k] else ""
        told = tuple(
            OfferedSlot(
                interval=slot,
                expected_w=float(depots.baseline_w(slot.start)[k]),
                down_w=float(depots.offer_w(slot.start)[k]),
                sure_w=0.8 * float(depots.offer_w(slot.start)[k]),
                lasts=timedelta(hours=float(depots.lasts_h[k])),
            )
            for slot in slots
        )
        return SiteFlexibility(
            site_id=site.site_id,
            baseline=StepSeries.of((s.interval, s.expected_w) for s in told),
            down_w=max((s.down_w for s in told), default=0.0),
            as_of=now,
            available=bool(told) and not why,
            reason=why,
            slots=told,
            zone=site.time_zone,
        )

    def _minutes(self, now: datetime, given_w: Watts, heard: Flags) -> Iterator[SiteMinute]:
        depots = self._world.depots
        asked = np.zeros((LAGS, len(depots.ids)))
        asked[: len(self._asked)] = np.array(self._asked)
        history, baseline_w = asked.T.tolist(), depots.baseline_w(now)
        for one in self._offers:
            k = depots.index[one.site_id]
            known = bool(heard[k]) and _held(one, now)
            delivered_w = float(given_w[k]) if known else None
            yield SiteMinute(
                site_id=one.site_id,
                offer_w=one.down_w if one.available else 0.0,
                baseline_w=float(baseline_w[k]),
                asked_w=history[k],
                delivered_w=delivered_w,
                last=self._last.get(one.site_id),
            )
            if delivered_w is not None:
                self._last[one.site_id] = LastSeen(at=now + STEP, delivered_w=delivered_w)

    def _offered(self, now: datetime) -> Watts:
        found = np.zeros(len(self._world.depots.ids))
        for one in self._offers:
            left_w = one.baseline.value_at(now)
            floors_w = (s.floor_w for s in one.slots if one.available and now in s.interval)
            if left_w is not None:
                found[self._world.depots.index[one.site_id]] = max(
                    0.0, left_w - next(floors_w, left_w)
                )
        return found


def _slots(window: Interval) -> Iterator[Interval]:
    """Half hours that touch a window, as far as they lie in it."""
    start = window.start.replace(minute=window.start.minute // 30 * 30)
    assert window.end is not None  # noqa: S101 (events of a season have ends)
    while start < window.end:
        yield Interval(start=max(start, window.start), end=min(start + SLOT, window.end))
        start += SLOT


def _held(one: SiteFlexibility, now: datetime) -> bool:
    """Whether the event is in force at a site."""
    return one.baseline.value_at(now) is not None


def _caps(offers: Sequence[SiteFlexibility], world: World, *, whole: bool) -> Mapping[str, float]:
    rules = RULES.standing.quarantine
    return {
        one.site_id: one.down_w
        if whole
        else may_be_asked(one.down_w, world.standings.get(one.site_id), rules)
        for one in offers
        if one.available
    }
