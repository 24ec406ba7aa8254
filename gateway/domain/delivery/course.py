"""One event's delivery from minute to minute: measure, learn, leave out, correct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from contracts.time import Interval
from gateway.domain.delivery.correction import (
    Correction,
    CorrectionRules,
    Look,
    in_words,
    next_correction,
    transferred,
)
from gateway.domain.delivery.credibility import lagged
from gateway.domain.delivery.measured import (
    RECENT,
    LastSeen,
    Memory,
    PortfolioMinute,
    SiteDelivery,
    portfolio_minute,
    recent_share,
    site_delivery,
)
from gateway.domain.delivery.standing import (
    Standing,
    StandingRules,
    after_minute,
    expected_share,
    may_be_asked,
)

MINUTE = timedelta(minutes=1)
KEPT = 120
"""Minutes of an event that are kept to be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRules:
    """How delivery is watched."""

    correction: CorrectionRules = field(default_factory=CorrectionRules)
    standing: StandingRules = field(default_factory=StandingRules)
    memory: Memory = field(default_factory=Memory)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What is known of one event's delivery."""

    event_key: str
    correction: Correction
    expected: float = 1.0
    """Part of what is asked that was expected to arrive when the event began."""
    minutes: tuple[PortfolioMinute, ...] = ()
    """The newest last, at most `KEPT`."""

    @property
    def asked_more(self) -> float:
        """What is asked beyond the target, as a share of it, for both reasons."""
        return (1.0 + self.correction.share) / self.expected - 1.0

    @property
    def recent(self) -> float | None:
        """Part of the target delivered over the last five minutes."""
        return recent_share(self.minutes)

    @property
    def words(self) -> str:
        """`asked 8 % more: 92 % delivered over the last 5 minutes`."""
        return in_words(self.asked_more, self.recent, min(RECENT, len(self.minutes)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteMinute:
    """One site as seen in the minute that has just ended, W."""

    site_id: str
    offer_w: float
    """What it offers, before any of it is left out."""
    baseline_w: float
    asked_w: Sequence[float]
    """Reduction asked in this minute, in the one before, ... six in all."""
    delivered_w: float | None
    """Baseline less measured load; None: not measured."""
    last: LastSeen | None = None
    """Before this minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Minute:
    """All sites of an event in the minute that ends at `now`."""

    now: datetime
    modification: int
    settled_from: datetime
    target_w: float
    saturated: bool
    sites: Sequence[SiteMinute]


def lived(
    course: Course, standings: Mapping[str, Standing], minute: Minute, rules: DeliveryRules
) -> tuple[Course, dict[str, Standing]]:
    """The course after one more minute, and the standings of the event's sites.

    What was expected of sites that are left out from now on (or return) passes from the correction
    to the split.
    """
    known = {s.site_id: standings.get(s.site_id, Standing(site_id=s.site_id)) for s in minute.sites}
    seen = portfolio_minute(
        [_delivery(site, known[site.site_id], minute.now, rules) for site in minute.sites],
        Interval(start=minute.now - MINUTE, end=minute.now),
        minute.target_w,
    )
    after = {s.site_id: _learnt(s, known[s.site_id], minute.now, rules) for s in minute.sites}
    correction = next_correction(course.correction, _look(minute, seen), rules.correction)
    if _left_out(known) != _left_out(after):
        before_share = _expected(minute.sites, known, after, rules)
        after_share = _expected(minute.sites, after, after, rules)
        correction = transferred(correction, before_share, after_share, rules.correction)
    minutes = (*course.minutes, seen)[-KEPT:]
    return replace(course, correction=correction, minutes=minutes), after


def _left_out(standings: Mapping[str, Standing]) -> set[str]:
    return {site_id for site_id, one in standings.items() if one.quarantine is not None}


def _delivery(
    site: SiteMinute, standing: Standing, now: datetime, rules: DeliveryRules
) -> SiteDelivery:
    return site_delivery(
        site.site_id,
        asked_w=site.asked_w[0],
        measured_w=site.delivered_w,
        expected_w=lagged(standing.credibility, site.asked_w),
        last=site.last,
        now=now,
        memory=rules.memory,
    )


def _learnt(site: SiteMinute, standing: Standing, now: datetime, rules: DeliveryRules) -> Standing:
    return after_minute(
        standing, site.asked_w, site.delivered_w, site.baseline_w, now, rules.standing
    )


def _look(minute: Minute, seen: PortfolioMinute) -> Look:
    return Look(
        now=minute.now,
        modification=minute.modification,
        settled_from=minute.settled_from,
        target_w=minute.target_w,
        delivered_w=seen.delivered_w,
        coverage=seen.coverage,
        saturated=minute.saturated,
    )


def _expected(
    sites: Sequence[SiteMinute],
    left_out: Mapping[str, Standing],
    given: Mapping[str, Standing],
    rules: DeliveryRules,
) -> float:
    """What arrives with these left out, by what is known now."""
    probing = rules.standing.quarantine
    offers = {s.site_id: may_be_asked(s.offer_w, left_out[s.site_id], probing) for s in sites}
    return expected_share(offers, given)
