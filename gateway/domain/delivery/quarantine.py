"""Who is left out for not delivering, on probation meanwhile, and when it is back.

A site in quarantine is still asked a little, else it could never show that it delivers again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.domain.delivery.credibility import Credibility
from gateway.domain.words import pct


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineRules:
    """When a site is left out and when it returns: apart, so that none goes to and fro."""

    below: float = 0.35
    """A site that gives less than this part of what it is asked is left out ..."""
    above: float = 0.75
    """... until it gives more than this."""
    least_minutes: int = 5
    """Nobody is judged on fewer minutes."""
    probing: float = 0.15
    """Part of its offer that a site in quarantine is asked at most."""
    trial_after: timedelta = timedelta(days=1)
    """After so long it is tried again in full: it may not have been asked since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """A site left out."""

    since: datetime
    reason: str


def judged(
    before: Quarantine | None, credibility: Credibility, now: datetime, rules: QuarantineRules
) -> Quarantine | None:
    """Whether the site is left out from now on."""
    if before is None:
        bad = credibility.minutes >= rules.least_minutes and credibility.expected < rules.below
        reason = f"it gives {pct(credibility.expected)} of what it is asked"
        return Quarantine(since=now, reason=reason) if bad else None
    back = credibility.expected > rules.above or now - before.since >= rules.trial_after
    return None if back else before
