"""Our central system and the simulator's chargers: physics at the far end of the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from contracts.errors import TransientError
from depot_sim.chargers.charger import Charger, ChargerSpec
from depot_sim.chargers.link import Endpoint
from depot_sim.chargers.personality import compose
from depot_sim.faults import FaultKind
from depot_sim.physics.evse import Evse
from depot_sim.physics.vehicle import Vehicle
from site_agent.devices.ocpp.settings import Timing
from support.fast_clock import FastClock
from support.ocpp_depot import Depot, depot, station
from support.waiting import until

_SPEED = 40.0
TIMING = Timing(lease_s=30.0, patience_s=10.0, meter_interval_s=2, greeting_s=0.1)


@asynccontextmanager
async def simulated(spoken: str, *personality: str) -> AsyncIterator[tuple[Depot, Charger]]:
    """A depot with one simulated charger, its vehicle plugged in and its fail-safe share there."""
    clock = FastClock(_SPEED)
    async with depot(station(password="pw"), timing=TIMING, clock=clock) as site:
        endpoint = Endpoint(url=site.url("").rstrip("/"), charger_id="CP1", password="pw")
        charger = Charger(
            ChargerSpec(
                endpoint=endpoint,
                version=spoken,
                evses={1: Evse(rated_a=32)},
                personality=compose(personality),
                meter_interval_s=2,
            ),
            clock,
        )
        async with asyncio.TaskGroup() as tasks:
            jobs = [tasks.create_task(charger.run()), tasks.create_task(passing(charger, clock))]
            await until(lambda: site.state().confirmed_limit_a == 6)
            charger.plug(
                Vehicle(
                    id="van-1", id_tag="TAG1", capacity_wh=60_000, soc_pct=40.0, max_ac_w=22_080
                )
            )
            await until(lambda: site.state().transaction_id is not None)
            yield site, charger
            for job in jobs:
                job.cancel()


async def passing(charger: Charger, clock: FastClock) -> None:
    last_s = clock.monotonic()
    while True:
        await clock.sleep(0.2)
        now_s = clock.monotonic()
        charger.step(now_s, now_s - last_s)
        last_s = now_s


async def follows(site: Depot, limit_a: float, power_w: float) -> None:
    """Ask as the control loop does, until the meter shows it."""

    def shown() -> bool:
        measured = site.state().power_w.value
        return measured is not None and abs(measured - power_w) < 150

    async with asyncio.timeout(60):
        while not shown():
            with suppress(TransientError):
                await site.ask(limit_a)
            await site.clock.sleep(1.0)


@pytest.mark.parametrize(
    "personality",
    ["good", "amps-only", "watts-only", "stack-zero-only", "no-cpmax", "slow-5s"],
)
async def test_power_follows_the_limit(spoken: str, personality: str) -> None:
    async with simulated(spoken, personality) as (site, _):
        await follows(site, 16, 11_040)
        await follows(site, 0, 0)
        await follows(site, 8, 5_520)
        state = site.state()
        assert state.id_tag == "TAG1"
        assert state.confirmed_limit_a == 8


async def test_a_dead_agent_leaves_the_fail_safe_share(spoken: str) -> None:
    """The lease ends in the charger: even in one that ignores `duration`, for its tail ends it."""
    async with simulated(spoken, "keeps-expired-profile") as (site, charger):
        await follows(site, 16, 11_040)
        await until(lambda: abs(charger.power_w - 4_140) < 100)  # nobody asks any more


async def test_rejects_zero_settles_at_the_minimum(spoken: str) -> None:
    async with simulated(spoken, "rejects-zero") as (site, charger):
        await follows(site, 16, 11_040)
        await site.ask(0)
        assert site.state().confirmed_limit_a == 6
        await until(lambda: abs(charger.power_w - 4_140) < 100)


async def test_accepts_and_ignores_shows_in_the_measured_current(spoken: str) -> None:
    async with simulated(spoken, "accepts-and-ignores") as (site, _):
        await site.ask(10)
        await until(lambda: (site.state().current_a.value or 0.0) > 30)
        assert site.state().confirmed_limit_a == 10


async def test_a_cut_link_keeps_transaction_and_limit(spoken: str) -> None:
    async with simulated(spoken, "no-boot-on-reconnect") as (site, charger):
        await follows(site, 16, 11_040)
        before = site.state()
        charger.fail(FaultKind.DROP, 5.0)
        await until(lambda: not site.state().online)
        assert site.state().confirmed_limit_a == 16
        await until(lambda: site.state().online)
        await follows(site, 12, 8_280)
        assert site.state().transaction_id == before.transaction_id
        assert site.state().energy_wh.value is not None


async def test_a_power_cut_ends_the_transaction(spoken: str) -> None:
    async with simulated(spoken) as (site, charger):
        await follows(site, 16, 11_040)
        before = site.state().transaction_id
        charger.fail(FaultKind.KILL, 5.0)
        await until(lambda: not site.state().online)
        await until(lambda: site.state().online and site.state().transaction_id != before)
        await until(lambda: site.state().confirmed_limit_a is not None)


async def test_unplugging_ends_the_session(spoken: str) -> None:
    async with simulated(spoken) as (site, charger):
        await follows(site, 16, 11_040)
        charger.unplug()
        await until(lambda: site.state().transaction_id is None and not site.state().plugged)
        assert await site.sessions.running("evse-1") is None
        assert site.state().power_w.value == 0.0
        assert site.state().confirmed_limit_a == 6
