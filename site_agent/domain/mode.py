"""In which mode a site is: derived from its state, never a switch that somebody could leave on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from site_agent.domain.decide.control import Decision
from site_agent.domain.price import NO_PRICE, Level, PriceView
from site_agent.domain.site import SiteSnapshot

_TINY_W = 200.0
"""Below it a flow is a meter's noise."""


class Mode(StrEnum):
    """What the site is doing, in one word for people."""

    ISLAND = "island"
    """The grid is away: batteries and PV carry what they can."""
    PEAK_AVOIDANCE = "peak-avoidance"
    """Grid peak avoidance: a limit, an event, a demand target or a high price holds load back."""
    SOLAR_SURPLUS = "solar-surplus"
    """More is made on the site than it would draw beside its batteries and vehicles."""
    OFF_PEAK = "off-peak"
    """Power is cheap, and vehicles or batteries charge."""
    NORMAL = "normal"
    """None of these: vehicles charge, and nothing holds them back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeNow:
    """The mode and the fact it follows from, in words that complete "because ..."."""

    mode: Mode
    why: str


def mode_of(
    snapshot: SiteSnapshot,
    decision: Decision,
    prices: PriceView = NO_PRICE,
    *,
    island: str = "",
) -> ModeNow:
    """The mode of a site; the first that fits of island, peak avoidance, solar surplus, off-peak.

    Args:
        snapshot: What the cycle saw.
        decision: What it decided, with the envelope it decided in.
        prices: The price now within its day; `NO_PRICE` where there is no tariff.
        island: Why the site runs on its own; empty while the grid is there.
    """
    if island:
        return ModeNow(mode=Mode.ISLAND, why=island)
    held = _held_back(decision)
    if held:
        return ModeNow(mode=Mode.PEAK_AVOIDANCE, why=held)
    surplus_w = surplus(snapshot)
    if surplus_w is not None and surplus_w > _TINY_W:
        why = f"PV makes {surplus_w / 1000:.1f} kW more than the building draws"
        return ModeNow(mode=Mode.SOLAR_SURPLUS, why=why)
    if prices.level is Level.HIGH:
        return ModeNow(mode=Mode.PEAK_AVOIDANCE, why=prices.words)
    if prices.level is Level.LOW and _charges(snapshot, decision):
        return ModeNow(mode=Mode.OFF_PEAK, why=prices.words)
    return ModeNow(mode=Mode.NORMAL, why=decision.binding)


def surplus(snapshot: SiteSnapshot) -> float | None:
    """What the site would export without batteries and vehicles, W; 0: nothing.

    None with a stale meter or a silent battery; a silent charger counts as one that draws nothing.
    """
    power = snapshot.pcc.power_w.fresh(snapshot.at, snapshot.model.meter_max_age)
    max_age = snapshot.model.device_max_age
    stored = [one.power_w.fresh(snapshot.at, max_age) for one in snapshot.batteries]
    if power is None or None in stored:
        return None
    charging = sum(one.power_w.fresh(snapshot.at, max_age) or 0.0 for one in snapshot.chargers)
    moved_w = sum(value for value in stored if value is not None) + charging
    return max(0.0, moved_w - power)


def _held_back(decision: Decision) -> str:
    """What keeps load from the grid: an event, or limits that bind; empty: nothing."""
    envelope = decision.envelope
    if envelope.event:
        return f"an event is in force: {decision.binding}"
    vehicles = any(one.bound_by for one in decision.chargers)
    gives = envelope.storage_w is None and any(one.power_w < 0 for one in decision.batteries)
    return decision.binding if vehicles or gives else ""


def _charges(snapshot: SiteSnapshot, decision: Decision) -> bool:
    """Whether a vehicle may charge, or a battery is asked to."""
    vehicles = any(
        told.limit_a > 0 and (charger.plugged or charger.transaction_id is not None)
        for charger, told in zip(snapshot.chargers, decision.chargers, strict=True)
    )
    return vehicles or any(one.power_w > _TINY_W for one in decision.batteries)
