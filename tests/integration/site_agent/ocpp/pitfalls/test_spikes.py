"""Chargers that draw their rating for a moment after every update, several of them at one fuse."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from depot_sim.chargers.personality import Entry
from site_agent.devices.ocpp.limits.turns import SPIKE
from site_agent.devices.ocpp.settings import Timing
from support.fast_clock import FastClock
from support.leaping_clock import leaping
from support.ocpp_charger import RawCharger, limit
from support.ocpp_depot import Depot, connected, depot, station
from support.ocpp_yard import Yard, yard
from support.waiting import until

pytestmark = [
    pytest.mark.row("pitfall:P7"),
    pytest.mark.row("personality:spikes-on-update"),
    pytest.mark.xdist_group("realtime-ocpp"),
]

FUSE_A, RATED_A, LEAST_A = 40.0, 32.0, 6.0


async def learn(there: Yard) -> None:
    """Up and down, until all are known."""
    evses = [there.evse(n) for n in (1, 2, 3)]
    for n in range(20):
        if all(evse.knowledge.spikes for evse in evses):
            break
        for evse in evses:
            evse.trial_a = 8.0 if n % 2 else 12.0
        await there.passes(22)
    for evse in evses:
        evse.trial_a = None


@leaping
async def test_three_spikes_at_one_fuse_come_one_at_a_time(spoken: str) -> None:
    """Without one charger's spike the fuse holds; with it, its rating less its limit is added."""
    spiky: list[Entry] = [{"spikes-on-update": 8}]
    async with yard(spiky, spiky, spiky, version=spoken, fuse_a=FUSE_A) as there:
        await learn(there)
        assert all(there.evse(n).knowledge.spikes for n in (1, 2, 3))
        await there.passes(30)
        there.worst_a = 0.0
        held_a = [[LEAST_A] * 20 for _ in range(3)]
        for _ in range(720):
            await there.passes(0.25)
            over = []
            for n, held in enumerate(held_a, 1):
                held.append(there.evse(n).state(there.clock.now()).confirmed_limit_a or 0.0)
                over.append(max(0.0, there.amps(n) - max(held[-20:])))  # falls take a moment
            total = sum(there.amps(n) for n in (1, 2, 3))
            assert total - max(over) <= FUSE_A + 0.5, (total, over)
        assert there.worst_a <= FUSE_A + RATED_A - LEAST_A
        assert there.worst_a > RATED_A  # they charge, and share


async def known(site: Depot, *evses: int) -> None:
    for number in evses:
        evse = site.system.stations[f"CP{number}"].evses[1]
        await evse.steering._installer.experience.learn(spikes=True)


def rests(site: Depot, number: int) -> bool:
    return site.state(f"evse-{number}").confirmed_limit_a == LEAST_A


def limits(charger: RawCharger) -> list[float]:
    return [limit(sent) for sent in charger.profiles()]


async def test_a_raise_waits_for_its_turn_and_a_fall_does_not(spoken: str) -> None:
    timing = Timing(greeting_s=0.05, patience_s=1e6, lease_s=60.0)
    stations = [station("CP1", 1), station("CP2", 2)]
    clock = FastClock(20.0)
    both: dict[str, Any] = {"version": f"ocpp{spoken}"}
    async with (
        depot(*stations, timing=timing, clock=clock) as site,
        connected(site, "CP1", **both) as one,
        connected(site, "CP2", **both) as two,
    ):
        for number, charger in ((1, one), (2, two)):
            await charger.boot()
            await until(partial(rests, site, number))
            await charger.begin(clock)
        await known(site, 1, 2)
        await site.ask(10.0, "evse-1")
        first = clock.now()
        assert limits(one) == [10.0]
        await site.ask(10.0, "evse-2")
        assert limits(two) == []
        assert site.state("evse-2").confirmed_limit_a == 6
        await until(lambda: limits(two) == [10.0])  # by itself
        assert clock.now() - first >= SPIKE - timedelta(seconds=1)
        await site.ask(8.0, "evse-1")
        await site.ask(8.0, "evse-2")  # at once: it takes current away
        assert limits(one)[-1] == limits(two)[-1] == 8.0
        await site.ask(9.0, "evse-1")  # raised seldom, whoever else has had its turn
        assert limits(one)[-1] == 8.0
        assert site.state("evse-1").confirmed_limit_a == 8.0
