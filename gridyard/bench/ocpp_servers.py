"""Central systems of the OCPP bench: ours, the whole agent, the `ocpp` library, and an echo.

Each runs in a process of its own and takes orders through its pipe: `"started"` (how many chargers
are in a transaction, once all are), `"cpu"` (seconds of this process so far), `("burst", limits)`
(one limit after the other to all chargers; the milliseconds after which each was confirmed), and
anything else to end.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from contracts.clock import SystemClock
from contracts.tasks import first_of
from gridyard.bench.ocpp_library import LibraryChargePoint
from gridyard.bench.ocpp_site import site_settings
from gridyard.bench.processes import order, quietly
from site_agent import main as agent
from site_agent.devices.ocpp_stations import make_central
from site_agent.domain.device import ChargerSetpoint
from site_agent.ports import Charger
from site_agent.store.sqlite import open_store

Server = Callable[[int, Connection], None]
_POLL_S = 0.1
_OCPP16 = Subprotocol("ocpp1.6")

Confirm = Callable[[float], Awaitable[None]]
"""Give one charger a limit, A; returns once it is confirmed."""


def ours(count: int, pipe: Connection) -> None:
    """Our central system on its own store."""
    quietly(_ours(count, pipe))


async def _ours(count: int, pipe: Connection) -> None:
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "site.db", clock.now())
        central = make_central(
            site_settings(Path(folder), count), store.sessions, clock, lambda: None
        )

        def charging() -> int:
            now = clock.now()
            return sum(c.state(now).transaction_id is not None for c in central.chargers.values())

        async def orders() -> None:
            await central.ready.wait()
            pipe.send(f"ws://127.0.0.1:{central.port}")
            confirm = [_confirm_ours(charger) for charger in central.chargers.values()]
            await _obey(pipe, count, charging, lambda: confirm)

        await first_of(central.run(), store.sessions.run(clock), orders())
        store.close()


def _confirm_ours(charger: Charger) -> Confirm:
    async def confirm(limit_a: float) -> None:
        setpoint = ChargerSetpoint(evse_id=charger.spec.evse_id, limit_a=limit_a, cause="bench")
        await charger.set_limit(setpoint)

    return confirm


def whole_agent(count: int, pipe: Connection) -> None:
    """The whole site agent, control loop and telemetry included."""
    quietly(_whole_agent(count, pipe))


async def _whole_agent(count: int, pipe: Connection) -> None:
    stopping, clock = asyncio.Event(), SystemClock()

    async def orders() -> None:
        await _obey(pipe, count, lambda: count, list)
        stopping.set()

    def ready(where: agent.SiteAddresses) -> None:
        pipe.send(f"ws://127.0.0.1:{where.ocpp_port}")
        tasks.create_task(orders())

    with tempfile.TemporaryDirectory() as folder:
        async with asyncio.TaskGroup() as tasks:
            await agent.run(site_settings(Path(folder), count), clock, stopping, ready)


def library(count: int, pipe: Connection) -> None:
    """The `ocpp` library with its default settings."""
    quietly(_library(count, pipe))


async def _library(count: int, pipe: Connection) -> None:
    points: list[LibraryChargePoint] = []

    async def handle(socket: ServerConnection) -> None:
        point = LibraryChargePoint(socket)
        points.append(point)
        with suppress(ConnectionClosed):
            await point.serve()

    await _serve(handle, pipe, count, lambda: len(points), lambda: [one.limit for one in points])


def echo(count: int, pipe: Connection) -> None:
    """Sends every message back: what the sockets alone cost."""

    async def handle(socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            async for message in socket:
                await socket.send(message)

    quietly(_serve(handle, pipe, count, lambda: count, list))


async def _serve(
    handle: Callable[[ServerConnection], Awaitable[None]],
    pipe: Connection,
    count: int,
    charging: Callable[[], int],
    confirms: Callable[[], list[Confirm]],
) -> None:
    async with serve(
        handle, "127.0.0.1", 0, subprotocols=[_OCPP16], compression=None, ping_interval=None
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        pipe.send(f"ws://127.0.0.1:{port}")
        await _obey(pipe, count, charging, confirms)


async def _obey(
    pipe: Connection,
    count: int,
    charging: Callable[[], int],
    confirms: Callable[[], list[Confirm]],
) -> None:
    while True:
        match await order(pipe):
            case "started":
                while charging() < count:
                    await SystemClock().sleep(_POLL_S)
                pipe.send(charging())
            case "cpu":
                pipe.send(time.process_time())
            case ("burst", list(limits)):
                pipe.send([await _burst(confirms(), limit_a) for limit_a in limits])
            case _:
                return


async def _burst(confirms: Iterable[Confirm], limit_a: float) -> list[float]:
    begun, taken_ms = time.perf_counter(), []

    async def one(confirm: Confirm) -> None:
        await confirm(limit_a)
        taken_ms.append((time.perf_counter() - begun) * 1e3)

    async with asyncio.TaskGroup() as tasks:
        for confirm in confirms:
            tasks.create_task(one(confirm))
    return taken_ms
