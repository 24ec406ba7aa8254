"""A clock that runs faster than the wall, and a bare central system of either OCPP version."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from depot_sim.chargers.charger import Charger, ChargerSpec
from depot_sim.chargers.link import Endpoint
from depot_sim.chargers.personality import compose
from depot_sim.physics.evse import Evse
from depot_sim.physics.vehicle import Vehicle
from support.fast_clock import FastClock
from support.published_schema import check_call, check_result
from support.stepping import stepping as let_time_pass

Json = dict[str, Any]
ANSWER_S = 60.0


@pytest.fixture
def clock() -> FastClock:
    return FastClock(30.0)


class CentralSystem:
    """Accepts everything, checks every request against the published schema, and remembers it.

    `answers` replaces the usual answer to an action.
    """

    def __init__(self, version: str) -> None:
        self.version = version
        self.url = ""
        self.headers: list[dict[str, str]] = []
        self.heard: list[tuple[str, Json]] = []
        self.answers: dict[str, Json] = {}
        self._news = asyncio.Condition()
        self._sockets: dict[str, ServerConnection] = {}
        self._pending: dict[str, asyncio.Future[list[Any]]] = {}

    async def serve_one(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        charger_id = socket.request.path.rsplit("/", 1)[-1]
        assert socket.subprotocol == f"ocpp{self.version}"
        self.headers.append(dict(socket.request.headers.items()))
        self._sockets[charger_id] = socket
        with contextlib.suppress(ConnectionClosed):
            async for frame in socket:
                await self._receive(socket, json.loads(frame))

    async def _receive(self, socket: ServerConnection, frame: list[Any]) -> None:
        if frame[0] != 2:
            self._pending.pop(frame[1]).set_result(frame)
            return
        _, unique_id, action, payload = frame
        check_call(self.version, action, payload)
        answer = self.answers.get(action) or self._usual_answer(action)
        await socket.send(json.dumps([3, unique_id, answer]))
        async with self._news:
            self.heard.append((action, payload))
            self._news.notify_all()

    def _usual_answer(self, action: str) -> Json:
        accepted = {"status": "Accepted"}
        now = datetime.now(UTC).isoformat()
        defaults: dict[str, Json] = {
            "BootNotification": {"status": "Accepted", "currentTime": now, "interval": 300},
            "Heartbeat": {"currentTime": now},
        }
        if self.version == "1.6":
            defaults["Authorize"] = {"idTagInfo": accepted}
            defaults["StartTransaction"] = {"idTagInfo": accepted, "transactionId": 4711}
        else:
            defaults["Authorize"] = {"idTokenInfo": accepted}
            defaults["NotifyEVChargingNeeds"] = accepted
            defaults["NotifyEVChargingSchedule"] = accepted
        return defaults.get(action, {})

    async def until(
        self, action: str, matches: Callable[[Json], bool] = lambda _: True, *, after: int = 0
    ) -> Json:
        """The first matching request heard since `after` (an index into `heard`)."""

        def found() -> Json | None:
            for name, payload in self.heard[after:]:
                if name == action and matches(payload):
                    return payload
            return None

        async with asyncio.timeout(ANSWER_S), self._news:
            await self._news.wait_for(lambda: found() is not None)
        payload = found()
        assert payload is not None
        return payload

    async def call(self, charger_id: str, action: str, payload: Json) -> Json:
        frame = await self.frame(charger_id, action, payload)
        assert frame[0] == 3, frame
        check_result(self.version, action, frame[2])
        result: Json = frame[2]
        return result

    async def frame(self, charger_id: str, action: str, payload: Json) -> list[Any]:
        """The raw answer frame."""
        unique_id = f"{action}-{len(self.heard)}-{time.monotonic_ns()}"
        text = json.dumps([2, unique_id, action, payload])
        return await self.raw_answer(charger_id, unique_id, text)

    async def raw_answer(self, charger_id: str, unique_id: str, text: str) -> list[Any]:
        """Send any text and wait for the frame that answers this id."""
        self._pending[unique_id] = asyncio.Future()
        await self._sockets[charger_id].send(text)
        async with asyncio.timeout(ANSWER_S):
            return await self._pending[unique_id]

    async def send_raw(self, charger_id: str, text: str) -> None:
        await self._sockets[charger_id].send(text)

    async def hang_up(self, charger_id: str) -> None:
        await self._sockets[charger_id].close()


@contextlib.asynccontextmanager
async def central_system(version: str) -> AsyncIterator[CentralSystem]:
    system = CentralSystem(version)
    async with serve(
        system.serve_one, "127.0.0.1", 0, subprotocols=[Subprotocol(f"ocpp{version}")]
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        system.url = f"ws://127.0.0.1:{port}"
        yield system


@pytest.fixture
async def ocpp16() -> AsyncIterator[CentralSystem]:
    async with central_system("1.6") as system:
        yield system


@pytest.fixture
async def ocpp201() -> AsyncIterator[CentralSystem]:
    async with central_system("2.0.1") as system:
        yield system


@pytest.fixture
async def ocpp21() -> AsyncIterator[CentralSystem]:
    async with central_system("2.1") as system:
        yield system


@pytest.fixture
def van() -> Callable[..., Vehicle]:
    """A three-phase vehicle that takes everything a 32 A outlet gives."""

    def make(**changes: Any) -> Vehicle:
        values: Json = {"id": "van-1", "id_tag": "TAG1", "capacity_wh": 60_000, "soc_pct": 40.0}
        return Vehicle(**(values | {"max_ac_w": 22_080} | changes))

    return make


@pytest.fixture
def build(clock: FastClock) -> Callable[..., Charger]:
    """A 32 A charger `CP-1` of the central system's version."""

    def make(
        system: CentralSystem,
        *personality: str,
        password: str | None = None,
        evses: int = 1,
        **evse: Any,
    ) -> Charger:
        spec = ChargerSpec(
            endpoint=Endpoint(url=system.url, charger_id="CP-1", password=password),
            version=system.version,
            evses={number: Evse(rated_a=32, **evse) for number in range(1, evses + 1)},
            personality=compose(personality),
            meter_interval_s=2,
        )
        return Charger(spec, clock)

    return make


@contextlib.asynccontextmanager
async def in_background(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
        yield
        for task in tasks:
            task.cancel()


@pytest.fixture
def background() -> Callable[..., Any]:
    """`async with background(work, ...)`: runs coroutines; their errors fail the test."""
    return in_background


@pytest.fixture
def stepping(clock: FastClock) -> Callable[..., Any]:
    """`async with stepping(device, ...)`: lets time pass for devices."""
    return partial(let_time_pass, clock)


@pytest.fixture
def running(stepping: Callable[..., Any]) -> Callable[..., Any]:
    """`async with running(device, ...)`: runs and steps devices; their errors fail the test."""

    @contextlib.asynccontextmanager
    async def run(*devices: Any) -> AsyncIterator[None]:
        async with stepping(*devices), in_background(*(device.run() for device in devices)):
            yield

    return run
