"""The configured devices of a site, running without their agent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contracts.config import Settings
from contracts.reading import Reading
from contracts.time import Clock
from site_agent.config import SiteSettings
from site_agent.config.devices import ModbusSettings
from site_agent.devices.commissioning.found import Nature
from site_agent.devices.commissioning.read_only import ReadOnlyLink
from site_agent.devices.modbus.link import RegisterLink
from site_agent.devices.modbus.settings import link_settings
from site_agent.devices.mqtt.broker import BrokerAddress
from site_agent.devices.mqtt.plan import site_address
from site_agent.devices.registry import (
    BATTERIES,
    METERS,
    PV_INVERTERS,
    Workshop,
    make_broker,
)
from site_agent.domain.device import BatteryState, MeterState
from site_agent.ports import Battery, Meter, PvInverter

METER_ID = "meter"
"""How the meter at the connection point is called here; it has no id of its own."""

AnyDevice = Meter | Battery | PvInverter


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One device to be looked at, running."""

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
        return float(getattr(self.settings, "period_s", 1.0))

    def readings(self, now: datetime) -> Mapping[str, Reading]:
        """What it says now, in the vocabulary's names, signs and units."""
        state = self.device.state(now)
        said = {"active_power": state.power_w}
        if isinstance(state, MeterState):
            said |= {f"current_l{n}": one for n, one in enumerate(state.current_a, start=1)}
            said["import_energy"] = state.import_wh
            if state.export_wh is not None:
                said["export_energy"] = state.export_wh
        if isinstance(state, BatteryState):
            said["soc"] = state.soc_pct
        return said


class _Shop(Workshop):
    """Its links cannot write but to places where that was asked for."""

    def __init__(
        self, site_id: str, clock: Clock, broker: BrokerAddress | None, writable: Set[str]
    ) -> None:
        super().__init__(site_id, clock, _nobody, broker)
        self._writable = writable

    def link(self, settings: ModbusSettings) -> RegisterLink:
        """As its parent's."""
        wanted = link_settings(settings)
        if wanted.where not in self._writable | self.links.keys():
            self.links[wanted.where] = ReadOnlyLink(wanted, self.clock)
        return super().link(settings)


@asynccontextmanager
async def yard(
    settings: SiteSettings, clock: Clock, *, moved: Set[str] = frozenset()
) -> AsyncIterator[list[Candidate]]:
    """Let every meter, battery and inverter of a site run; the meter comes first.

    Nothing is told to them by itself, and nothing can be told to devices on Modbus but by the links
    of those that are to be `moved`.

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
        shop = _Shop(settings.site_id, clock, address, _places(settings, moved))
        candidates = list(_candidates(shop, settings))
        runs = [one.device.run() for one in candidates]
        runs += [link.run() for link in shop.links.values()]
        tasks += [group.create_task(run) for run in runs]
        try:
            yield candidates
        finally:
            for task in tasks:
                task.cancel()


def _places(settings: SiteSettings, moved: Set[str]) -> set[str]:
    devices = (one for one in (*settings.batteries, *settings.pv) if one.id in moved)
    return {link_settings(one).where for one in devices if isinstance(one, ModbusSettings)}


def _candidates(shop: _Shop, settings: SiteSettings) -> Iterator[Candidate]:
    meter = settings.meter
    yield _candidate(shop, METER_ID, Nature.METER, meter, METERS[meter.kind](shop, meter))
    for battery in settings.batteries:
        device = BATTERIES[battery.kind](shop, battery)
        yield _candidate(shop, battery.id, Nature.BATTERY, battery, device)
    for inverter in settings.pv:
        made = PV_INVERTERS[inverter.kind](shop, inverter)
        yield _candidate(shop, inverter.id, Nature.PV, inverter, made)


def _candidate(
    shop: _Shop, name: str, nature: Nature, settings: Settings, device: AnyDevice
) -> Candidate:
    link = shop.link(settings) if isinstance(settings, ModbusSettings) else None
    return Candidate(id=name, nature=nature, settings=settings, device=device, link=link)


def _nobody() -> None:
    """No control loop listens."""
