"""Chargers of a bench, in a process of their own: bare ones that only answer, and `depot_sim`'s.

Bare chargers cost so little that what is measured is the central system they talk to.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Callable
from multiprocessing.connection import Connection

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from contracts.clock import SystemClock
from contracts.tasks import first_of
from contracts.time import Clock
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot
from gridyard.bench.ocpp_site import ID_TAG, charger_id
from gridyard.bench.processes import order, quietly

_AT_ONCE = 50
_CALL = re.compile(r'\[2, ?"([^"]+)", ?"(\w+)"')
_ACCEPTED = '{"status":"Accepted"}'
_ANSWERS = {
    "GetConfiguration": '{"configurationKey":[],"unknownKey":[]}',
    "GetLocalListVersion": '{"listVersion":-1}',
    "GetCompositeSchedule": '{"status":"Rejected"}',
    "ClearChargingProfile": '{"status":"Unknown"}',
}
_SAMPLES = ",".join(
    f'{{"value":"{value}","context":"Sample.Periodic","measurand":"{what}",{extra}"unit":"{unit}"}}'
    for value, what, extra, unit in [
        ("6900.0", "Power.Active.Import", "", "W"),
        ("123456.7", "Energy.Active.Import.Register", "", "Wh"),
        *(("10.0", "Current.Import", f'"phase":"L{n}",', "A") for n in (1, 2, 3)),
        *(("230.0", "Voltage", f'"phase":"L{n}",', "V") for n in (1, 2, 3)),
    ]
)


class BareCharger:
    """A 1.6 charger that charges for ever; `echoed`: its peer sends everything back."""

    def __init__(self, socket: ClientConnection, clock: Clock, *, echoed: bool) -> None:
        self._socket = socket
        self._clock = clock
        self._echoed = echoed
        self._ids = itertools.count()
        self._answer: asyncio.Future[str] = asyncio.Future()
        self._transaction = "0"

    async def read(self) -> None:
        """Answer what is asked, until the socket closes."""
        try:
            async for message in self._socket:
                await self._take(str(message))
        except ConnectionClosed:
            pass

    async def begin(self) -> None:
        """Boot and start a transaction."""
        await self._ask("BootNotification", '{"chargePointVendor":"B","chargePointModel":"M"}')
        start = f'"connectorId":1,"idTag":"{ID_TAG}","meterStart":1000'
        at = f'"timestamp":"{self._now()}"'
        answer = await self._ask("StartTransaction", f"{{{start},{at}}}")
        if found := re.search(r'"transactionId": ?(\d+)', answer):
            self._transaction = found[1]

    async def meter(self) -> None:
        """Eight samples, and wait for the answer."""
        entry = f'{{"timestamp":"{self._now()}","sampledValue":[{_SAMPLES}]}}'
        where = f'"connectorId":1,"transactionId":{self._transaction}'
        await self._ask("MeterValues", f'{{{where},"meterValue":[{entry}]}}')

    async def _ask(self, action: str, payload: str) -> str:
        self._answer = asyncio.Future()
        await self._socket.send(f'[2,"{next(self._ids)}","{action}",{payload}]')
        return await self._answer

    async def _take(self, message: str) -> None:
        called = None if self._echoed else _CALL.match(message)
        if called is not None:
            answer = _ANSWERS.get(called[2], _ACCEPTED)
            await self._socket.send(f'[3,"{called[1]}",{answer}]')
        elif not self._answer.done():
            self._answer.set_result(message)

    def _now(self) -> str:
        return self._clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def bare(url: str, count: int, pipe: Connection, *, echoed: bool = False) -> None:
    """Run bare chargers; see `_obey` for what the pipe understands."""
    quietly(_bare(url, count, pipe, echoed=echoed))


def echoed(url: str, count: int, pipe: Connection) -> None:
    """As `bare`, against a peer that only echoes."""
    bare(url, count, pipe, echoed=True)


async def _bare(url: str, count: int, pipe: Connection, *, echoed: bool) -> None:
    clock, gate = SystemClock(), asyncio.Semaphore(_AT_ONCE)
    chargers: list[BareCharger] = []

    async def join(number: int) -> None:
        async with gate:
            socket = await connect(
                f"{url}/{charger_id(number)}",
                subprotocols=[Subprotocol("ocpp1.6")],
                compression=None,
                proxy=None,
                ping_interval=None,
                open_timeout=60,
            )
            charger = BareCharger(socket, clock, echoed=echoed)
            tasks.create_task(charger.read())
            await charger.begin()
            chargers.append(charger)

    async with asyncio.TaskGroup() as tasks:
        async with asyncio.TaskGroup() as joining:
            for number in range(count):
                joining.create_task(join(number))
        pipe.send("charging")
        await _obey(pipe, chargers, clock)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()


async def _obey(pipe: Connection, chargers: list[BareCharger], clock: Clock) -> None:
    """`("still", s)`; `("flat-out", s)`: messages a second; `("paced", s, every_s)`: messages."""
    while True:
        match await order(pipe):
            case ("still", float(seconds)):
                await clock.sleep(seconds)
                pipe.send(0.0)
            case ("flat-out", float(seconds)):
                pipe.send(await _sent(chargers, clock, seconds, 0.0) / seconds)
            case ("paced", float(seconds), float(every_s)):
                pipe.send(await _sent(chargers, clock, seconds, every_s))
            case _:
                return


async def _sent(chargers: list[BareCharger], clock: Clock, seconds: float, every_s: float) -> float:
    """MeterValues answered in `seconds`, each charger's `every_s` apart, evenly staggered."""
    ends_s, answered = clock.monotonic() + seconds, 0

    async def send(place: float) -> None:
        nonlocal answered
        await clock.sleep(place * every_s)
        while clock.monotonic() < ends_s:
            begun_s = clock.monotonic()
            await chargers_at[place].meter()
            answered += 1
            await clock.sleep(max(0.0, begun_s + every_s - clock.monotonic()))

    chargers_at = {number / len(chargers): one for number, one in enumerate(chargers)}
    async with asyncio.TaskGroup() as tasks:
        for place in chargers_at:
            tasks.create_task(send(place))
    return float(answered)


def simulated(url: str, count: int, pipe: Connection) -> None:
    """A depot of well-behaved simulated chargers with a vehicle each, until the pipe says so."""
    quietly(_simulated(_depot(url, count), pipe))


async def _simulated(settings: DepotSettings, pipe: Connection) -> None:
    async def told() -> None:
        await order(pipe)

    def ready(_: object) -> None:
        pipe.send("charging")

    await first_of(Depot(settings, SystemClock()).run(ready), told())


def _depot(url: str, count: int) -> DepotSettings:
    vehicle = {"id_tag": ID_TAG, "capacity_wh": 80_000, "soc_pct": 20, "max_ac_w": 22_080}
    chargers = [
        {
            "id": charger_id(number),
            "version": "1.6",
            "url": url,
            "meter_interval_s": 10,
            "vehicle": {"id": f"van-{number}", **vehicle},
        }
        for number in range(count)
    ]
    return DepotSettings.model_validate({"site_id": "bench", "chargers": chargers})


Load = Callable[[str, int, Connection], None]
