"""Between a simulated charger and its cloud CSMS: both at work, and either of them in trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import PermanentError, TransientError
from depot_sim.chargers.charger import Charger, ChargerSpec
from depot_sim.chargers.link import Endpoint
from depot_sim.chargers.personality import compose
from depot_sim.physics.evse import Evse
from depot_sim.physics.vehicle import Vehicle
from site_agent.devices.ocpp.proxy.settings import CloudConfig, FinalWord
from site_agent.devices.ocpp.settings import Timing
from site_agent.ports import CloudQueue, KeyValues
from site_agent.store.cloud import MemoryCloudQueue
from site_agent.store.memory import MemoryKeyValues, MemorySessions
from site_agent.store.sqlite import SqliteStore, open_store
from support.cloud_csms import CloudCsms, Json, cloud_csms
from support.fast_clock import FastClock
from support.ocpp_depot import Depot, depot, station
from support.waiting import until

pytestmark = [
    pytest.mark.row("safety:S7"),
    pytest.mark.xdist_group("realtime-ocpp"),
]

_SPEED = 40.0
_TIMING = Timing(lease_s=30.0, patience_s=10.0, meter_interval_s=2, greeting_s=0.1)
_PATIENCE_S = 400.0
"""Of the station with its cloud: 10 s of the machine's own time."""
SESSION = ("StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent")


@pytest.fixture(params=["1.6", "2.0.1"])
def spoken(request: pytest.FixtureRequest) -> str:
    value: str = request.param
    return value


@dataclass
class Site:
    """A charger, its agent, which can be stopped and started, and its cloud."""

    spoken: str
    cloud: CloudCsms
    clock: FastClock = field(default_factory=lambda: FastClock(_SPEED))
    sessions: Any = field(default_factory=MemorySessions)
    memory: KeyValues = field(default_factory=MemoryKeyValues)
    queue: CloudQueue = field(default_factory=MemoryCloudQueue)
    settings: dict[str, Any] = field(default_factory=dict)
    port: int = 0

    def __post_init__(self) -> None:
        self._running: AsyncExitStack | None = None
        self._depot: Depot | None = None
        self._charger: Charger | None = None

    def use(self, store: SqliteStore) -> SqliteStore:
        """Keep everything in a file."""
        self.sessions, self.memory, self.queue = store.sessions, store.key_values, store.cloud
        return store

    @property
    def depot(self) -> Depot:
        assert self._depot is not None
        return self._depot

    @property
    def charger(self) -> Charger:
        assert self._charger is not None
        return self._charger

    @property
    def is_16(self) -> bool:
        return self.spoken == "1.6"

    @property
    def waiting(self) -> int:
        proxy = self.depot.system.stations["CP1"].proxy
        assert proxy is not None
        return proxy.waiting

    async def start_agent(self) -> None:
        settings = {"patience_s": _PATIENCE_S} | self.settings
        config = CloudConfig(url=self.cloud.url, identity="CP1", password="cloud-pw", **settings)
        self._running = AsyncExitStack()
        started = await self._running.enter_async_context(
            depot(
                station(password="pw", cloud=config),
                timing=_TIMING,
                clock=self.clock,
                sessions=self.sessions,
                memory=self.memory,
                clouds=self.queue,
                port=self.port,
            )
        )
        self._depot, self.port = started, started.system.port

    async def stop_agent(self) -> None:
        assert self._running is not None
        await self._running.aclose()

    @asynccontextmanager
    async def charging_station(self) -> AsyncIterator[None]:
        url = self.depot.url("").rstrip("/")
        endpoint = Endpoint(url=url, charger_id="CP1", password="pw")
        spec = ChargerSpec(
            endpoint=endpoint,
            version=self.spoken,
            evses={1: Evse(rated_a=32)},
            personality=compose(()),
            meter_interval_s=2,
        )
        self._charger = Charger(spec, self.clock)
        async with asyncio.TaskGroup() as tasks:
            jobs = [tasks.create_task(self._charger.run()), tasks.create_task(self._time_passes())]
            try:
                yield
            finally:
                for job in jobs:
                    job.cancel()

    async def _time_passes(self) -> None:
        last_s = self.clock.monotonic()
        while True:
            await self.clock.sleep(0.2)
            now_s = self.clock.monotonic()
            self.charger.step(now_s, now_s - last_s)
            last_s = now_s

    # --- what happens ---------------------------------------------------------------------------

    async def plug(self, id_tag: str = "TAG1") -> None:
        await until(lambda: self.depot.state().confirmed_limit_a == 6)
        self.charger.plug(
            Vehicle(id="van-1", id_tag=id_tag, capacity_wh=60_000, soc_pct=40.0, max_ac_w=22_080)
        )
        await until(lambda: self.depot.state().transaction_id is not None)

    async def unplug(self) -> None:
        self.charger.unplug()
        await until(lambda: self.depot.state().transaction_id is None)

    async def keeps(self, least: int) -> None:
        """Return once so many messages for the cloud outlast the agent: some never do."""
        async with asyncio.timeout(60):
            while len(await self.queue.waiting("CP1")) < least:
                await self.clock.sleep(1.0)

    async def follows(self, limit_a: float, power_w: float) -> None:
        """Ask as the control loop does, until the charger draws so much."""
        async with asyncio.timeout(60):
            while abs(self.charger.power_w - power_w) > 100:
                with suppress(TransientError):
                    await self.depot.ask(limit_a)
                await self.clock.sleep(1.0)

    # --- in the words of its version ------------------------------------------------------------

    @property
    def starts(self) -> list[Json]:
        return [
            payload
            for action, payload in self.cloud.heard
            if action == "StartTransaction" or payload.get("eventType") == "Started"
        ]

    @property
    def stops(self) -> list[Json]:
        return [
            payload
            for action, payload in self.cloud.heard
            if action == "StopTransaction" or payload.get("eventType") == "Ended"
        ]

    def profile(self, limit_a: float, purpose: str = "TxDefaultProfile", **more: Any) -> Json:
        periods = [{"startPeriod": 0, "limit": limit_a}]
        schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": periods}
        kind = {"stackLevel": 3, "chargingProfilePurpose": purpose}
        wire = {**kind, "chargingProfileKind": "Relative", **more}
        if self.is_16:
            wire |= {"chargingProfileId": 8, "chargingSchedule": schedule}
            return {"connectorId": 1, "csChargingProfiles": wire}
        wire |= {"id": 8, "chargingSchedule": [{"id": 1, **schedule}]}
        return {"evseId": 1, "chargingProfile": wire}


@asynccontextmanager
async def proxied(spoken: str, cloud: CloudCsms, **settings: Any) -> AsyncIterator[Site]:
    site = Site(spoken, cloud, settings=settings)
    await site.start_agent()
    try:
        async with site.charging_station():
            yield site
    finally:
        await site.stop_agent()


def in_order(site: Site) -> None:
    """What the cloud heard of each transaction is complete, in order and told once.

    But for a message whose answer was lost with the connection: that one is told again, as it was.
    """
    heard = site.cloud.heard
    places = [place for place, one in enumerate(heard) if one[0] in SESSION]
    again = {later for one, later in pairwise(places) if heard[one] == heard[later]}
    site.cloud.heard = [one for place, one in enumerate(heard) if place not in again]
    if site.is_16:
        for ours in site.cloud.of("StopTransaction", "MeterValues"):
            assert ours.get("transactionId", 7001) >= 7001
        actions = [a for a in site.cloud.actions(*SESSION) if a != "MeterValues"]
        assert actions == ["StartTransaction", "StopTransaction"] * (len(actions) // 2)
    else:
        events = site.cloud.of("TransactionEvent")
        told = [(event["transactionInfo"]["transactionId"], event["seqNo"]) for event in events]
        assert len(told) == len(set(told))
        for transaction in {name for name, _ in told}:
            numbers = [number for name, number in told if name == transaction]
            assert numbers == list(range(len(numbers)))
            own = [e for e in events if e["transactionInfo"]["transactionId"] == transaction]
            assert (own[0]["eventType"], own[-1]["eventType"]) == ("Started", "Ended")


# --- both work ----------------------------------------------------------------------------------


async def test_the_cloud_sees_a_whole_session_under_its_own_id(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        await site.plug()
        await site.follows(16, 11_040)
        await until(lambda: len(cloud.of("MeterValues", "TransactionEvent")) >= 3)
        await site.unplug()
        await until(lambda: len(site.stops) == 1)
        in_order(site)
        assert cloud.logins[0] == ("/steve/websocket/CP1", f"ocpp{spoken}", "CP1:cloud-pw")
        assert cloud.heard[0][0] == "BootNotification"
        assert cloud.of("StatusNotification")
        if site.is_16:
            assert site.stops[0]["transactionId"] == 7001


async def test_an_order_is_passed_on_and_its_answer_back(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        await site.plug()
        await until(lambda: len(site.starts) == 1)
        await until(lambda: not site.waiting)
        if site.is_16:
            stop = await cloud.result("RemoteStopTransaction", {"transactionId": 7001})
        else:
            ref = site.starts[0]["transactionInfo"]["transactionId"]
            stop = await cloud.result("RequestStopTransaction", {"transactionId": ref})
        assert stop["status"] == "Accepted"
        await until(lambda: len(site.stops) == 1)
        in_order(site)


# --- the lower limit wins -----------------------------------------------------------------------


async def test_the_lower_limit_wins(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        await site.plug()
        await site.follows(16, 11_040)
        answer = await cloud.result("SetChargingProfile", site.profile(10))
        assert answer == {"status": "Accepted"}
        assert site.depot.state().ceiling_a == 10
        await site.follows(16, 6_900)  # theirs
        await site.follows(8, 5_520)  # ours
        await cloud.result("SetChargingProfile", site.profile(32))
        await site.follows(10, 6_900)  # a raise of the cloud's raises nothing
        for _ in range(10):
            await site.depot.ask(10)
            await site.clock.sleep(1.0)
            assert site.charger.power_w < 7_000
        assert await cloud.result("ClearChargingProfile", {}) == {"status": "Accepted"}
        assert site.depot.state().ceiling_a is None
        await site.follows(16, 11_040)


async def test_a_transaction_profile_of_the_cloud_ends_with_its_transaction(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        refused = await cloud.result("SetChargingProfile", site.profile(10, "TxProfile"))
        assert refused == {"status": "Rejected"}  # no transaction runs
        await site.plug()
        await until(lambda: len(site.starts) == 1)
        await until(lambda: not site.waiting)
        ref = 7001 if site.is_16 else site.starts[0]["transactionInfo"]["transactionId"]
        wire = site.profile(10, "TxProfile", transactionId=ref)
        assert await cloud.result("SetChargingProfile", wire) == {"status": "Accepted"}
        await site.follows(16, 6_900)
        await site.unplug()
        assert site.depot.state().ceiling_a is None


async def test_the_composite_schedule_is_the_lower_of_both(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        await site.plug()
        await cloud.result("SetChargingProfile", site.profile(10))
        place = "connectorId" if site.is_16 else "evseId"
        ask = {place: 1, "duration": 600, "chargingRateUnit": "A"}
        await site.follows(16, 6_900)
        assert _first(await cloud.result("GetCompositeSchedule", ask)) == 10
        await site.follows(8, 5_520)
        assert _first(await cloud.result("GetCompositeSchedule", ask)) == 8


def _first(answer: Json) -> float:
    schedule = answer.get("schedule") or answer["chargingSchedule"]
    limit: float = schedule["chargingSchedulePeriod"][0]["limit"]
    return limit


# --- the cloud away -----------------------------------------------------------------------------


async def test_a_cloud_that_is_down_harms_nothing_and_hears_it_all_later(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        await cloud.stop()
        await site.plug()
        await site.follows(16, 11_040)
        await site.unplug()
        assert not site.starts
        await cloud.start()
        await until(lambda: len(site.stops) == 1)
        await until(lambda: not site.waiting)
        in_order(site)


async def test_a_cloud_that_goes_in_the_middle(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        await site.plug()
        await until(lambda: len(site.starts) == 1)
        await cloud.stop()
        await site.follows(16, 11_040)
        await until(lambda: site.waiting >= 3)
        await cloud.start()
        await site.follows(8, 5_520)
        await site.unplug()
        await until(lambda: len(site.stops) == 1)
        await until(lambda: not site.waiting)
        in_order(site)


async def test_the_agent_restarts_while_the_cloud_is_away(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        await site.plug()
        await until(lambda: len(site.starts) == 1)
        await cloud.result("SetChargingProfile", site.profile(10))
        await cloud.stop()
        await site.keeps(2)
        await site.stop_agent()
        await site.start_agent()
        assert site.waiting >= 2
        await site.follows(16, 6_900)  # the cloud's profile is still kept
        await site.unplug()
        await cloud.start()
        await until(lambda: len(site.stops) == 1)
        await until(lambda: not site.waiting)
        in_order(site)
        if site.is_16:
            assert site.stops[0]["transactionId"] == 7001


async def test_a_slow_cloud_delays_nobody(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud, patience_s=1.0) as site:
        await until(lambda: cloud.connected)
        cloud.held.clear()
        await site.plug()
        await site.follows(16, 11_040)
        assert not site.stops
        cloud.held.set()
        await site.unplug()
        await until(lambda: len(site.stops) == 1)


async def test_what_waits_survives_on_the_real_file(spoken: str, tmp_path: Path) -> None:
    async with cloud_csms() as cloud:
        site = Site(spoken, cloud)
        store = site.use(open_store(tmp_path / "site.db", site.clock.now()))
        await site.start_agent()
        async with site.charging_station():
            await until(lambda: bool(cloud.of("BootNotification")))
            await cloud.stop()
            await site.plug()
            await site.keeps(1)
            await site.stop_agent()
            store.close()
            store = site.use(open_store(tmp_path / "site.db", site.clock.now()))
            await site.start_agent()
            assert site.waiting >= 1
            await site.follows(16, 11_040)
            await site.unplug()
            await cloud.start()
            await until(lambda: len(site.stops) == 1 and not site.waiting)
            in_order(site)
        await site.stop_agent()
        store.close()


class LockedFile(MemoryCloudQueue):
    """Does not let go of what it has."""

    async def delete(self, station: str, seqs: Sequence[int]) -> None:
        raise TransientError("locked")


async def test_a_disk_in_trouble_stops_neither_charging_nor_the_agent(spoken: str) -> None:
    async with cloud_csms() as cloud:
        site = Site(spoken, cloud, queue=LockedFile())
        await site.start_agent()
        async with site.charging_station():
            await site.plug()
            await until(lambda: len(site.starts) >= 1)
            await site.follows(16, 11_040)
            await site.unplug()
        await site.stop_agent()


# --- who may charge -----------------------------------------------------------------------------


async def test_the_cloud_knows_drivers_that_we_do_not(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud) as site:
        await until(lambda: bool(cloud.of("BootNotification")))
        await site.plug("STRANGER")
        await site.follows(16, 11_040)


async def test_a_driver_the_cloud_refuses_late_is_stopped(spoken: str) -> None:
    key = "idTagInfo" if spoken == "1.6" else "idTokenInfo"
    refusal: Json = {key: {"status": "Blocked"}}
    start = {**refusal, "transactionId": 7001} if spoken == "1.6" else refusal
    action = "StartTransaction" if spoken == "1.6" else "TransactionEvent"
    async with cloud_csms() as cloud:
        cloud.answers = {"Authorize": refusal, action: start}
        async with proxied(spoken, cloud) as site:
            await cloud.stop()
            await site.plug()
            await site.follows(16, 11_040)
            await cloud.start()
            await until(lambda: site.depot.state().transaction_id is None)
            assert site.charger.power_w == pytest.approx(0, abs=50)


async def test_local_policy_may_have_the_last_word(spoken: str) -> None:
    async with cloud_csms() as cloud, proxied(spoken, cloud, final_word=FinalWord.LOCAL) as site:
        await until(lambda: bool(cloud.of("BootNotification")))
        await until(lambda: site.depot.state().confirmed_limit_a == 6)
        site.charger.plug(
            Vehicle(id="van-1", id_tag="STRANGER", capacity_wh=60_000, soc_pct=40.0, max_ac_w=7_400)
        )
        await cloud.hears("Authorize")  # it is told, and says yes
        for _ in range(10):
            await site.clock.sleep(1.0)
            assert site.charger.power_w == 0


async def test_without_a_place_to_keep_messages_there_is_no_proxy() -> None:
    config = CloudConfig(url="ws://127.0.0.1:1", identity="CP1")
    with pytest.raises(ValueError, match="store"):
        async with depot(station(cloud=config)):
            raise PermanentError("unreachable")
