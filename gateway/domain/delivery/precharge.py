"""Charging ahead of an event: sites are told as early as we know, and decide by themselves.

Nothing above the baseline is ever imposed before an event: an instruction carries its future limits
from the moment it is sent, and a site's own plan sees them and charges before what it cannot charge
during them. So all that is left to decide is whether a program lets us tell so early.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.domain.words import span

WORTH_TELLING = timedelta(minutes=15)
"""A shorter notice leaves nothing worth charging ahead."""


def notice_in_words(starts_at: datetime, now: datetime) -> str:
    """What a site's owner is told with an instruction for an event to come; empty if too late."""
    ahead = starts_at - now
    if ahead < WORTH_TELLING:
        return ""
    return f"told {span(ahead)} ahead: what is needed can be charged before"
