"""Meter values told late: they land once, in their own time, and control never sees them."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from contracts.site_link import points
from contracts.site_link.messages import Measurement
from contracts.time import Clock
from site_agent.devices.ocpp.wire.fields import stamp
from site_agent.domain.session import START_UNKNOWN, ChargingSession
from site_agent.store.memory import MemoryOutbox, MemorySessions
from support.fast_clock import FastClock
from support.ocpp_charger import Json, RawCharger, samples, samples16
from support.ocpp_depot import Depot, connected, depot
from support.ocpp_restarts import Bench, bench
from support.waiting import PATIENCE_S

pytestmark = [
    pytest.mark.row("safety:S5"),
    pytest.mark.row("personality:replays-late"),
]
ENOUGH = 10
POINT = points.evse_power_w("evse-1")


class Told:
    """The store under a depot, and what goes to the gateway."""

    def __init__(self) -> None:
        self.outbox = MemoryOutbox()
        self.sessions = MemorySessions(self.outbox)

    @property
    def rows(self) -> list[tuple[str, float | None]]:
        held = [numbered.row for numbered in self.outbox.rows]
        return [(stamp(r.at), r.value) for r in held if isinstance(r, Measurement)]

    async def session(self, now: datetime) -> ChargingSession:
        (found,) = await self.sessions.sessions(now - timedelta(days=9), now + timedelta(days=9))
        return found


class Past:
    """A clock that shows a time long gone."""

    def __init__(self, clock: Clock, minutes: float) -> None:
        self.monotonic, self.sleep = clock.monotonic, clock.sleep
        self._clock, self._ago = clock, timedelta(minutes=minutes)

    def now(self) -> datetime:
        return self._clock.now() - self._ago


@pytest.fixture
def told() -> Told:
    return Told()


def ago(site: Depot, minutes: float) -> str:
    return stamp(site.clock.now() - timedelta(minutes=minutes))


async def replay(charger: RawCharger, ref: str, at: str, **values: float) -> None:
    """As in an outage: in the words of its version, with the time at which it was taken."""
    await charger.sample(ref, at, **values)


async def test_they_land_once_in_their_own_time(version: str, told: Told) -> None:
    clock = FastClock(20.0)
    async with (
        depot(sessions=told.sessions, clock=clock) as site,
        connected(site, version=version) as charger,
    ):
        ref = await charger.begin(site.clock, register_wh=1000)
        await charger.sample(ref, stamp(site.clock.now()), power_w=7000, register_wh=1001)
        first, second = ago(site, 20), ago(site, 10)
        for _ in range(2):  # out of order, and all of it twice
            await replay(charger, ref, second, power_w=6000, register_wh=900)
            await replay(charger, ref, first, power_w=5000, register_wh=850)
        assert sorted(told.rows) == sorted([(first, 5000), (second, 6000)])
        assert site.state().power_w.value == 7000
        await charger.end(site.clock, ref, register_wh=1500)
        session = await told.session(clock.now())
        assert session.energy.energy_wh == 500


async def test_they_complete_a_session_that_is_over(version: str, told: Told) -> None:
    async with (
        depot(sessions=told.sessions) as site,
        connected(site, version=version) as charger,
    ):
        ref = await charger.begin(Past(site.clock, minutes=10), register_wh=1000)
        await charger.end(site.clock, ref, register_wh=1460)
        at = ago(site, 3)
        await replay(charger, ref, at, power_w=7000, register_wh=1376)
        assert site.state().transaction_id is None
        assert told.rows == [(at, 7000)]
        session = await told.session(site.clock.now())
        assert session.energy.energy_wh == 460
        assert session.energy.remarks == ()


async def test_what_the_gateway_knows_already_is_not_told_again(version: str, told: Told) -> None:
    async with (
        depot(sessions=told.sessions) as site,
        connected(site, version=version) as charger,
    ):
        ref = await charger.begin(site.clock, register_wh=1000)
        live = site.clock.now()
        await charger.sample(ref, stamp(live), power_w=7000, register_wh=1010)
        await site.clock.sleep(40)
        await charger.sample(ref, stamp(live), power_w=7000, register_wh=1010)
        await charger.sample(ref, stamp(live + timedelta(seconds=3)), power_w=7100)
        assert told.rows == []


async def test_an_end_with_all_its_samples_is_a_whole_session(version: str, told: Told) -> None:
    """Of a transaction that nobody has heard of before."""
    async with (
        depot(sessions=told.sessions) as site,
        connected(site, version=version) as charger,
    ):
        times = [ago(site, minutes) for minutes in (40, 30, 20, 10)]
        course = [(at, 200.0 + 100 * n) for n, at in enumerate(times)]
        await whole(charger, times[-1], course)
        session = await told.session(site.clock.now())
        assert session.energy.energy_wh == 300
        assert session.energy.remarks == (START_UNKNOWN,)
        assert stamp(session.started_at) == times[0]
        assert session.ended_at is not None


async def whole(charger: RawCharger, at: str, course: list[tuple[str, float]]) -> None:
    if charger.version == "ocpp1.6":
        values: list[Json] = [samples16(when, register_wh=wh) for when, wh in course]
        stop = {"transactionId": 4711, "meterStop": 500, "timestamp": at, "reason": "Local"}
        await charger.call("StopTransaction", stop | {"transactionData": values})
    else:
        event = charger.event("Ended", at, "tx-lost", {})
        event["meterValue"] = [samples(when, register_wh=wh) for when, wh in course]
        await charger.call("TransactionEvent", event)


async def test_those_of_a_time_before_it_are_no_part_of_a_session(told: Told) -> None:
    """A 1.6 charger need not name a transaction; what ran then is not what runs now."""
    async with depot(sessions=told.sessions) as site, connected(site) as charger:
        await charger.begin(Past(site.clock, minutes=10), register_wh=1000)
        await charger.sample(None, ago(site, 20), power_w=7000, register_wh=400)
        await charger.sample(None, ago(site, 5), power_w=6000, register_wh=1100)
        assert [value for _, value in told.rows] == [6000]
        session = await told.session(site.clock.now())
        assert (session.start_wh, session.energy.energy_wh) == (1000, 100)


@pytest.mark.parametrize("at", ["1970-01-01T00:00:10Z", "2199-01-01T00:00:00Z"])
async def test_those_of_no_believable_time_are_counted_and_answered(
    version: str, told: Told, at: str
) -> None:
    async with (
        depot(sessions=told.sessions) as site,
        connected(site, version=version) as charger,
    ):
        ref = await charger.begin(site.clock, register_wh=1000)
        await replay(charger, ref, at, power_w=7000, register_wh=90_000)
        assert site.counts()["sample of no believable time"] == 1
        assert told.rows == []
        assert (await told.session(site.clock.now())).energy.energy_wh == 0


@pytest.mark.xdist_group("realtime-ocpp")
@pytest.mark.parametrize("spoken", ["1.6", "2.0.1"])
async def test_a_simulated_outage(tmp_path: Path, spoken: str) -> None:
    async with bench(tmp_path / "site.db", (spoken, [{"replays-late": 5.0}])) as site:
        (plug,) = site.plugs
        plug.plug()
        await plug.charges()
        await site.agent_down()
        away = site.clock.now()
        await plug.charges(500.0)
        back = site.clock.now()
        await site.agent_up()
        await plug.charges()
        plug.unplug()
        await site.told()
        async with asyncio.timeout(PATIENCE_S):
            while len([row for row in await told_late(site) if away <= row.at <= back]) <= ENOUGH:
                await site.clock.sleep(1.0)
        late = await told_late(site)
        assert len({(row.point, row.at) for row in late}) == len(late)
        assert all(row.point == POINT and row.value is not None for row in late)
        await site.agrees()
        (session,) = await site.sessions(plug)
        assert session.energy.remarks == ()


async def told_late(site: Bench) -> list[Measurement]:
    """Nothing else goes to the gateway here."""
    assert site.store is not None
    rows = [numbered.row for numbered in await site.store.outbox.unsent(0, 10_000)]
    return [row for row in rows if isinstance(row, Measurement)]
