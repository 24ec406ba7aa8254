"""In which order a decision reaches the devices, and what counts as done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from contracts.errors import TransientError
from contracts.testing import FakeClock
from site_agent.domain.decide.control import Decision, decide
from site_agent.domain.device import (
    BatterySetpoint,
    BatterySpec,
    BatteryState,
    ChargerSetpoint,
    ChargerSpec,
    ChargerState,
    PvSetpoint,
    PvSpec,
    PvState,
)
from site_agent.flows.control.actuators import Actuators, Outcome
from site_agent.flows.control.observer import Devices
from support.depot import FakeDepot
from support.site import NOON, battery, charger, envelope, pv, snapshot

Told = tuple[str, float | None]


@dataclass
class Bench:
    """Devices that write down what they are told, once they have answered."""

    clock: FakeClock
    told: list[Told] = field(default_factory=list)
    away: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)

    async def hear(self, name: str, value: float | None) -> None:
        await self.clock.sleep(0.1)
        if name in self.silent:
            raise TransientError("no answer")
        self.told.append((name, value))


@dataclass
class Charger:
    bench: Bench
    spec: ChargerSpec
    limit_a: float | None = None

    def state(self, now: object) -> ChargerState:
        return charger(self.spec, limit_a=self.limit_a)

    async def set_limit(self, setpoint: ChargerSetpoint) -> None:
        await self.bench.hear("charger", setpoint.limit_a)
        self.limit_a = setpoint.limit_a


@dataclass
class Battery:
    bench: Bench
    spec: BatterySpec

    def state(self, now: object) -> BatteryState:
        return battery(online="battery" not in self.bench.away)

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def set_power(self, setpoint: BatterySetpoint) -> None:
        await self.bench.hear("battery", setpoint.power_w)


@dataclass
class Pv:
    bench: Bench
    spec: PvSpec

    def state(self, now: object) -> PvState:
        return pv(online="pv" not in self.bench.away)

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def set_limit(self, setpoint: PvSetpoint) -> None:
        await self.bench.hear("pv", setpoint.limit_w)


@pytest.fixture
def bench() -> Bench:
    return Bench(FakeClock(NOON))


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[Actuators]:
    devices = Devices(
        meter=FakeDepot(bench.clock),
        chargers=[Charger(bench, charger("a").spec)],
        batteries=[Battery(bench, battery().spec)],
        pv=[Pv(bench, pv().spec)],
    )
    actuators = Actuators(devices, bench.clock)
    async with asyncio.TaskGroup() as group:
        lanes = [group.create_task(lane) for lane in actuators.runs()]
        yield actuators
        for lane in lanes:
            lane.cancel()


def decision(charger_a: float, battery_w: float, pv_w: float | None) -> Decision:
    depot = snapshot(chargers=[charger("a")], batteries=[battery()], pv_states=[pv()])
    made = decide(depot, envelope(depot.model))
    (limit,), (power,), (most,) = made.chargers, made.batteries, made.pv
    return replace(
        made,
        chargers=(replace(limit, limit_a=charger_a),),
        batteries=(replace(power, power_w=battery_w),),
        pv=(replace(most, limit_w=pv_w),),
    )


async def apply(bench: Bench, actuators: Actuators, wanted: Decision) -> tuple[list[Told], Outcome]:
    """What was told for this decision, in order, and how it ended."""
    bench.told.clear()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(actuators.apply(wanted))
        await bench.clock.advance(5)
    return list(bench.told), task.result()


async def test_pv_is_cut_with_the_falls_and_freed_after_the_rises(bench: Bench) -> None:
    async with running(bench) as actuators:
        await apply(bench, actuators, decision(16.0, 0.0, None))
        cut, _ = await apply(bench, actuators, decision(10.0, -5_000.0, 9_000.0))
        assert sorted(cut) == [("battery", -5_000.0), ("charger", 10.0), ("pv", 9_000.0)]
        freed, _ = await apply(bench, actuators, decision(12.0, 0.0, 20_000.0))
        assert freed[-1] == ("pv", 20_000.0)
        assert sorted(freed[:-1]) == [("battery", 0.0), ("charger", 12.0)]
        assert (await apply(bench, actuators, decision(6.0, 1_000.0, 4_000.0)))[0] == [
            ("charger", 6.0),
            ("pv", 4_000.0),
            ("battery", 1_000.0),
        ]


async def test_while_a_cut_is_not_accepted_nothing_is_raised(bench: Bench) -> None:
    async with running(bench) as actuators:
        await apply(bench, actuators, decision(6.0, 0.0, None))
        bench.silent.add("pv")
        told, outcome = await apply(bench, actuators, decision(16.0, 5_000.0, 9_000.0))
        assert told == []
        assert outcome == Outcome(complete=False, without=("pv",))
        assert actuators.is_silent("pv")


async def test_pv_that_is_away_is_named_only_while_it_is_to_be_limited(bench: Bench) -> None:
    bench.away.add("pv")
    async with running(bench) as actuators:
        _, outcome = await apply(bench, actuators, decision(6.0, 0.0, None))
        assert outcome == Outcome(complete=True, without=())
        _, outcome = await apply(bench, actuators, decision(6.0, 0.0, 9_000.0))
        assert outcome == Outcome(complete=True, without=("pv",))
