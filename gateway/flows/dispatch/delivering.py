"""The closed loop: once a minute, what an event's sites gave, and what follows for the next.

Samples are taken whenever dispatch looks at the event; every `every` they make a minute of its
course. What is learnt is kept at once, so that a restart goes on where it was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

import structlog

from contracts.errors import TransientError
from contracts.reading import Reading
from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.conflict import own_part
from gateway.domain.delivery import rebound
from gateway.domain.delivery.correction import Correction, corrected
from gateway.domain.delivery.course import (
    KEPT,
    MINUTE,
    Course,
    DeliveryRules,
    Minute,
    SiteMinute,
    lived,
)
from gateway.domain.delivery.credibility import LAGS
from gateway.domain.delivery.measured import LastSeen, mean_load
from gateway.domain.delivery.standing import (
    Standing,
    change_in_words,
    expected_share,
    may_be_asked,
    probed,
)
from gateway.domain.dispatch import SiteAllocation
from gateway.domain.event import EventStatus
from gateway.domain.flexibility import SiteFlexibility
from gateway.domain.scope import Scope
from gateway.flows.dispatch.options import DispatchOptions
from gateway.flows.dispatch.situation import Situation
from gateway.flows.sites.instructions import told
from gateway.flows.sites.live import Live
from gateway.ports import DeliveryMemory, JournalEntry, Ledger

_log = structlog.get_logger(__name__)

_SAMPLES = 120
"""Readings kept of a site: two minutes of one that reports every second."""
_ALL_BUT = 0.99
"""With so much of what may be asked asked already, there is nothing more to ask for."""
_ALMOST = 0.97
"""Where less than this part of what is wanted is asked, other bounds hold: energy, ramps, ..."""
_WATCHED = timedelta(minutes=15)
"""How long the load is watched once all sites are free."""
_WORTH_A_WORD = 0.005
_SAME = 0.05
"""A target that moves by less than this part is no change that sites must follow first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """What delivery so far says about the next plan."""

    course: Course
    standings: Mapping[str, Standing] = field(default_factory=dict)
    rules: DeliveryRules = field(default_factory=DeliveryRules)

    def sites(self, offers: Iterable[SiteFlexibility]) -> tuple[SiteFlexibility, ...]:
        """The offers, but of one that is left out only a probing part."""
        probing = self.rules.standing.quarantine
        return tuple(probed(one, self.standings.get(one.site_id), probing) for one in offers)

    def asked(self, target: StepSeries) -> StepSeries:
        """What to ask the sites for so that the target arrives."""
        return corrected(target, self.course.correction.share, self.course.expected)

    @property
    def words(self) -> str:
        """Why more or less is asked than is wanted; empty when it is not."""
        return self.course.words if abs(self.course.asked_more) >= _WORTH_A_WORD else ""


class Delivering:
    """Of all events under way; standings of sites are common to them."""

    def __init__(
        self, live: Live, memory: DeliveryMemory, ledger: Ledger, options: DispatchOptions
    ) -> None:
        self._live = live
        self._memory = memory
        self._ledger = ledger
        self._rules = options.delivery or DeliveryRules()
        back = options.restoration
        self._watched = _WATCHED + (back.longest if back else timedelta(0))
        self._told: set[str] = set()
        self._off = options.delivery is None
        self._standings: dict[str, Standing] | None = None
        self._courses: dict[str, Course] = {}
        self._readings: dict[tuple[str, Scope], deque[Reading]] = {}
        self._last: dict[str, LastSeen] = {}
        self._asked: dict[tuple[str, str], deque[float]] = {}
        self._baseline_w: dict[tuple[str, str], float] = {}
        self._seen_at: dict[str, datetime] = {}

    async def look(self, seen: Situation) -> Steering:
        """Sample, live a minute when one is over, and say what is known.

        Raises:
            TransientError: what was known before cannot be read.
        """
        if self._off:
            return Steering(course=_unseen(seen))
        standings = await self._known_standings()
        course = await self._known_course(seen)
        self._sample(seen)
        status = seen.event.status(seen.now)
        if status in (EventStatus.FAR, EventStatus.NEAR):
            course = replace(course, expected=self._expected(seen, standings))
            self._courses[seen.event.key] = course
        elif seen.wanted and self._minute_is_over(seen):
            course = await self._live_a_minute(seen, course, standings)
        elif status is EventStatus.COMPLETED and self._minute_is_over(seen):
            course = await self._watch_return(seen, course)
        return Steering(course=course, standings=dict(standings), rules=self._rules)

    def standing(self, site_id: str) -> Standing:
        """What is known of one site; nothing before the first look."""
        return (self._standings or {}).get(site_id, Standing(site_id=site_id))

    def course(self, event_key: str) -> Course | None:
        """How an event goes that is under way or in view."""
        return self._courses.get(event_key)

    def keep_only(self, event_keys: set[str]) -> None:
        """Forget, in memory, events that are out of view."""
        self._courses = {k: c for k, c in self._courses.items() if k in event_keys}
        self._seen_at = {k: at for k, at in self._seen_at.items() if k in event_keys}
        self._asked = {k: one for k, one in self._asked.items() if k[0] in event_keys}
        self._baseline_w = {k: w for k, w in self._baseline_w.items() if k[0] in event_keys}

    async def _known_standings(self) -> dict[str, Standing]:
        if self._standings is None:
            self._standings = {one.site_id: one for one in await self._memory.standings()}
        return self._standings

    async def _known_course(self, seen: Situation) -> Course:
        key = seen.event.key
        if key not in self._courses:
            self._courses[key] = await self._memory.course(key) or _unseen(seen)
        return self._courses[key]

    def _sample(self, seen: Situation) -> None:
        point = seen.scope.point
        for site in seen.sites:
            newest = seen.scope.read(self._live.site(site.site_id).readings.get(point))
            known = self._readings.setdefault((site.site_id, seen.scope), deque(maxlen=_SAMPLES))
            if newest is not None and (not known or known[-1].at < newest.at):
                known.append(newest)

    def _minute_is_over(self, seen: Situation) -> bool:
        last = self._seen_at.get(seen.event.key, seen.event.window.start)
        return seen.now - last >= MINUTE

    def _expected(self, seen: Situation, standings: Mapping[str, Standing]) -> float:
        return expected_share(self._offers(seen, standings), standings)

    def _offers(self, seen: Situation, standings: Mapping[str, Standing]) -> Mapping[str, float]:
        rules = self._rules.standing.quarantine
        return {
            one.site_id: may_be_asked(_cap(one), standings.get(one.site_id), rules)
            for one in seen.flexibilities
        }

    async def _live_a_minute(
        self, seen: Situation, before: Course, standings: dict[str, Standing]
    ) -> Course:
        """The minute that has just ended, learnt from and kept."""
        self._seen_at[seen.event.key] = seen.now
        middle = seen.now - MINUTE / 2
        planned = _planned(seen, middle)
        sites = [self._of_site(seen, one, middle, planned) for one in seen.flexibilities]
        asked_w = sum(site.asked_w[0] for site in sites)
        may_w = sum(self._offers(seen, standings).values())
        target_w = seen.target.value_at(middle) or 0.0
        wanted_w = target_w * (1.0 + before.asked_more)
        minute = Minute(
            now=seen.now,
            modification=seen.event.modification,
            settled_from=_changed_at(seen) + self._rules.correction.settle,
            target_w=target_w,
            saturated=asked_w >= _ALL_BUT * may_w or asked_w < _ALMOST * wanted_w,
            sites=sites,
        )
        course, after = lived(before, standings, minute, self._rules)
        self._courses[seen.event.key] = course
        self._remember(sites, seen.now)
        changed = [one for one in after.values() if one != standings.get(one.site_id)]
        entries = _entries(seen, standings, changed)
        standings.update(after)
        await self._keep(course, changed, entries)
        return course

    async def _watch_return(self, seen: Situation, before: Course) -> Course:
        """A minute after the end; when enough were seen, what came back is written down."""
        end = seen.window.end or seen.now
        job = f"{seen.event.key} rebound"
        if seen.scope.turned:
            return before  # what leaves again is no load that comes back
        if seen.now - end > self._watched:
            if seen.event.key not in self._told and await self._ledger.claim_job(job, end):
                why = rebound.in_words(before, end)
                entry = JournalEntry(
                    at=seen.now, subject=seen.event.key, action="the load is back", cause=why
                )
                await self._ledger.log(entry)
            self._told.add(seen.event.key)
            return before
        self._seen_at[seen.event.key] = seen.now
        minute = Interval(start=seen.now - MINUTE, end=seen.now)
        given = [self._beyond(seen, one.site_id, minute) for one in seen.flexibilities]
        made = rebound.returning_minute(given, minute)
        if made is None or minute.start < end:
            return before
        course = replace(before, minutes=(*before.minutes, made)[-KEPT:])
        self._courses[seen.event.key] = course
        await self._keep(course, (), ())
        return course

    def _beyond(self, seen: Situation, site_id: str, minute: Interval) -> float | None:
        """Baseline less load after the end, where the baseline goes on as it was last."""
        baseline_w = self._baseline_w.get((seen.event.key, site_id))
        load_w = mean_load(self._readings.get((site_id, seen.scope), ()), minute)
        return None if load_w is None or baseline_w is None else baseline_w - load_w

    def _of_site(
        self,
        seen: Situation,
        one: SiteFlexibility,
        middle: datetime,
        planned: Mapping[str, SiteAllocation],
    ) -> SiteMinute:
        baseline_w = one.baseline.value_at(middle)
        load_w = mean_load(
            self._readings.get((one.site_id, seen.scope), ()),
            Interval(start=seen.now - MINUTE, end=seen.now),
        )
        asked_w = _asked_of(seen, one, middle, planned)
        # What weaker events have been given comes after what this one asked.
        theirs_w = seen.rivalry.beside_w(one.site_id, middle)
        known = baseline_w is not None and load_w is not None
        if baseline_w is not None:
            self._baseline_w[seen.event.key, one.site_id] = baseline_w
        return SiteMinute(
            site_id=one.site_id,
            offer_w=_cap(one),
            baseline_w=baseline_w or 0.0,
            asked_w=self._history(seen, one.site_id, asked_w),
            delivered_w=own_part((baseline_w or 0.0) - (load_w or 0.0), asked_w, theirs_w)
            if known
            else None,
            last=self._last.get(one.site_id),
        )

    def _history(self, seen: Situation, site_id: str, asked_w: float) -> Sequence[float]:
        """What was asked in each of the last six minutes, this one first."""
        key = (seen.event.key, site_id)
        if key not in self._asked:
            # After a restart amid the event: as it is now, so it is taken to have been.
            long_since = seen.now - seen.event.window.start > LAGS * MINUTE
            before_w = asked_w if long_since else 0.0
            self._asked[key] = deque([before_w] * LAGS, maxlen=LAGS)
        self._asked[key].appendleft(asked_w)
        return tuple(self._asked[key])

    def _remember(self, sites: Sequence[SiteMinute], now: datetime) -> None:
        for site in sites:
            if site.delivered_w is not None:
                self._last[site.site_id] = LastSeen(at=now, delivered_w=site.delivered_w)

    async def _keep(
        self, course: Course, changed: Sequence[Standing], entries: Sequence[JournalEntry]
    ) -> None:
        """A disk that fails now costs a restart what was learnt, and the loop nothing."""
        try:
            await self._memory.keep(course, changed)
            if entries:
                await self._ledger.log(*entries)
        except TransientError as error:
            _log.warning("delivery_not_kept", event_key=course.event_key, why=str(error))


def _unseen(seen: Situation) -> Course:
    first = Correction(modification=seen.event.modification, at=seen.now)
    return Course(event_key=seen.event.key, correction=first)


def _cap(one: SiteFlexibility) -> float:
    return one.down_w if one.available else 0.0


def _planned(seen: Situation, at: datetime) -> Mapping[str, SiteAllocation]:
    """Each site's part of the plan that held at an instant."""
    plan = next((one for one in reversed(seen.plans) if one.created_at <= at), None)
    return {} if plan is None else {one.site_id: one for one in plan.allocations}


def _asked_of(
    seen: Situation, one: SiteFlexibility, at: datetime, planned: Mapping[str, SiteAllocation]
) -> float:
    """By how much the limit a site has taken lies below its baseline, W; 0 without one.

    Where the newest instruction came later than `at`: what the plan of that time asked.
    """
    newest, baseline_w = seen.newest.get(one.site_id), one.baseline.value_at(at)
    if newest is not None and newest.instruction.issued_at > at:
        before = planned.get(one.site_id)
        return 0.0 if before is None else before.reduction.value_at(at) or 0.0
    if newest is None or not newest.statuses or baseline_w is None:
        return 0.0
    limits = (
        told_w
        for step in newest.instruction.steps
        if step.start <= at < step.end and (told_w := told(step)) is not None
    )
    return max(0.0, baseline_w - min(limits, default=baseline_w))


def _changed_at(seen: Situation) -> datetime:
    """Since when the target has been about what it is."""
    steps = [s for s in seen.target if s.interval.start <= seen.now]
    since = seen.event.window.start
    for before, after in pairwise(steps):
        if abs(after.value - before.value) > _SAME * max(before.value, after.value):
            since = after.interval.start
    return since


def _entries(
    seen: Situation, before: Mapping[str, Standing], changed: Sequence[Standing]
) -> list[JournalEntry]:
    """Who is left out or back, under the event and under the site."""
    found: list[JournalEntry] = []
    for after in changed:
        was = before.get(after.site_id, Standing(site_id=after.site_id))
        words = change_in_words(was, after)
        if words is not None:
            what, why = words
            key, at = seen.event.key, seen.now
            found += [
                JournalEntry(at=at, subject=key, action=f"{after.site_id}: {what}", cause=why),
                JournalEntry(at=at, subject=after.site_id, action=f"{key}: {what}", cause=why),
            ]
    return found
