"""Simulated devices with registers of their makers, whose time passes while a test looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from contracts.time import Clock
from depot_sim.modbus.listener import Listener
from depot_sim.physics.battery import Battery
from depot_sim.physics.drift import Drift
from depot_sim.physics.evse import Evse
from depot_sim.physics.phases import PhaseWatts
from depot_sim.physics.plant import Plant
from depot_sim.physics.pv import Pv
from depot_sim.physics.sky import DriftingSky
from depot_sim.physics.vehicle import Vehicle
from depot_sim.vendor.alfen import AlfenCharger
from depot_sim.vendor.device import VendorDevice
from depot_sim.vendor.meters import Em540Meter
from depot_sim.vendor.sungrow import SungrowBattery, SungrowInverter
from depot_sim.vendor.victron import VictronBattery

STEP_S = 0.1


class Flowing(Protocol):
    """Something that draws or gives power and lives through time."""

    @property
    def phases_w(self) -> PhaseWatts: ...

    def step(self, now_s: float, dt_s: float) -> None: ...


class Yard:
    """A building and devices of four makers behind one true meter."""

    def __init__(self, clock: Clock, building_w: float = 6000.0) -> None:
        self.clock = clock
        self.building_w = building_w
        elapsed = clock.monotonic
        cells = Battery(capacity_wh=40_000, max_charge_w=10_000, max_discharge_w=10_000, soc_pct=60)
        sky = DriftingSky(clearness=0.8, swing=0.0, drift=Drift.seeded("sky", 300.0))
        self.sungrow = SungrowBattery(
            id="rack", listener=Listener(), battery=cells, elapsed=elapsed, clock=clock
        )
        self.victron = VictronBattery(
            id="multi",
            listener=Listener(unit_id=227),
            battery=cells,
            elapsed=elapsed,
            clock=clock,
        )
        self.roof = SungrowInverter(
            id="roof",
            listener=Listener(),
            pv=Pv(rated_w=30_000, sky=sky),
            elapsed=elapsed,
            clock=clock,
        )
        self.alfen = AlfenCharger(
            id="ac",
            listener=Listener(),
            evse=Evse(rated_a=32),
            validity_s=60,
            safe_a=6,
            elapsed=elapsed,
            clock=clock,
        )
        self.meter = Em540Meter(
            id="meter", listener=Listener(), plant=self.plant, elapsed=elapsed, clock=clock
        )
        self.flowing: list[Flowing] = []

    def plant(self) -> Plant:
        """The true sum of the building and of everything that flows."""
        flows = [one.phases_w for one in self.flowing]
        building_w = self.building_w / 3
        l1, l2, l3 = (building_w + sum(flow[phase] for flow in flows) for phase in range(3))
        return Plant(phases_w=(l1, l2, l3))

    @asynccontextmanager
    async def serving(self, *devices: VendorDevice) -> AsyncIterator[list[int]]:
        """Serve these and let time pass for them; their ports in order."""
        self.flowing += [one for one in devices if one is not self.meter]  # type: ignore[misc]
        async with asyncio.TaskGroup() as tasks:
            time = tasks.create_task(self._pass(devices))
            try:
                async with _all(devices) as ports:
                    yield ports
            finally:
                time.cancel()

    async def _pass(self, devices: tuple[VendorDevice, ...]) -> None:
        step: Callable[[float, float], None]
        while True:
            await self.clock.sleep(STEP_S)
            for device in devices:
                step = device.step  # type: ignore[attr-defined]
                step(self.clock.monotonic(), STEP_S)


@asynccontextmanager
async def _all(devices: tuple[VendorDevice, ...]) -> AsyncIterator[list[int]]:
    if not devices:
        yield []
        return
    async with devices[0].serving() as address, _all(devices[1:]) as ports:
        yield [address.port, *ports]


def van(soc_pct: float = 40.0) -> Vehicle:
    """A vehicle that takes up to 22 kW."""
    return Vehicle(
        id="van", id_tag="T", capacity_wh=60_000, soc_pct=soc_pct, max_ac_w=22_080, reaction_s=1.0
    )
