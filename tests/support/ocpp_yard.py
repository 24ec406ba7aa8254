"""A yard of simulated chargers under our central system and control loop, in pretended time.

What counts is what the fuse sees: the simulator's own currents, not what anybody says of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contracts.power import NOMINAL_VOLTAGE_V
from contracts.reading import Quality, Reading
from contracts.time import Clock
from depot_sim.chargers.charger import Charger as SimCharger
from depot_sim.chargers.charger import ChargerSpec as SimSpec
from depot_sim.chargers.link import Endpoint
from depot_sim.chargers.personality import Entry, compose
from depot_sim.physics.evse import Evse
from depot_sim.physics.phases import total
from depot_sim.physics.vehicle import Vehicle
from site_agent.devices.ocpp.evse.charger import OcppCharger
from site_agent.devices.ocpp.settings import Timing, Version
from site_agent.domain.device import ChargerState, MeterState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.flows.control.control_loop import ControlLoop, Cycle
from site_agent.flows.control.observer import Devices
from site_agent.flows.orders.instructions import Instructions
from site_agent.flows.report.notices import conditions
from site_agent.ports import KeyValues
from site_agent.store.memory import MemoryInstructions, MemoryOutbox, MemorySessions
from support.fast_clock import FastClock
from support.leaping_clock import leaping_clock
from support.ocpp_depot import Depot, depot, spec, station
from support.site import model
from support.waiting import until

SPEED = 50.0
"""Of tests that are not `leaping`."""
TIMING = Timing(
    lease_s=90.0, patience_s=45.0, meter_interval_s=5, greeting_s=1.0, call_timeout_s=10.0
)
_STEP_S = 0.25


@dataclass
class Yard:
    """Chargers `evse-1`, `evse-2`... behind one fuse, and the loop that shares it out."""

    site: Depot
    sims: Sequence[SimCharger]
    clock: Clock
    loop: ControlLoop
    worst_a: float = 0.0
    """Highest current of any phase, of all chargers together, since it was last set to 0."""
    currents: list[tuple[datetime, float]] = field(default_factory=list)
    stop: Callable[[], None] = lambda: None
    """Let the control loop die; leases are renewed a little longer, then run out."""

    def amps(self, number: int = 1) -> float:
        """Of the most loaded phase of one charger."""
        return max(self.sims[number - 1].phases_w) / NOMINAL_VOLTAGE_V

    def evse(self, number: int = 1) -> OcppCharger:
        found = self.site.charger(f"evse-{number}")
        assert isinstance(found, OcppCharger)
        return found

    def seen(self, number: int = 1) -> ChargerState:
        """As the loop sees it."""
        cycle = self.cycle
        return next(c for c in cycle.snapshot.chargers if c.spec.evse_id == f"evse-{number}")

    @property
    def cycle(self) -> Cycle:
        assert self.loop.latest is not None
        return self.loop.latest

    def notices(self) -> set[str]:
        """Codes of what a person would be told now (regardless of how long it has lasted)."""
        return {code for code, _ in conditions(self.cycle.snapshot, {}, ())}

    def plug(self, number: int = 1, **changes: Any) -> None:
        vehicle: dict[str, Any] = {
            "id": f"van-{number}", "id_tag": f"TAG{number}", "capacity_wh": 90_000.0,
            "soc_pct": 30.0, "max_ac_w": 22_080.0,
        }  # fmt: skip
        self.sims[number - 1].plug(Vehicle(**(vehicle | changes)))

    async def passes(self, seconds: float) -> None:
        await self.clock.sleep(seconds)

    async def lasts(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        """Return once it has held for so long without a break."""
        async with asyncio.timeout(60):
            since = self.clock.monotonic()
            while self.clock.monotonic() - since < seconds:
                await self.clock.sleep(0.5)
                if not condition():
                    since = self.clock.monotonic()


@dataclass
class _Fuse:
    """The meter at the connection point: reads the simulator."""

    sims: Sequence[SimCharger]

    async def run(self) -> None:
        await asyncio.Future()

    def phases_a(self) -> tuple[float, float, float]:
        l1, l2, l3 = total(sim.phases_w for sim in self.sims)
        return l1 / NOMINAL_VOLTAGE_V, l2 / NOMINAL_VOLTAGE_V, l3 / NOMINAL_VOLTAGE_V

    def state(self, now: datetime) -> MeterState:
        def good(value: float) -> Reading:
            return Reading(value=value, quality=Quality.GOOD, at=now)

        l1, l2, l3 = self.phases_a()
        return MeterState(
            power_w=good((l1 + l2 + l3) * NOMINAL_VOLTAGE_V),
            current_a=(good(l1), good(l2), good(l3)),
            import_wh=good(0.0),
        )


class _NoFleet:
    def needs(self, chargers: Sequence[ChargerState], now: datetime) -> tuple[VehicleNeed, ...]:
        return ()


@asynccontextmanager
async def yard(
    *personalities: Sequence[Entry],
    version: str = "1.6",
    fuse_a: float = 40.0,
    memory: KeyValues | None = None,
    sessions: MemorySessions | None = None,
    timing: Timing = TIMING,
    charger: Mapping[str, Any] | None = None,
    plugged: bool = True,
    speed: float = SPEED,
    tolerant: bool = False,
    versions: tuple[Version, ...] = (Version.V201, Version.V21, Version.V16),
) -> AsyncIterator[Yard]:
    """A yard with one charger for each personality, a vehicle at every one unless told otherwise.

    `charger`: other fields of every charger's spec of ours.
    """
    clock = leaping_clock() or FastClock(speed)
    numbers = range(1, len(personalities) + 1)
    specs = {n: spec(n, **(charger or {})) for n in numbers}
    how: dict[str, Any] = {"password": "pw", "tolerant": tolerant, "versions": versions}
    stations = [station(f"CP{n}", evses={1: specs[n]}, **how) for n in numbers]
    async with depot(
        *stations, timing=timing, clock=clock, memory=memory, sessions=sessions
    ) as site:
        sims = [
            _simulated(site, n, version, personality, clock, timing)
            for n, personality in zip(numbers, personalities, strict=True)
        ]
        fuse = _Fuse(sims)
        of = model(specs.values(), root_a=fuse_a, max_building_w=0.0)
        instructions = Instructions(of, MemoryInstructions(MemoryOutbox()), clock, lambda: None)
        devices = Devices(
            meter=fuse,
            chargers=[site.charger(f"evse-{n}") for n in numbers],
            batteries=(),
            pv=(),
        )
        loop = ControlLoop(of, devices, instructions, _NoFleet(), clock)
        there = Yard(site, sims, clock, loop)
        async with asyncio.TaskGroup() as tasks:
            jobs = [tasks.create_task(sim.run()) for sim in sims]
            jobs.append(tasks.create_task(_physics(there, fuse)))
            await until(lambda: all(_answers(there.evse(n), clock) for n in numbers))
            control = tasks.create_task(loop.run())
            jobs.append(control)
            there.stop = lambda: bool(control.cancel())  # type: ignore[assignment]
            await until(lambda: loop.latest is not None)
            if plugged:
                for n in numbers:
                    there.plug(n)
                await until(lambda: all(_charges(there.evse(n), clock) for n in numbers))
            yield there
            for job in jobs:
                job.cancel()


def _answers(evse: OcppCharger, clock: Clock) -> bool:
    state = evse.state(clock.now())
    known = state.confirmed_limit_a is not None or evse.knowledge.smart_charging is False
    return state.online and known


def _charges(evse: OcppCharger, clock: Clock) -> bool:
    return evse.state(clock.now()).transaction_id is not None


def _simulated(
    site: Depot, number: int, version: str, personality: Sequence[Entry], clock: Clock,
    timing: Timing,
) -> SimCharger:  # fmt: skip
    endpoint = Endpoint(url=site.url("").rstrip("/"), charger_id=f"CP{number}", password="pw")
    described = SimSpec(
        endpoint=endpoint,
        version=version,
        evses={1: Evse(rated_a=32)},
        personality=compose(personality),
        meter_interval_s=timing.meter_interval_s or 10,
        seed=str(number),
    )
    return SimCharger(described, clock)


async def _physics(there: Yard, fuse: _Fuse) -> None:
    last_s = there.clock.monotonic()
    while True:
        await there.clock.sleep(_STEP_S)
        now_s = there.clock.monotonic()
        for sim in there.sims:
            sim.step(now_s, now_s - last_s)
        last_s = now_s
        worst = max(fuse.phases_a())
        there.worst_a = max(there.worst_a, worst)
        there.currents.append((there.clock.now(), worst))
