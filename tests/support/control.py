"""A control loop around a depot of small physics, on a clock that tests move."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.site_link.messages import InstructionState, InstructionStatus
from contracts.testing import FakeClock
from site_agent.domain.device import BatterySpec, ChargerSpec, Lapse, PvSpec
from site_agent.domain.fleet.agreed import FleetVehicle, LeavesAfter, Target
from site_agent.domain.fleet.identity import Credential, Kind, Roster
from site_agent.domain.site import ROOT, SiteModel
from site_agent.flows.control.around import NOTHING
from site_agent.flows.control.control_loop import ControlLoop
from site_agent.flows.control.observer import Devices
from site_agent.flows.fleet.sessions import Fleet, Sessions
from site_agent.flows.grid.side import GridSide
from site_agent.flows.orders.instructions import Instructions
from site_agent.flows.orders.telecontrol import Telecontrol
from site_agent.ports import AutonomousFunctions
from site_agent.store.memory import MemoryInstructions, MemoryKeyValues, MemoryOutbox
from support.depot import FakeBattery, FakeCharger, FakeDepot, FakePv
from support.site import NOON, model

STRANGER = FleetVehicle(
    vehicle_id="stranger",
    departure=LeavesAfter(stay=timedelta(hours=8)),
    target=Target(energy_wh=40_000.0),
)


@dataclass
class Site:
    """The agent's core around a depot; what a restart keeps is in `store` and `memory`."""

    clock: FakeClock
    depot: FakeDepot
    model: SiteModel
    outbox: MemoryOutbox
    store: MemoryInstructions
    memory: MemoryKeyValues
    instructions: Instructions
    loop: ControlLoop
    grid: GridSide | None = None

    def statuses(self) -> list[tuple[str, InstructionState]]:
        rows = [numbered.row for numbered in self.outbox.rows]
        return [(r.instruction_id, r.state) for r in rows if isinstance(r, InstructionStatus)]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The loop, the instructions and the depot's physics, until the block ends."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self.depot.run()),
                group.create_task(self.instructions.run()),
                group.create_task(self.loop.run()),
                *(
                    group.create_task(one)
                    for one in ([] if self.grid is None else self.grid.runs())
                ),
            ]
            yield
            for task in tasks:
                task.cancel()


def fake_chargers(
    clock: FakeClock, count: int, *, node: str = ROOT, start: int = 1
) -> list[FakeCharger]:
    specs = [ChargerSpec(evse_id=f"c{n}", node=node) for n in range(start, start + count)]
    return [FakeCharger(spec=spec, clock=clock) for spec in specs]


def fake_battery(
    clock: FakeClock, *, rated_w: float = 50_000.0, lapse: Lapse = Lapse.DEVICE
) -> FakeBattery:
    spec = BatterySpec(
        battery_id="battery",
        node=ROOT,
        capacity_wh=100_000.0,
        max_charge_w=rated_w,
        max_discharge_w=rated_w,
        lapse=lapse,
    )
    return FakeBattery(spec=spec, clock=clock)


def fake_pv(
    clock: FakeClock, *, rated_w: float = 40_000.0, sun_w: float = 0.0, pv_id: str = "pv"
) -> FakePv:
    spec = PvSpec(pv_id=pv_id, node=ROOT, rated_w=rated_w, lapse=Lapse.DEVICE)
    return FakePv(spec=spec, clock=clock, sun_w=sun_w)


async def site(
    clock: FakeClock,
    chargers: Sequence[FakeCharger],
    *,
    batteries: Sequence[FakeBattery] = (),
    pv: Sequence[FakePv] = (),
    building_w: float = 10_000.0,
    of: SiteModel | None = None,
    vehicles: dict[str, FleetVehicle] | None = None,
    kept: Site | None = None,
    functions: Mapping[str, AutonomousFunctions] | None = None,
    telecontrol: Telecontrol | None = None,
    grid: GridSide | None = None,
) -> Site:
    """A site; `kept` is an earlier one that died, whose depot and store live on."""
    depot = kept.depot if kept else FakeDepot(clock, chargers, batteries, pv, building_w)
    outbox = kept.outbox if kept else MemoryOutbox()
    store = kept.store if kept else MemoryInstructions(outbox)
    memory = kept.memory if kept else MemoryKeyValues()
    of = of or model(
        [c.spec for c in chargers],
        batteries=[b.spec for b in batteries],
        pv_specs=[p.spec for p in pv],
    )
    devices = Devices(
        meter=depot,
        chargers=depot.chargers,
        batteries=depot.batteries,
        pv=depot.pv,
        functions=functions or {},
    )
    loops: list[ControlLoop] = []
    instructions = Instructions(
        of,
        store,
        clock,
        wake=lambda: loops[0].wake(),  # noqa: PLW0108 (the loop is made below)
    )
    await instructions.load()
    sessions = Sessions(_fleet(vehicles or {}), memory)
    loop = ControlLoop(
        of,
        devices,
        instructions,
        sessions,
        clock,
        telecontrol=telecontrol,
        around=NOTHING if grid is None else grid.around,
        guide=None if grid is None else grid.guide,
    )
    loops.append(loop)
    if grid is not None:
        await grid.load()
        grid.connect(loop, depot, {})
    return Site(clock, depot, of, outbox, store, memory, instructions, loop, grid)


def _fleet(by_tag: Mapping[str, FleetVehicle]) -> Fleet:
    cards = {(Kind.TAG, tag): Credential(vehicle=one.vehicle_id) for tag, one in by_tag.items()}
    return Fleet(
        vehicles={one.vehicle_id: one for one in by_tag.values()},
        roster=Roster(credentials=cards),
        stranger=STRANGER,
    )


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)
