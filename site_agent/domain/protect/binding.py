"""Which limits hold the site back, and which it cannot keep, in words for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from site_agent.domain.decide.allocate import Share
from site_agent.domain.device import BatterySetpoint, PvSetpoint
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.protect.budget import Budget, PowerBudget
from site_agent.domain.protect.envelope import Envelope, Limit, Side

_TINY_W = 1.0


def binding(
    envelope: Envelope,
    shares: Mapping[str, Share],
    tight: Sequence[PowerBudget],
    batteries: Sequence[BatterySetpoint],
    pv: Sequence[PvSetpoint],
    *,
    measured: bool,
) -> str:
    """Every limit that keeps the site from doing more, what it does, and whose it is."""
    stale = "" if measured else "; the meter is stale"
    held = list(_held(envelope, shares, tight, batteries, pv))
    nearest = f"nothing binds; the nearest limit is {envelope.import_w.cause}"
    return ("; ".join(held) or nearest) + stale


def unmet(
    available: Budget, out_of_hand: Iterable[Limit], policy: ControlPolicy
) -> Mapping[Side, str]:
    """Limits that nothing the site can still do will keep, and why."""
    short = {
        side: f"{one.limit.cause} cannot be kept: what cannot be moved may draw more"
        for side, one in ((Side.IMPORT, available.power), (Side.LOAD, available.load))
        if one is not None and one.with_margin(policy.margin_share).room.capacity < -_TINY_W
    }
    return short | {
        limit.side: f"{limit.bound.cause} cannot be kept: what cannot be limited may make more"
        for limit in out_of_hand
    }


def _held(
    envelope: Envelope,
    shares: Mapping[str, Share],
    tight: Sequence[PowerBudget],
    batteries: Sequence[BatterySetpoint],
    pv: Sequence[PvSetpoint],
) -> Iterator[str]:
    bound = Counter(share.bound_by for share in shares.values() if share.bound_by)
    for cause, vehicles in bound.most_common():
        yield f"{cause} holds back {vehicles} of {len(shares)} vehicles"
    full = [one.room.cause for one in tight]
    moving = [setpoint for setpoint in batteries if setpoint.power_w != 0]
    if envelope.storage_w is None and any(setpoint.power_w < 0 for setpoint in moving):
        full.append(envelope.import_w.cause)
    yield from (f"{cause} is held" for cause in dict.fromkeys(full) if cause not in bound)
    if envelope.storage_w is not None:
        yield from dict.fromkeys(f"battery {setpoint.cause}" for setpoint in moving)
    yield from dict.fromkeys(f"{one.cause} curtails PV" for one in pv if one.limit_w is not None)
