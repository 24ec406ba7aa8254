"""A central system on loopback, and the way into it."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from contracts.time import Clock
from site_agent.devices.ocpp.central import CentralSystem
from site_agent.devices.ocpp.security import Profile
from site_agent.devices.ocpp.settings import StationConfig, Timing
from site_agent.domain.device import ChargerSetpoint, ChargerSpec, ChargerState
from site_agent.domain.fleet.access import Access
from site_agent.ports import Charger, CloudQueue, KeyValues
from site_agent.store.memory import MemorySessions
from support.fast_clock import FastClock
from support.ocpp_access import FEW
from support.ocpp_charger import RawCharger

QUICK = Timing(greeting_s=1.0, call_timeout_s=2.0)


@dataclass
class Depot:
    """The central system under test and what it was given."""

    system: CentralSystem
    sessions: MemorySessions
    wakes: list[datetime]
    clock: Clock

    def state(self, evse_id: str = "evse-1") -> ChargerState:
        return self.charger(evse_id).state(self.clock.now())

    async def ask(self, limit_a: float, evse_id: str = "evse-1") -> None:
        setpoint = ChargerSetpoint(evse_id=evse_id, limit_a=limit_a, cause="test")
        await self.charger(evse_id).set_limit(setpoint)

    def url(self, charge_point: str) -> str:
        return f"ws://127.0.0.1:{self.system.port}/ocpp/{charge_point}"

    def charger(self, evse_id: str = "evse-1") -> Charger:
        return self.system.chargers[evse_id]

    def counts(self, charge_point: str = "CP1") -> dict[str, int]:
        return dict(self.system.stations[charge_point].tally.counts)


@asynccontextmanager
async def depot(
    *stations: StationConfig,
    timing: Timing = QUICK,
    clock: Clock | None = None,
    sessions: MemorySessions | None = None,
    ssl_context: ssl.SSLContext | None = None,
    profile: Profile = Profile.OPEN,
    access: Access = FEW,
    memory: KeyValues | None = None,
    clouds: CloudQueue | None = None,
    port: int = 0,
) -> AsyncIterator[Depot]:
    clock = clock or FastClock(20.0)
    sessions = sessions or MemorySessions()
    wakes: list[datetime] = []
    system = CentralSystem(
        stations or [station()],
        sessions=sessions,
        access=access,
        clock=clock,
        wake=lambda: wakes.append(clock.now()),
        host="127.0.0.1",
        port=port,
        timing=timing,
        ssl_context=ssl_context,
        profile=profile,
        memory=memory,
        clouds=clouds,
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(system.run())
        async with asyncio.timeout(60):
            await system.ready.wait()
        try:
            yield Depot(system, sessions, wakes, clock)
        finally:
            running.cancel()


def spec(number: int = 1, **changes: Any) -> ChargerSpec:
    return ChargerSpec(evse_id=f"evse-{number}", node="pcc", **changes)


def station(name: str = "CP1", number: int = 1, **changes: Any) -> StationConfig:
    return StationConfig(charge_point_id=name, **({"evses": {1: spec(number)}} | changes))


@asynccontextmanager
async def connected(
    depot: Depot,
    name: str = "CP1",
    version: str = "ocpp1.6",
    *,
    password: str | None = None,
    answers: dict[str, Any] | None = None,
    offer: list[str] | None = None,
    trusting: ssl.SSLContext | None = None,
) -> AsyncIterator[RawCharger]:
    """A raw charger connected to a depot; `offer` are its subprotocols, if not its version."""
    headers = {}
    if password is not None:
        token = base64.b64encode(f"{name}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {token}"
    offered = [version] if offer is None else offer
    socket = await connect(
        depot.url(name).replace("ws:", "wss:" if trusting else "ws:"),
        ssl=trusting,
        subprotocols=[Subprotocol(word) for word in offered] or None,
        additional_headers=headers,
        compression=None,
        proxy=None,
        close_timeout=1,
    )
    charger = RawCharger(socket, version, answers or {})
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(charger.read())
        try:
            yield charger
        finally:
            if not reading.done():  # else the other side has closed already
                await socket.close()
