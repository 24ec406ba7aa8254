"""How much an island gives away, by what its batteries hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from site_agent.domain.device import BatteryState


class Stage(IntEnum):
    """Who may charge in an island."""

    ALL = 0
    """Critical chargers first, then all others, from batteries and PV."""
    CRITICAL = 1
    """Critical chargers alone, from batteries and PV."""
    SUN = 2
    """Nobody from the batteries: they are kept for the building. What PV makes beyond it may
    charge, critical chargers first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IslandPolicy:
    """What is critical, and when the rest must go."""

    evses: frozenset[str] = frozenset()
    """Critical EVSEs."""
    vehicles: frozenset[str] = frozenset()
    """Critical vehicles, wherever they stand."""
    fed: frozenset[str] | None = None
    """EVSEs on the island's side of the transfer switch; None: all of them."""
    building_w: float = 0.0
    """What is reserved for critical loads of the building, W, also while it draws less."""
    all_above_pct: float = 60.0
    critical_above_pct: float = 30.0
    """State of charge below which the next stage begins."""
    regain_pct: float = 5.0
    """So much more charge ends a stage."""
    headroom_share: float = 0.1
    """Of what batteries can give, what is kept for loads that come on by themselves: an island that
    is asked for more than it has goes dark."""
    pv_share: float = 0.8
    """Of what PV makes now, what may be counted on: clouds come within seconds, and the batteries
    then have to carry it."""


def charge_pct(
    batteries: Iterable[BatteryState], now: datetime, max_age: timedelta
) -> float | None:
    """State of charge over all batteries, by capacity; None unless all of them tell theirs."""
    known = [(one.soc_pct.fresh(now, max_age), one.spec.capacity_wh) for one in batteries]
    if not known or any(soc is None for soc, _ in known):
        return None
    return sum((soc or 0.0) * wh for soc, wh in known) / sum(wh for _, wh in known)


def stage_of(soc_pct: float | None, before: Stage | None, policy: IslandPolicy) -> Stage:
    """The stage now; an unknown state of charge counts as empty.

    `before`: the stage a moment ago (None: the island begins); a stage with more power begins only
    `regain_pct` above where it ended.
    """
    if soc_pct is None:
        return Stage.SUN
    falling = _stage(soc_pct, policy, 0.0)
    if before is None or falling >= before:
        return falling
    return min(before, _stage(soc_pct, policy, policy.regain_pct))


def _stage(soc_pct: float, policy: IslandPolicy, above_pct: float) -> Stage:
    if soc_pct >= min(100.0, policy.all_above_pct + above_pct):
        return Stage.ALL
    return Stage.CRITICAL if soc_pct >= policy.critical_above_pct + above_pct else Stage.SUN
