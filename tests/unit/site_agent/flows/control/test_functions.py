"""Functions on their way to inverters: on change, renewed, tried again, and told about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from contracts.errors import TransientError
from contracts.inverter import Curve, CurveKind, FixedVar, InverterFunction, Inverters, Point
from contracts.site_link.messages import Instruction, InstructionState, InstructionStep
from contracts.testing import FakeClock
from site_agent.domain.functions import Unheld
from site_agent.flows.control.functions import REFRESH_S, Functions
from site_agent.flows.control.observer import Devices
from site_agent.flows.report.notices import FUNCTION_REFUSED, conditions
from support.control import Site, after, fake_battery, fake_chargers, fake_pv, site
from support.depot import FakeDepot
from support.site import NOON, instruction, snapshot

VOLT_VAR = Curve(kind=CurveKind.VOLT_VAR, points=(Point(x=90, y=44), Point(x=110, y=-44)))
VOLT_WATT = Curve(kind=CurveKind.VOLT_WATT, points=(Point(x=106, y=100),))
VAR = FixedVar(var=100.0)


@dataclass
class FakeFunctions:
    """An inverter's functions, with every call on record."""

    refuses: Mapping[str, str] = field(default_factory=dict)
    fails: int = 0
    hangs: bool = False
    told: list[Sequence[InverterFunction]] = field(default_factory=list)

    async def hold(self, functions: Sequence[InverterFunction]) -> Mapping[str, str]:
        self.told.append(tuple(functions))
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails:
            self.fails -= 1
            raise TransientError("busy")
        return self.refuses


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@dataclass
class Bench:
    clock: FakeClock
    devices: Devices
    functions: Functions

    async def cycles(self, seconds: int, *asked: InverterFunction) -> None:
        """As the control loop does, once a second."""
        for _ in range(seconds):
            self.functions.ask(asked, self.clock.now())
            await self.clock.advance(1.0)


@asynccontextmanager
async def running(clock: FakeClock, **ports: FakeFunctions) -> AsyncIterator[Bench]:
    depot = FakeDepot(clock, (), [fake_battery(clock)], [fake_pv(clock)])
    devices = Devices(
        meter=depot, chargers=(), batteries=depot.batteries, pv=depot.pv, functions=ports
    )
    bench = Bench(clock, devices, Functions(devices, clock))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(lane) for lane in bench.functions.runs()]
        yield bench
        for task in tasks:
            task.cancel()


async def test_told_on_change_and_to_renew_timers_only(clock: FakeClock) -> None:
    roof, battery = FakeFunctions(), FakeFunctions()
    async with running(clock, pv=roof, battery=battery) as bench:
        for_roof = replace(VOLT_VAR, on=Inverters.GENERATION)
        await bench.cycles(5)
        await bench.cycles(int(REFRESH_S * 2.5), for_roof)
        await bench.cycles(300)
    assert roof.told == [(), (for_roof,), (for_roof,), (for_roof,), ()]
    assert battery.told == [()]


async def test_a_busy_inverter_is_asked_again_ever_less_often(clock: FakeClock) -> None:
    roof = FakeFunctions(fails=4)
    async with running(clock, pv=roof) as bench:
        await bench.cycles(2, VOLT_VAR)
        assert not bench.functions.held().slots
        await bench.cycles(40, VOLT_VAR)
        assert bench.functions.held().slots == {"volt_var"}
    assert len(roof.told) == 5


async def test_one_that_was_away_is_told_again_when_it_is_back(clock: FakeClock) -> None:
    battery = FakeFunctions()
    async with running(clock, battery=battery) as bench:
        (hardware,) = bench.devices.batteries
        await bench.cycles(3, VOLT_VAR)
        hardware.online = False  # type: ignore[attr-defined]  # a fake
        await bench.cycles(int(REFRESH_S * 2), VOLT_VAR)
        assert len(battery.told) == 1
        held = bench.functions.held()
        assert (held.settled, held.slots) == (True, frozenset())
        hardware.online = True  # type: ignore[attr-defined]  # a fake
        await bench.cycles(3, VOLT_VAR)
    assert battery.told == [(VOLT_VAR,)] * 2


async def test_what_is_not_done_is_named_with_its_reason(clock: FakeClock) -> None:
    roof = FakeFunctions(refuses={"volt_watt": "no model 706"})
    async with running(clock, pv=roof) as bench:
        await bench.cycles(3, VOLT_WATT, replace(VOLT_VAR, on=Inverters.GENERATION), VAR)
        assert set(bench.functions.unheld()) == {
            Unheld(subject="pv", slot="volt_var", reason="fixed_var excludes it"),
            Unheld(subject="pv", slot="volt_watt", reason="no model 706"),
            Unheld(
                subject="battery",
                slot="fixed_var",
                reason="this device knows no autonomous functions",
            ),
            Unheld(
                subject="battery",
                slot="volt_watt",
                reason="this device knows no autonomous functions",
            ),
        }
        held = bench.functions.held()
        assert held.settled
        assert held.slots == {"fixed_var"}
        assert "volt_watt not done by pv" in held.without
        await bench.cycles(3)
        assert bench.functions.unheld() == ()


# --- in the control loop -------------------------------------------------------------------------


def asking(*functions: InverterFunction, limit_w: float | None = None) -> Instruction:
    """For two minutes, a minute from now."""
    made = instruction(limit_w, start=after(60), step=timedelta(minutes=2))
    (step,) = made.steps
    asked = InstructionStep(
        start=step.start, end=step.end, import_limit_w=limit_w, inverter_functions=functions
    )
    return replace(made, steps=(asked,))


async def depot_with(clock: FakeClock, port: FakeFunctions) -> Site:
    """A site whose PV inverter has functions."""
    return await site(clock, fake_chargers(clock, 2), pv=[fake_pv(clock)], functions={"pv": port})


STARTED, APPLIED, COMPLETED = (
    InstructionState.STARTED,
    InstructionState.APPLIED,
    InstructionState.COMPLETED,
)


@pytest.mark.parametrize(
    ("port", "limit_w", "states"),
    [
        pytest.param(FakeFunctions(), None, [STARTED, APPLIED, COMPLETED], id="done"),
        pytest.param(FakeFunctions(fails=3), None, [STARTED, APPLIED, COMPLETED], id="busy first"),
        pytest.param(
            FakeFunctions(refuses={"volt_var": "no model 705"}),
            None,
            [STARTED, COMPLETED],
            id="refused",
        ),
        pytest.param(
            FakeFunctions(refuses={"volt_var": "no model 705"}),
            30_000.0,
            [STARTED, APPLIED, COMPLETED],
            id="refused beside a limit",
        ),
    ],
)
async def test_an_instruction_of_functions_has_a_life(
    clock: FakeClock, port: FakeFunctions, limit_w: float | None, states: list[InstructionState]
) -> None:
    depot = await depot_with(clock, port)
    made = asking(VOLT_VAR, limit_w=limit_w)
    assert (await depot.instructions.receive(made)).state is InstructionState.STORED
    async with depot.running():
        await clock.advance(240)
    assert [state for _, state in depot.statuses()] == states
    assert port.told[0] == ()
    assert (VOLT_VAR,) in port.told
    assert port.told[-1] == ()


async def test_a_hanging_inverter_delays_no_limit(clock: FakeClock) -> None:
    depot = await depot_with(clock, FakeFunctions(hangs=True))
    await depot.instructions.receive(asking(VOLT_VAR, limit_w=30_000.0))
    async with depot.running():
        await clock.advance(150)
        cycle = depot.loop.latest
        assert cycle is not None
        (unheld,) = cycle.unheld
        assert not unheld.refused
    assert depot.depot.peak_w(after(66), after(150)) <= 30_000.0


def test_each_function_of_each_device_is_a_notice_of_its_own(clock: FakeClock) -> None:
    unheld = (
        Unheld(subject="roof", slot="volt_var", reason="no model 705"),
        Unheld(subject="roof", slot="volt_watt", reason="not confirmed yet", refused=False),
    )
    found = conditions(snapshot(), {}, (), unheld)
    refused = found[FUNCTION_REFUSED, "roof/volt_var"]
    assert refused.text == "roof does not do volt_var: no model 705"
    assert refused.after == timedelta(0)
    assert found[FUNCTION_REFUSED, "roof/volt_watt"].after == timedelta(seconds=60)
