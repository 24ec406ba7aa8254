"""A simulated charger behind an agent that can restart, between it and a cloud CSMS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from contracts.errors import TransientError
from depot_sim.chargers.charger import Charger, ChargerSpec
from depot_sim.chargers.link import Endpoint
from depot_sim.chargers.personality import compose
from depot_sim.physics.evse import Evse
from depot_sim.physics.vehicle import Vehicle
from site_agent.devices.ocpp.proxy.settings import CloudConfig
from site_agent.devices.ocpp.settings import Timing
from site_agent.ports import CloudQueue, KeyValues
from site_agent.store.memory import MemoryCloudQueue, MemoryKeyValues, MemorySessions
from site_agent.store.sqlite import SqliteStore
from support.cloud_csms import CloudCsms, Json
from support.fast_clock import FastClock
from support.ocpp_depot import Depot, depot, station
from support.waiting import until

_SPEED = 40.0
_TIMING = Timing(lease_s=30.0, patience_s=10.0, meter_interval_s=2, greeting_s=0.1)
_PATIENCE_S = 400.0
"""Of the station with its cloud: 10 s of the machine's own time."""
SESSION = ("StartTransaction", "StopTransaction", "MeterValues", "TransactionEvent")


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


def in_order(site: Site, cut: int = 0) -> None:
    """What the cloud heard of each transaction is complete, in order and told once.

    `cut`: how often the charger's own link was cut. A sample that it was telling in that moment has
    a number and is not told again.

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
            assert numbers == sorted(numbers)
            assert numbers[0] == 0
            assert len(numbers) >= numbers[-1] + 1 - cut, numbers
            own = [e for e in events if e["transactionInfo"]["transactionId"] == transaction]
            assert (own[0]["eventType"], own[-1]["eventType"]) == ("Started", "Ended")
