"""A depot: all its hardware, the plant they form, and the faults planned for it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Container, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import structlog

from contracts.time import Clock
from depot_sim import build, build_field
from depot_sim.build_field import FieldBattery, FieldInverter, FieldMeter
from depot_sim.chargers.charger import Charger
from depot_sim.config import (
    BUILDING,
    ChargerSettings,
    DepotSettings,
    FaultSettings,
    ModbusChargerSettings,
    SubMeters,
)
from depot_sim.config_field import (
    ClosingSettings,
    ContactsSettings,
    ModbusSettings,
    SubMeterSettings,
    SunSpecBatterySettings,
)
from depot_sim.config_wires import WireSettings
from depot_sim.faults import FaultKind
from depot_sim.grid import GRID
from depot_sim.metering import MeteringPoints
from depot_sim.modbus.device import Bus, ModbusDevice
from depot_sim.modbus.listener import Address
from depot_sim.mqtt.battery import MqttBattery
from depot_sim.mqtt.device import MqttDevice
from depot_sim.mqtt.meter import MqttMeter
from depot_sim.mqtt.pv import MqttPv
from depot_sim.outage import black_out
from depot_sim.physics.phases import NO_FLOW
from depot_sim.physics.plant import Plant
from depot_sim.physics.vehicle import Vehicle
from depot_sim.sunspec.battery import SunSpecBattery
from depot_sim.vendor.alfen import AlfenCharger
from depot_sim.vendor.contacts import Contacts
from depot_sim.wires import Wire, wire

_log = structlog.get_logger(__name__)
STEP_S = 0.2
"""How often the plant moves on; the meter shows nothing finer."""

_BEARABLE_W = 500.0
"""An island bears so much more than its batteries can give: their inverters' overload."""

Device = Charger | AlfenCharger | FieldBattery | MqttBattery | FieldInverter | MqttPv
"""What draws or gives power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepotAddresses:
    """Where the devices really listen; by device id, the meter apart.

    Devices on a bus are where it is.
    """

    meter: Address
    batteries: Mapping[str, Address]
    pv: Mapping[str, Address]
    chargers: Mapping[str, Address] = field(default_factory=dict)
    meters: Mapping[str, Address] = field(default_factory=dict)
    contacts: Mapping[str, Address] = field(default_factory=dict)
    wires: Mapping[str, Address] = field(default_factory=dict)


class Depot:
    """The hardware of one site. Several can live in one process: nothing is shared.

    `meters` (but for the grid's), `chargers`, `modbus_chargers`, `batteries`, `pv` and `contacts`
    are by id; their physical state may be read at any time. The grid is a device called `grid`.
    """

    def __init__(self, config: DepotSettings, clock: Clock) -> None:
        self.config = config
        self._clock = clock
        self._begun_s = clock.monotonic()
        self._addresses: DepotAddresses | None = None
        self._building = build_field.building(config, clock.now())
        self.mains = build_field.mains(config, self.elapsed)
        self._points = MeteringPoints(self.mains, config.meter.id, config.building.power_factor)
        shown = self._points.shown(config.meter.id)
        self.meter = build_field.meter(config.meter, shown, clock, self.elapsed)
        self.meters = {m.id: self._new_meter(m) for m in config.meters}
        self.chargers = {c.id: build.charger(c, clock, str(config.seed)) for c in config.chargers}
        self.modbus_chargers = {
            c.id: build_field.charger(c, clock, self.elapsed) for c in config.modbus_chargers
        }
        self.batteries = {
            b.id: build.battery(b, config.site_id, clock, self.elapsed) for b in config.batteries
        }
        self.pv = {p.id: build.inverter(p, config, clock, self.elapsed) for p in config.pv}
        self.contacts = {
            c.id: build_field.contacts(c, clock, self.elapsed) for c in config.contacts
        }
        self.wires = {one.id: self._new_wire(one) for one in config.wires}
        for device in (*self._onlookers(), *self._devices()):
            if isinstance(device, ModbusDevice):
                device.terminals = self._terminals
        self._islanding = {
            b.id for b in config.batteries if isinstance(b, SunSpecBatterySettings) and b.islands
        }
        self._backed_up = frozenset(config.grid.backed_up if self._islanding else ())
        self._collapsed = False

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
    def plant(self) -> Plant:
        """What passes the connection point now, and has passed it."""
        return self._points.plant

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
                for work in self._works():
                    group.create_task(work)

    def _works(self) -> Iterator[Coroutine[None, None, None]]:
        """What goes on all the time."""
        yield self._pass_time()
        for device in (*self._onlookers(), *self._devices()):
            if isinstance(device, Charger | MqttDevice):
                yield device.run()
        for charger in self.config.chargers:
            yield self._arrive(charger)
        for socket in self.config.modbus_chargers:
            yield self._arrive(socket)
        for module in self.config.contacts:
            yield from (self._close(module, closing) for closing in module.closes)
        yield from (self._strike(fault) for fault in self.config.faults)

    def fail(
        self, device_id: str, kind: FaultKind, for_s: float | None, amount: float | None = None
    ) -> None:
        """Let a fault begin at a device, for some seconds or for good (None).

        `amount` is how much of it (FaultKind says of which kinds).

        Raises:
            KeyError: no such device.
            ValueError: the device knows no such fault.
        """
        if device_id == GRID:
            self.mains.fail(kind, for_s, amount)
            if kind is FaultKind.OUTAGE:
                self._black_out(for_s)
            return
        if device_id in self.wires:
            self.wires[device_id].device.fail(kind, for_s, amount)
            return
        devices = {device.id: device for device in (*self._onlookers(), *self._devices())}
        devices[device_id].fail(kind, for_s, amount)

    def plug(self, charger_id: str, vehicle: Vehicle, evse_id: int = 1) -> None:
        """Put a vehicle on a charger's cable.

        Raises:
            KeyError: no such charger or outlet.
            ValueError: the outlet is taken.
        """
        if charger_id in self.modbus_chargers:
            self.modbus_chargers[charger_id].plug(vehicle)
        else:
            self.chargers[charger_id].plug(vehicle, evse_id)

    def unplug(self, charger_id: str, evse_id: int = 1) -> Vehicle | None:
        """Take the vehicle off a charger's cable; the vehicle as it leaves.

        Raises:
            KeyError: no such charger or outlet.
        """
        if charger_id in self.modbus_chargers:
            return self.modbus_chargers[charger_id].unplug()
        return self.chargers[charger_id].unplug(evse_id)

    def step(self, dt_s: float) -> None:
        """Let `dt_s` pass in the whole plant; `run` does so by itself."""
        now_s = self.elapsed()
        live = self.mains.supply.live
        self._collapsed = self._collapsed and not live
        for device in self._devices():
            if not live and isinstance(device, SunSpecBattery) and device.id in self._islanding:
                self._island(device, now_s, dt_s)
            else:
                device.step(now_s, dt_s)
        flows = {BUILDING: self._building.phases_w(now_s)}
        flows |= {device.id: device.phases_w for device in self._devices()}
        if not live:
            flows = dict.fromkeys(flows, NO_FLOW)
        self._points.step(dt_s, flows)
        for meter in (self.meter, *self.meters.values()):
            if not isinstance(meter, MqttMeter):
                meter.step(now_s, dt_s)

    def _island(self, battery: SunSpecBattery, now_s: float, dt_s: float) -> None:
        """Its share of everything on its side of the switch; too much ends the island."""
        backed_w = sum(
            sum(device.phases_w) for device in self._devices() if device.id in self._backed_up
        )
        building_w = 0.0 if self._collapsed else self._building.power_w(now_s)
        share_w = (building_w + backed_w) / len(self._islanding)
        battery.island(dt_s, share_w)
        missing_w = share_w + battery.battery.power_w
        if self._backed_up and missing_w > _BEARABLE_W and not self._collapsed:
            _log.warning("the island collapses", battery=battery.id, missing_w=missing_w)
            self._collapsed = True
            self._take_power(self._backed_up, self.mains.away_s)

    def _take_power(self, names: Container[str], away_s: float) -> None:
        black_out(
            chargers=[c for c in self._chargers() if c.id in names],
            pv=[one for one in self.pv.values() if one.id in names],
            others=[],
            stages=self.config.grid,
            for_s=None if math.isinf(away_s) else away_s,
        )

    def _chargers(self) -> Iterator[Charger | AlfenCharger]:
        yield from self.chargers.values()
        yield from self.modbus_chargers.values()

    def _terminals(self) -> Plant:
        """What devices that have power see of the grid; in an outage, that of their island."""
        return self.plant if self.mains.supply.live else Plant()

    def _new_meter(self, config: SubMeters) -> FieldMeter | MqttMeter:
        part = config.of if isinstance(config, SubMeterSettings) else self.config.meter.id
        shown = self._points.shown(part)
        return build.meter(config, self.config.site_id, shown, self._clock, self.elapsed)

    def _new_wire(self, config: WireSettings) -> Wire:
        shown = self._points.shown(config.of)
        return wire(
            config, shown, lambda: self.batteries[config.of].battery, self._clock, self.elapsed
        )

    def _black_out(self, for_s: float | None) -> None:
        standing = [b for b in self.batteries.values() if b.id not in self._islanding]
        fed = frozenset[str]() if self._collapsed else self._backed_up
        black_out(
            chargers=[c for c in self._chargers() if c.id not in fed],
            pv=[one for one in self.pv.values() if one.id not in fed],
            others=[*self._onlookers(), *standing],
            stages=self.config.grid,
            for_s=for_s,
        )

    def _devices(self) -> Iterator[Device]:
        yield from self.chargers.values()
        yield from self.modbus_chargers.values()
        yield from self.batteries.values()
        yield from self.pv.values()

    def _onlookers(self) -> Iterator[FieldMeter | MqttMeter | Contacts]:
        """What draws nothing."""
        yield self.meter
        yield from self.meters.values()
        yield from self.contacts.values()

    async def _listen(self, stack: AsyncExitStack) -> DepotAddresses:
        modbus = {
            device.id: device
            for device in (*self._onlookers(), *self._devices())
            if isinstance(device, ModbusDevice)
        }
        places = await self._open_buses(stack, modbus)
        for name, device in modbus.items():
            if name not in places:
                places[name] = await stack.enter_async_context(device.serving())

        def of(names: Mapping[str, object]) -> dict[str, Address]:
            return {name: places[name] for name in names if name in places}

        return DepotAddresses(
            meter=places[self.meter.id],
            batteries=of(self.batteries),
            pv=of(self.pv),
            chargers=of(self.modbus_chargers),
            meters=of(self.meters),
            contacts=of(self.contacts),
            wires={
                name: Address(*await stack.enter_async_context(one.serving()))
                for name, one in self.wires.items()
            },
        )

    async def _open_buses(
        self, stack: AsyncExitStack, modbus: Mapping[str, ModbusDevice]
    ) -> dict[str, Address]:
        places: dict[str, Address] = {}
        for bus in self.config.buses:
            names = [
                one.id
                for one in self.config.devices
                if isinstance(one, ModbusSettings) and one.bus == bus.id
            ]
            line = Bus(build_field.listener(bus), [modbus[name] for name in names], self._clock)
            places |= dict.fromkeys(names, await stack.enter_async_context(line.serving()))
        return places

    async def _pass_time(self) -> None:
        last_s = self.elapsed()
        while True:
            await self._clock.sleep(STEP_S)
            now_s = self.elapsed()
            self.step(now_s - last_s)
            last_s = now_s

    async def _close(self, module: ContactsSettings, closing: ClosingSettings) -> None:
        await self._clock.sleep(closing.at_s)
        self.contacts[module.id].put(closing.contact, closed=True)
        if closing.for_s is not None:
            await self._clock.sleep(closing.for_s)
            self.contacts[module.id].put(closing.contact, closed=False)

    async def _arrive(self, config: ChargerSettings | ModbusChargerSettings) -> None:
        if config.vehicle is not None:
            vehicle = build.vehicle(config.vehicle, self._clock.now())
            await self._clock.sleep(config.plug_in_after_s)
            self.plug(config.id, vehicle)

    async def _strike(self, fault: FaultSettings) -> None:
        await self._clock.sleep(fault.at_s)
        _log.info("fault", device=fault.device, kind=fault.kind.value, for_s=fault.for_s)
        self.fail(fault.device, fault.kind, fault.for_s, fault.amount)
