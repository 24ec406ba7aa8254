"""Charging returns in steps after an event or an outage: no snap-back.

When many sites are let go at the same instant, what they held back comes at once and makes a new
peak, higher than the one that was avoided (cold load pickup, rebound). So each site waits for a
time of its own and then takes back a share of what it dropped, minute by minute.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor

from site_agent.domain.protect.envelope import Bound, Limit, Side

_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePolicy:
    """How fast load returns."""

    share_per_minute: float = 0.2
    """Of what was dropped; 0.2: all is back after 5 minutes."""
    most_delay: timedelta = timedelta(seconds=60)
    """A site begins at a random time within this, its own for each occasion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """One return, from what was drawn at its beginning to everything."""

    after: str
    """What has ended, such as `event` or `the outage`."""
    ended: datetime
    begins: datetime
    base_w: float
    """Controllable load when it ended, W."""
    whole_w: float
    """Most that may come, W: what chargers and batteries could take."""


def restoration(
    after: str,
    ended: datetime,
    base_w: float,
    whole_w: float,
    seed: str,
    policy: RestorePolicy,
) -> Restoration:
    """A return that begins at a time of this site's own (`seed`: the site and the occasion).

    The same seed gives the same time: a restart in between changes nothing.
    """
    delay = policy.most_delay * _fraction(f"{seed}/{after}/{ended.isoformat()}")
    return Restoration(
        after=after, ended=ended, begins=ended + delay, base_w=base_w, whole_w=whole_w
    )


def allowed_w(one: Restoration, now: datetime, policy: RestorePolicy) -> float | None:
    """Load that may be drawn at `now`, W; None once the return is complete."""
    dropped_w = one.whole_w - one.base_w
    if dropped_w <= 0:
        return None
    if now < one.begins:
        return one.base_w
    steps = 1 + floor((now - one.begins) / _STEP)
    share = steps * policy.share_per_minute
    return None if share >= 1.0 else one.base_w + share * dropped_w


def restoring(
    one: Restoration, now: datetime, needed_w: float, policy: RestorePolicy
) -> Limit | None:
    """The limit on load of a return, never below what keeps vehicles on time; None: it is over."""
    value = allowed_w(one, now, policy)
    if value is None:
        return None
    cause = f"the return after {one.after}, in steps of {policy.share_per_minute:.0%} a minute"
    return Limit(side=Side.LOAD, bound=Bound(value=max(value, needed_w), cause=cause))


def _fraction(seed: str) -> float:
    """Evenly spread over [0, 1)."""
    digest = hashlib.sha256(seed.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
