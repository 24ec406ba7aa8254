"""A depot: all its hardware, the plant they form, and the faults planned for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

import structlog

from contracts.time import Clock
from depot_sim import build
from depot_sim.chargers.charger import Charger
from depot_sim.config import ChargerSettings, DepotSettings, FaultSettings
from depot_sim.faults import FaultKind
from depot_sim.modbus.listener import Address
from depot_sim.mqtt.battery import MqttBattery
from depot_sim.mqtt.device import MqttDevice
from depot_sim.mqtt.meter import MqttMeter
from depot_sim.mqtt.pv import MqttPv
from depot_sim.physics.phases import PhaseWatts
from depot_sim.physics.plant import Plant
from depot_sim.physics.vehicle import Vehicle
from depot_sim.sunspec.battery import SunSpecBattery
from depot_sim.sunspec.inverter import SunSpecInverter
from depot_sim.sunspec.inverter700 import SunSpecInverter700
from depot_sim.sunspec.meter import SunSpecMeter

_log = structlog.get_logger(__name__)
STEP_S = 0.2
"""How often the plant moves on; the meter shows nothing finer."""

Device = Charger | SunSpecBattery | MqttBattery | SunSpecInverter | SunSpecInverter700 | MqttPv


@dataclass(frozen=True, slots=True, kw_only=True)
class DepotAddresses:
    """Where the Modbus devices really listen; by device id, the meter apart."""

    meter: Address
    batteries: Mapping[str, Address]
    pv: Mapping[str, Address]


class Depot:
    """The hardware of one site. Several can live in one process: nothing is shared.

    `meters` (those on MQTT), `chargers`, `batteries` and `pv` are by id; their physical state may
    be read at any time.
    """

    def __init__(self, config: DepotSettings, clock: Clock) -> None:
        self.config = config
        self.plant = Plant()
        self._clock = clock
        self._begun_s = clock.monotonic()
        self._addresses: DepotAddresses | None = None
        self._building = build.building(config)
        self.meter = SunSpecMeter(
            id=config.meter.id,
            listener=build.listener(config.meter),
            rated_a=config.meter.rated_a,
            plant=lambda: self.plant,
            elapsed=self.elapsed,
            clock=clock,
        )
        self.meters = {
            m.id: build.meter(m, config.site_id, lambda: self.plant, clock) for m in config.meters
        }
        self.chargers = {c.id: build.charger(c, clock, str(config.seed)) for c in config.chargers}
        self.batteries = {
            b.id: build.battery(b, config.site_id, clock, self.elapsed) for b in config.batteries
        }
        self.pv = {p.id: build.inverter(p, config, clock, self.elapsed) for p in config.pv}

    def elapsed(self) -> float:
        """Seconds since this depot was made, the time axis of its configuration."""
        return self._clock.monotonic() - self._begun_s

    @property
    def addresses(self) -> DepotAddresses:
        """Where the Modbus devices listen.

        Raises:
            RuntimeError: `run` has not got that far.
        """
        if self._addresses is None:
            raise RuntimeError("the depot is not running yet")
        return self._addresses

    @property
    def building_w(self) -> float:
        """What the building consumes now."""
        return self._building.power_w(self.elapsed())

    async def run(self, ready: Callable[[DepotAddresses], None] | None = None) -> None:
        """Live until cancelled; `ready` is called once every server listens.

        Raises:
            ConfigError: a port is taken.
        """
        async with AsyncExitStack() as stack:
            self._addresses = await self._listen(stack)
            if ready is not None:
                ready(self._addresses)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_time())
                for device in (*self.meters.values(), *self._devices()):
                    if isinstance(device, Charger | MqttDevice):
                        group.create_task(device.run())
                for charger in self.config.chargers:
                    group.create_task(self._arrive(charger))
                for fault in self.config.faults:
                    group.create_task(self._strike(fault))

    def fail(
        self, device_id: str, kind: FaultKind, for_s: float | None, amount: float | None = None
    ) -> None:
        """Let a fault begin at a device, for some seconds or for good (None).

        `amount` is how much of it (FaultKind says of which kinds).

        Raises:
            KeyError: no such device.
            ValueError: the device knows no such fault.
        """
        meters: list[SunSpecMeter | MqttMeter] = [self.meter, *self.meters.values()]
        devices = {device.id: device for device in (*meters, *self._devices())}
        devices[device_id].fail(kind, for_s, amount)

    def plug(self, charger_id: str, vehicle: Vehicle, evse_id: int = 1) -> None:
        """Put a vehicle on a charger's cable.

        Raises:
            KeyError: no such charger or outlet.
            ValueError: the outlet is taken.
        """
        self.chargers[charger_id].plug(vehicle, evse_id)

    def unplug(self, charger_id: str, evse_id: int = 1) -> Vehicle | None:
        """Take the vehicle off a charger's cable; the vehicle as it leaves.

        Raises:
            KeyError: no such charger or outlet.
        """
        return self.chargers[charger_id].unplug(evse_id)

    def step(self, dt_s: float) -> None:
        """Let `dt_s` pass in the whole plant; `run` does so by itself."""
        now_s = self.elapsed()
        for device in self._devices():
            device.step(now_s, dt_s)
        self.plant = self.plant.step(dt_s, self._flows(now_s))
        self.meter.step(now_s, dt_s)

    def _devices(self) -> Iterator[Device]:
        yield from self.chargers.values()
        yield from self.batteries.values()
        yield from self.pv.values()

    def _flows(self, now_s: float) -> Iterator[PhaseWatts]:
        yield self._building.phases_w(now_s)
        yield from (device.phases_w for device in self._devices())

    async def _listen(self, stack: AsyncExitStack) -> DepotAddresses:
        batteries = [b for b in self.batteries.values() if isinstance(b, SunSpecBattery)]
        inverters = [p for p in self.pv.values() if not isinstance(p, MqttPv)]
        return DepotAddresses(
            meter=await stack.enter_async_context(self.meter.serving()),
            batteries={b.id: await stack.enter_async_context(b.serving()) for b in batteries},
            pv={p.id: await stack.enter_async_context(p.serving()) for p in inverters},
        )

    async def _pass_time(self) -> None:
        last_s = self.elapsed()
        while True:
            await self._clock.sleep(STEP_S)
            now_s = self.elapsed()
            self.step(now_s - last_s)
            last_s = now_s

    async def _arrive(self, config: ChargerSettings) -> None:
        if config.vehicle is not None:
            vehicle = build.vehicle(config.vehicle, self._clock.now())
            await self._clock.sleep(config.plug_in_after_s)
            self.plug(config.id, vehicle)

    async def _strike(self, fault: FaultSettings) -> None:
        await self._clock.sleep(fault.at_s)
        _log.info("fault", device=fault.device, kind=fault.kind.value, for_s=fault.for_s)
        self.fail(fault.device, fault.kind, fault.for_s, fault.amount)
