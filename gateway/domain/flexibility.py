"""What each site can give, as dispatch sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.reading import Reading
from contracts.series import StepSeries
from gateway.domain.words import span


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFlexibility:
    """One site's expected import without an event and the reduction it offers."""

    site_id: str
    baseline: StepSeries
    """Expected import over the event, W; the same baseline the event is settled on."""
    down_w: float
    """Reduction offered against the baseline, W, >= 0; never ask for more."""
    as_of: datetime | None
    """When the site last said so; None when it never did."""
    available: bool
    """False when the site is offline, opted out or otherwise not to be counted on."""
    reason: str = ""
    """Why it is not available, or what to know about the offer or the baseline."""
    floor_w: float | None = None
    """Lowest import the site says it can hold, W; no limit below it is worth sending."""


def offer(
    site_id: str,
    *,
    baseline: StepSeries,
    note: str,
    power: Reading | None,
    flex_down: Reading | None,
    now: datetime,
    max_age: timedelta,
    blocked: str = "",
) -> SiteFlexibility:
    """What a site offers against its baseline, from its newest words.

    A site says how far it could go below its *present* load. What counts for delivery is how far
    that lies below the *baseline*: so the offer stays the same while the site obeys an
    instruction, and falls when the load it could shed has gone. `note` says what to know about the
    baseline; `blocked` why the site is out whatever it says.
    """
    power_w = power.fresh(now, max_age) if power else None
    down_w = flex_down.fresh(now, max_age) if flex_down else None
    why_not = blocked or _why_not(baseline, note, power, power_w, down_w, now)
    floor_w = None if power_w is None or down_w is None else power_w - max(0.0, down_w)
    highest_w = max((step.value for step in baseline), default=0.0)
    return SiteFlexibility(
        site_id=site_id,
        baseline=baseline,
        down_w=0.0 if floor_w is None else max(0.0, highest_w - floor_w),
        as_of=power.at if power else None,
        available=not why_not,
        reason=why_not or note,
        floor_w=floor_w,
    )


def _why_not(
    baseline: StepSeries,
    note: str,
    power: Reading | None,
    power_w: float | None,
    down_w: float | None,
    now: datetime,
) -> str:
    if power is None:
        return "it has never reported its load"
    if power_w is None:
        return f"no usable load value (the newest is {span(now - power.at)} old)"
    if down_w is None:
        return "it does not say how far it can go down"
    return "" if len(baseline) else f"no baseline: {note}"
