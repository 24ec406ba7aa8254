"""The configured devices of a site, without their agent."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from contracts.config import Settings
from contracts.reading import Reading
from contracts.time import Clock
from site_agent.config import SiteSettings
from site_agent.config.devices import ModbusSettings, ProfileChargerSettings, ProfileSettings
from site_agent.devices.commissioning.found import Nature
from site_agent.devices.commissioning.read_only import ReadOnlyLink
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.modbus.settings import link_settings
from site_agent.devices.mqtt.broker import BrokerAddress
from site_agent.devices.mqtt.plan import site_address
from site_agent.devices.points.charger import PointCharger
from site_agent.devices.points.vocabulary import POINTS
from site_agent.devices.profiles.library import find
from site_agent.devices.profiles.schema import Lapse
from site_agent.devices.registry import (
    METERS,
    PV_INVERTERS,
    make_battery,
    make_broker,
    make_charger,
    make_sensor,
)
from site_agent.devices.workshop import Workshop
from site_agent.domain.device import BatteryState, ChargerState, MeterState, PvState
from site_agent.ports import Battery, KeyValues, Meter, PvInverter, Sensor, SessionStore

METER_ID = "meter"
"""How the meter at the connection point is called here; it has no id of its own."""

_Stated = Meter | Battery | PvInverter | PointCharger
AnyDevice = _Stated | Sensor
State = MeterState | BatteryState | PvState | ChargerState


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One device to be looked at."""

    id: str
    nature: Nature
    settings: Any
    """Those of its kind."""
    device: AnyDevice
    link: RegisterLink | None
    """None: it is not on Modbus."""

    @property
    def period_s(self) -> float:
        """How often it should have something new to say."""
        if isinstance(self.settings, ProfileSettings):
            return min(group.every for group in find(self.settings.profile).groups.values())
        return float(getattr(self.settings, "period_s", 1.0))

    @property
    def lease_s(self) -> float:
        """The device's own timer for setpoints; infinite where it has none."""
        if isinstance(self.settings, ProfileSettings):
            lapse = find(self.settings.profile).lapse
            return lapse.seconds if isinstance(lapse, Lapse) else math.inf
        return float(self.settings.lease_s)

    def readings(self, now: datetime) -> Mapping[str, Reading]:
        """What it says now in the vocabulary's signs and units."""
        if self.nature is Nature.SENSOR:
            return cast(Sensor, self.device).readings(now)
        return readings_of(cast(_Stated, self.device).state(now))


def readings_of(state: State) -> dict[str, Reading]:
    """What a device of the control loop says, by name."""
    said = {"active_power": state.power_w}
    if isinstance(state, MeterState):
        said |= {f"current_l{n}": one for n, one in enumerate(state.current_a, start=1)}
        said["import_energy"] = state.import_wh
        if state.export_wh is not None:
            said["export_energy"] = state.export_wh
    if isinstance(state, BatteryState):
        said["soc"] = state.soc_pct
    if isinstance(state, ChargerState):
        said |= {"current": state.current_a, "session_energy": state.energy_wh}
    return said


def lead_of(said: Mapping[str, Reading]) -> str:
    """The reading that a device is judged by: its power, or the first it has."""
    return "active_power" if "active_power" in said else next(iter(said))


def unit_of_reading(name: str) -> str:
    """The unit of a reading by its name; those of sensors end in it."""
    point = POINTS.get(name)
    if point is not None:
        return point.unit
    return "A" if name == "current" else ""


class _Shop(Workshop):
    """Its links cannot write but to places where that was asked for."""

    def __init__(
        self,
        site_id: str,
        clock: Clock,
        broker: BrokerAddress | None,
        memory: KeyValues | None,
        writable: Set[str],
    ) -> None:
        super().__init__(site_id, clock, _nobody, broker, memory)
        self._writable = writable

    def link(self, settings: ModbusSettings) -> RegisterLink:
        """As its parent's."""
        wanted = link_settings(settings)
        if wanted.where not in self._writable | self.links.keys():
            self.links[wanted.where] = ReadOnlyLink(wanted, self.clock)
        return super().link(settings)


class Yard:
    """The devices of a site, the meter first; each is silent until it is started."""

    def __init__(self, candidates: Sequence[Candidate], group: asyncio.TaskGroup) -> None:
        self.candidates = candidates
        self._group = group
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def meter(self) -> Candidate:
        """That at the connection point."""
        return self.candidates[0]

    def start(self, candidate: Candidate) -> None:
        """Let it poll, or listen, from now on."""
        if candidate.id not in self._tasks:
            self._tasks[candidate.id] = self._group.create_task(candidate.device.run())

    def stop(self) -> None:
        """All of them."""
        for task in self._tasks.values():
            task.cancel()


@asynccontextmanager
async def yard(
    settings: SiteSettings,
    clock: Clock,
    sessions: SessionStore,
    *,
    moved: Set[str] = frozenset(),
    memory: KeyValues | None = None,
) -> AsyncIterator[Yard]:
    """Every device of a site, but for chargers on OCPP, without its agent.

    Nothing is told to them by itself, and nothing can be told to devices on Modbus but by the links
    of those that are to be `moved`. `sessions`: where chargers note who stays; none of the agent's.
    `memory`: where devices note what they have proved, for the agent to find.

    Raises:
        ConfigError: a device cannot be made of its settings, or the broker cannot start.
    """
    broker = make_broker(settings, clock)
    async with asyncio.TaskGroup() as group:
        tasks = []
        if broker is not None:
            tasks.append(group.create_task(broker.run()))
            await broker.ready.wait()
        elsewhere = None if settings.mqtt.embedded else site_address(settings.mqtt)
        address = elsewhere if broker is None else broker.address
        shop = _Shop(settings.site_id, clock, address, memory, _places(settings, moved))
        made = Yard(list(_candidates(shop, settings, sessions)), group)
        tasks += [group.create_task(link.run()) for link in shop.links.values()]
        try:
            yield made
        finally:
            made.stop()
            for task in tasks:
                task.cancel()


def _places(settings: SiteSettings, moved: Set[str]) -> set[str]:
    devices = (one for one in (*settings.batteries, *settings.pv) if one.id in moved)
    return {link_settings(one).where for one in devices if isinstance(one, ModbusSettings)}


def _candidates(shop: _Shop, settings: SiteSettings, sessions: SessionStore) -> Iterator[Candidate]:
    meter = settings.meter
    yield _candidate(shop, METER_ID, Nature.METER, meter, METERS[meter.kind](shop, meter))
    for battery in settings.batteries:
        device = make_battery(shop, battery)
        yield _candidate(shop, battery.id, Nature.BATTERY, battery, device)
    for inverter in settings.pv:
        made = PV_INVERTERS[inverter.kind](shop, inverter)
        yield _candidate(shop, inverter.id, Nature.PV, inverter, made)
    for charger in settings.chargers:
        if isinstance(charger, ProfileChargerSettings):
            outlet = make_charger(shop, settings, charger, sessions)
            yield _candidate(shop, charger.id, Nature.CHARGER, charger, outlet)
    for sensor in settings.sensors:
        yield _candidate(shop, sensor.id, Nature.SENSOR, sensor, make_sensor(shop, sensor))


def _candidate(
    shop: _Shop, name: str, nature: Nature, settings: Settings, device: AnyDevice
) -> Candidate:
    link = shop.link(settings) if isinstance(settings, ModbusSettings) else None
    return Candidate(id=name, nature=nature, settings=settings, device=device, link=link)


def _nobody() -> None:
    """No control loop listens."""
