"""The yard list of a running site: there where vehicles outnumber plugs, new at once on change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from contracts.testing import FakeClock
from site_agent.domain.decide.control import decide
from site_agent.domain.device import ChargerState
from site_agent.domain.fleet.agreed import FleetVehicle, LeavesAfter, Target
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.flows.control.control_loop import Cycle
from site_agent.flows.fleet.yard import EVERY, YardLists, plugs_of
from support.site import NOON, charger, charger_spec, envelope, need, snapshot
from support.waiting import until

HOUR = timedelta(hours=1)


def fleet(*names: str) -> dict[str, FleetVehicle]:
    return {
        name: FleetVehicle(
            vehicle_id=name,
            departure=LeavesAfter(stay=8 * HOUR),
            target=Target(energy_wh=20_000.0),
            max_power_w=11_000.0,
        )
        for name in names
    }


def stay(name: str, arrives_h: float, probability: float = 1.0) -> ExpectedStay:
    arrives = NOON + arrives_h * HOUR
    return ExpectedStay(
        vehicle_id=name,
        arrives=arrives,
        departs=NOON + 12 * HOUR,
        required_wh=20_000.0,
        max_power_w=11_000.0,
        probability=probability,
    )


def cycle(
    at: datetime = NOON, *, plugs: int = 2, standing: Sequence[str] = ("a",), offline: str = ""
) -> Cycle:
    names = [chr(ord("a") + n) for n in range(plugs)]
    chargers: list[ChargerState] = [
        charger(charger_spec(name), plugged=name in standing, online=name != offline)
        for name in names
    ]
    needs = [need(name, wh=10_000, hours=10) for name in names if name in standing]
    picture = replace(snapshot(chargers=chargers, needs=needs), at=at)
    return Cycle(snapshot=picture, decision=decide(picture, envelope(picture.model)))


class Bench:
    def __init__(self, *expected: ExpectedStay) -> None:
        self.clock = FakeClock(NOON)
        self.expected: list[ExpectedStay] = list(expected)
        known = fleet("van-a", "van-b", *(one.vehicle_id for one in expected))
        self.yard = YardLists(lambda: known, lambda _: self.expected, self.clock, UTC)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[YardLists]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.yard.run())
            yield self.yard
            task.cancel()

    async def look(self, one: Cycle) -> None:
        """The cycle is heard, and the time of a look passes."""
        self.yard.heard(one)
        await self.clock.advance(5.0)


async def test_where_vehicles_outnumber_plugs_people_are_told_whom_to_move() -> None:
    bench = Bench(stay("van-x", 1), stay("van-y", 1))
    async with bench.running() as yard:
        await bench.look(cycle(standing=("a", "b")))
        await until(lambda: yard.latest is not None)
    assert yard.latest is not None
    assert yard.latest.short_wh == {}
    moves = [(one.vehicle_id, one.from_evse, one.to_evse) for one in yard.moves]
    assert {vehicle for vehicle, _, _ in moves} == {"van-a", "van-b", "van-x", "van-y"}
    taken_out = [one for one in moves if one[2] is None]
    assert sorted(taken_out) == [("van-a", "a", None), ("van-b", "b", None)]
    assert all(one.at <= one.by for one in yard.moves)


async def test_a_plug_that_is_wanted_is_so_from_the_swap_on() -> None:
    bench, standing = Bench(stay("van-x", 1), stay("van-y", 1)), cycle(standing=("a", "b"))
    first, second = standing.snapshot.needs
    assert bench.yard.wanted_at(first) is None, "no list yet"
    async with bench.running() as yard:
        await bench.look(standing)
        await until(lambda: yard.latest is not None)
    assert yard.latest is not None
    swapped = yard.latest.stay_of("van-a")
    assert swapped is not None
    assert yard.wanted_at(first) == swapped.until < first.departure
    assert yard.wanted_at(replace(second, vehicle_id="van-z")) is None
    assert yard.wanted_at(replace(first, evse_id="b")) is None, "it stands elsewhere"


async def test_with_a_plug_for_everyone_there_is_nothing_to_move() -> None:
    bench = Bench(stay("van-x", 1), stay("ghost", 1, probability=0.6), stay("later", 17))
    async with bench.running() as yard:
        await bench.look(cycle(standing=("a",)))
        await bench.look(cycle(NOON + timedelta(seconds=5), standing=("a",)))
    assert yard.latest is None
    assert yard.moves == ()


async def test_it_is_made_anew_when_somebody_comes_or_the_roster_changes() -> None:
    bench = Bench(stay("van-x", 1))
    async with bench.running() as yard:
        await bench.look(cycle(standing=("a",)))
        assert yard.latest is None
        await bench.look(cycle(standing=("a", "b")))
        await until(lambda: yard.latest is not None)
        first = yard.latest
        await bench.look(cycle(NOON + timedelta(seconds=10), standing=("a", "b")))
        assert yard.latest is first, "nothing has changed"
        bench.expected.clear()
        yard.wake()
        await until(lambda: yard.latest is None)


async def test_it_is_made_anew_every_five_minutes() -> None:
    bench = Bench(stay("van-x", 1))
    async with bench.running() as yard:
        await bench.look(cycle(standing=("a", "b")))
        await until(lambda: yard.latest is not None)
        first = yard.latest
        await bench.look(cycle(NOON + EVERY, standing=("a", "b")))
        await until(lambda: yard.latest is not first)
    assert yard.latest is not None
    assert yard.latest.made_at == NOON + EVERY


def test_a_charger_that_does_not_answer_is_no_plug() -> None:
    assert [one.evse_id for one in plugs_of(cycle(offline="b").snapshot)] == ["a"]
    dc = replace(charger_spec("a"), dc=True)
    (plug,) = plugs_of(snapshot(chargers=[charger(dc)]))
    assert (plug.power_w, plug.dc) == (22_080.0, True)
