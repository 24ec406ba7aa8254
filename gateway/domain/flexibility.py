"""What each site can give, as dispatch sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.series import StepSeries


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
