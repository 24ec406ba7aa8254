"""What is known of each site's delivery from all events so far, kept over restarts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import fsum

from gateway.domain.delivery.credibility import Credibility, CredibilityRules, learnt
from gateway.domain.delivery.quarantine import Quarantine, QuarantineRules, judged
from gateway.domain.flexibility import SiteFlexibility
from gateway.domain.words import pct

_LEAST_EXPECTED = 0.7
"""However little sites have given, no more is asked ahead of measurement than this would need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One site's."""

    site_id: str
    credibility: Credibility = field(default_factory=Credibility)
    quarantine: Quarantine | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingRules:
    """How standings are learnt."""

    credibility: CredibilityRules = field(default_factory=CredibilityRules)
    quarantine: QuarantineRules = field(default_factory=QuarantineRules)


def after_minute(
    before: Standing,
    asked_w: Sequence[float],
    delivered_w: float | None,
    baseline_w: float,
    now: datetime,
    rules: StandingRules,
) -> Standing:
    """The standing after one more minute; see `credibility.learnt`."""
    known = learnt(before.credibility, asked_w, delivered_w, baseline_w, rules.credibility)
    return _judged(replace(before, credibility=known), now, rules.quarantine)


def change_in_words(before: Standing, after: Standing) -> tuple[str, str] | None:
    """What happened and why, when the site was left out or is back."""
    left, back = after.quarantine, before.quarantine
    if left is not None and back is None:
        return "left out for not delivering", left.reason
    if left is None and back is not None:
        given = pct(after.credibility.expected)
        lasted = f"left out since {back.since.isoformat(timespec='minutes')}"
        return "counted on again", f"{lasted}; it gives {given} of what it is asked"
    return None


def may_be_asked(offer_w: float, standing: Standing | None, rules: QuarantineRules) -> float:
    """Part of an offer that may be asked, W: all, or a probing part of one that is left out."""
    left_out = standing is not None and standing.quarantine is not None
    return rules.probing * offer_w if left_out else offer_w


def probed(
    one: SiteFlexibility, standing: Standing | None, rules: QuarantineRules
) -> SiteFlexibility:
    """What may be asked of a site: its offer, or a probing part of it while it is left out."""
    if standing is None or standing.quarantine is None or not one.available:
        return one
    note = f"left out, asked {pct(rules.probing)} to see: {standing.quarantine.reason}"
    return replace(one, down_w=may_be_asked(one.down_w, standing, rules), reason=note)


def expected_share(offers_w: Mapping[str, float], standings: Mapping[str, Standing]) -> float:
    """Part of what is asked of all that is expected to arrive, in [0.7, 1].

    The mean over what may be asked of each site; a site without a standing is believed.
    """
    weights = {site_id: w for site_id, w in offers_w.items() if w > 0}
    total_w = fsum(weights.values())
    if total_w <= 0:
        return 1.0
    given_w = fsum(w * _expected(standings.get(site_id)) for site_id, w in weights.items())
    return min(1.0, max(_LEAST_EXPECTED, given_w / total_w))


def _expected(standing: Standing | None) -> float:
    return 1.0 if standing is None else min(1.0, standing.credibility.expected)


def _judged(one: Standing, now: datetime, rules: QuarantineRules) -> Standing:
    verdict = judged(one.quarantine, one.credibility, now, rules)
    tried_again = (
        one.quarantine is not None and verdict is None and one.credibility.expected <= rules.above
    )
    if not tried_again:
        return replace(one, quarantine=verdict)
    known = replace(one.credibility, expected=rules.above, minutes=0)
    return replace(one, credibility=known, quarantine=None)
