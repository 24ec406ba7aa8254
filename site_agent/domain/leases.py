"""What every device does when the agent is gone, and what that costs the site's promise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from site_agent.domain.device import BatteryState, ChargerState, Lapse, PvState
from site_agent.domain.site import SiteSnapshot


class Nature(StrEnum):
    """Kinds of devices that take setpoints."""

    CHARGER = "charger"
    BATTERY = "battery"
    PV = "pv"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseHeld:
    """How long a device's setpoint outlives its writer."""

    device_id: str
    nature: Nature
    lapse: Lapse
    within: timedelta | None
    """After the last refresh; None: never, or it is not known when."""
    then: str
    """What it does from then on, or for ever."""
    cost: str = ""
    """What the site does without because of it."""

    @property
    def lapses(self) -> bool:
        """Whether it is known to let go by itself."""
        return self.lapse is Lapse.DEVICE


def leases(snapshot: SiteSnapshot) -> tuple[LeaseHeld, ...]:
    """Every device that takes setpoints: chargers, batteries, inverters."""
    return tuple(_leases(snapshot))


def _leases(snapshot: SiteSnapshot) -> Iterator[LeaseHeld]:
    yield from (_charger(charger) for charger in snapshot.chargers)
    yield from (_battery(battery) for battery in snapshot.batteries)
    yield from (_pv(inverter) for inverter in snapshot.pv if inverter.takes_limits)


def _charger(charger: ChargerState) -> LeaseHeld:
    spec, lapse = charger.spec, charger.lapse
    if not charger.controllable:
        return LeaseHeld(
            device_id=spec.evse_id,
            nature=Nature.CHARGER,
            lapse=Lapse.NONE,
            within=None,
            then="charges with what its vehicle takes",
            cost="counted at its rating",
        )
    keeps = lapse is Lapse.NONE
    return LeaseHeld(
        device_id=spec.evse_id,
        nature=Nature.CHARGER,
        lapse=lapse,
        within=None if keeps else spec.lapses_after,
        then="keeps its last limit" if keeps else f"{spec.fail_safe_current_a:g} A a phase",
        cost="given only what the site bears for ever; offers no flexibility" if keeps else "",
    )


def _battery(battery: BatteryState) -> LeaseHeld:
    spec = battery.spec
    ends = spec.lapse is Lapse.DEVICE
    return LeaseHeld(
        device_id=spec.battery_id,
        nature=Nature.BATTERY,
        lapse=spec.lapse,
        within=spec.lapses_after if ends else None,
        then="0 W" if ends else "keeps its last setpoint",
        cost=""
        if ends
        else "counted at full charging power without an agent; offers no discharge as flexibility",
    )


def _pv(inverter: PvState) -> LeaseHeld:
    spec = inverter.spec
    ends = spec.lapse is Lapse.DEVICE
    return LeaseHeld(
        device_id=spec.pv_id,
        nature=Nature.PV,
        lapse=spec.lapse,
        within=spec.lapses_after if ends else None,
        then="makes what it can" if ends else "stays limited",
        cost="" if ends else "its yield, until somebody releases it",
    )
