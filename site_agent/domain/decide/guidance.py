"""What a plan, or the site's own rules, would have devices do now.

Guidance is a wish, never a right: every limit, every readiness promise and every protection comes
first (`control`). Without any, vehicles charge as soon as there is power.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from site_agent.domain.protect.envelope import Bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Guidance:
    """Wishes for one instant, each with its cause in words that complete "because ...".

    Where a wish is missing, the default rule of `control` goes on.
    """

    source: str = ""
    """Who wishes, such as "the plan of 14:05"; empty: nobody."""
    vehicles_w: Mapping[str, Bound] = field(default_factory=dict)
    """By `evse_id`: what its vehicle should charge with, W, >= 0 (negative: give back). More only
    when it would else not be ready, less only when a limit or another vehicle needs it."""
    storage_w: Bound | None = None
    """What all batteries together should do, W, charging positive."""
    import_w: Bound | None = None
    """What the site should stay below at the PCC, W: gives way to vehicles that would be late."""


NO_GUIDANCE = Guidance()


def until(one: Guidance, end: datetime, now: datetime) -> Guidance:
    """`one` while `now` is before `end`, else none: an old plan guides nobody."""
    return one if now < end else NO_GUIDANCE
