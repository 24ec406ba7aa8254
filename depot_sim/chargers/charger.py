"""One simulated charger: physics, state and link together."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.time import Clock
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.dialect import Dialect, Nameplate
from depot_sim.chargers.events import BootReason, EndReason, RestartDue
from depot_sim.chargers.link import Endpoint, Link, Trouble
from depot_sim.chargers.ocpp16 import charge_point as ocpp16
from depot_sim.chargers.ocpp21 import charging_station as ocpp21
from depot_sim.chargers.ocpp201 import charging_station as ocpp201
from depot_sim.chargers.personality import Personality
from depot_sim.chargers.rules import Rules, StationSettings
from depot_sim.chargers.station import Station
from depot_sim.faults import FaultKind, Faults
from depot_sim.physics.evse import Evse
from depot_sim.physics.phases import PhaseWatts
from depot_sim.physics.vehicle import Vehicle

_Speaker = Callable[[Cabinet], Dialect]
VERSIONS: Mapping[str, tuple[_Speaker, Rules]] = {
    "1.6": (ocpp16.ChargePoint16, ocpp16.RULES),
    "2.0.1": (ocpp201.ChargingStation201, ocpp201.RULES),
    "2.1": (ocpp21.ChargingStation21, ocpp201.RULES),
}


FAULTS = frozenset(
    {
        FaultKind.DROP,
        FaultKind.KILL,
        FaultKind.REBOOT,
        FaultKind.UNRESPONSIVE,
        FaultKind.FREEZE,
        FaultKind.LAG,
        FaultKind.WRONG_CLOCK,
    }
)
_REBOOT_S = 10.0
"""A reboot takes so long unless told otherwise."""
_BOOT_REASONS = {FaultKind.KILL: BootReason.POWER_UP, FaultKind.REBOOT: BootReason.WATCHDOG}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerSpec:
    """What a charger is; `version` is "1.6", "2.0.1" or "2.1"."""

    endpoint: Endpoint
    version: str
    evses: Mapping[int, Evse]
    personality: Personality
    meter_interval_s: int = 10
    seed: str = ""
    """Of whatever the personality leaves to chance."""
    model: str = "Simulated EVSE"


class Charger:
    """A charging station of the plant. Knows the faults of `FAULTS`."""

    def __init__(self, spec: ChargerSpec, clock: Clock) -> None:
        speaker, rules = VERSIONS[spec.version]
        self.id = spec.endpoint.charger_id
        self._clock = clock
        self._faults = Faults(FAULTS, clock.monotonic)
        self.station = Station(
            evses=spec.evses,
            personality=spec.personality,
            rules=rules,
            settings=StationSettings(
                meter_interval_s=spec.meter_interval_s,
                security_profile=spec.endpoint.security_profile,
            ),
        )
        plate = Nameplate(id=self.id, model=spec.model)
        self.cabinet = Cabinet(self.station, plate, self.now, self._reset)
        dialect = speaker(self.cabinet)
        self._link = Link(
            endpoint=spec.endpoint,
            station=self.station,
            dialect=dialect,
            clock=clock,
            now=self.now,
            trouble=self._trouble(),
            dice=random.Random(f"{spec.seed}/{self.id}"),  # noqa: S311 - repeatable, not secret
        )

    def _trouble(self) -> Trouble:
        faults = self._faults
        return Trouble(
            away_s=lambda: faults.remaining_s(FaultKind.DROP, FaultKind.KILL, FaultKind.REBOOT),
            is_deaf=lambda: faults.active(FaultKind.UNRESPONSIVE),
            lag_s=lambda: faults.amount(FaultKind.LAG),
        )

    def now(self) -> datetime:
        """The charger's own idea of the time, wrong or right."""
        ahead_s = self._faults.amount(FaultKind.WRONG_CLOCK)
        return self._clock.now() + timedelta(seconds=ahead_s) if ahead_s else self._clock.now()

    async def run(self) -> None:
        """Stay connected to the central system until cancelled."""
        await self._link.run()

    @property
    def connected(self) -> bool:
        """Whether there is a socket to the central system."""
        return self._link.connected

    @property
    def phases_w(self) -> PhaseWatts:
        """What it draws, phase by phase."""
        return self.station.phases_w

    @property
    def power_w(self) -> float:
        """What it draws."""
        return sum(self.phases_w)

    def step(self, now_s: float, dt_s: float) -> None:
        """Let `dt_s` pass."""
        del now_s  # a charger lives by the wall clock, as its schedules do
        powered = self._faults.remaining_s(FaultKind.KILL, FaultKind.REBOOT) <= 0
        self.station.stick_meter(stuck=self._faults.active(FaultKind.FREEZE))
        self.station.step(self.now(), dt_s, powered=powered)

    def plug(self, vehicle: Vehicle, evse_id: int = 1) -> None:
        """Put a vehicle on the cable.

        Raises:
            ValueError: the outlet is taken.
        """
        self.station.plug(evse_id, vehicle, self.now())

    def present(self, id_tag: str, evse_id: int = 1) -> None:
        """Show a tag at an outlet: to start or, with the same tag or group, to stop."""
        self.station.present(evse_id, id_tag, self.now())

    def limit_externally(self, current_a: float | None) -> None:
        """Let a grid operator or an energy manager limit the station, per phase, or free it."""
        self.cabinet.limit_externally(current_a)

    def unplug(self, evse_id: int = 1) -> Vehicle | None:
        """Take the vehicle off the cable; the vehicle as it leaves."""
        return self.station.unplug(evse_id, self.now())

    def vehicle(self, evse_id: int = 1) -> Vehicle | None:
        """The vehicle on the cable, as it is now."""
        return self.station.outlets[evse_id].evse.vehicle

    def fail(self, kind: FaultKind, for_s: float | None, amount: float | None = None) -> None:
        """Let a fault begin, for some seconds or for good (None); a reboot then takes 10 s.

        Raises:
            ValueError: not a fault of a charger.
        """
        if kind is FaultKind.REBOOT and for_s is None:
            for_s = _REBOOT_S
        self._faults.begin(kind, for_s, amount)
        if kind in {FaultKind.KILL, FaultKind.REBOOT}:
            self.station.reboot(EndReason.POWER_LOSS, self.now())
            self._link.boot_again(_BOOT_REASONS[kind])
        if kind in {FaultKind.KILL, FaultKind.REBOOT, FaultKind.DROP}:
            self._link.cut()

    def _reset(self, reason: EndReason) -> None:
        now = self.now()
        self.station.reboot(reason, now)
        self._link.boot_again(BootReason.REMOTE_RESET)
        self.station.outbox.put(RestartDue(at=now))
