"""Pretended time over real sockets stands still for work, and only for work."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

from support.leaping_clock import LeapingClock

HOUR_S = 3600.0


def test_a_night_passes_in_no_time_and_in_order() -> None:
    clock, woken = LeapingClock(), list[str]()

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    async def night() -> None:
        async with asyncio.TaskGroup() as tasks:
            for name, hours in {"late": 8.0, "early": 1.0, "middle": 4.0}.items():
                tasks.create_task(sleeper(name, hours * HOUR_S))
            dreamer = tasks.create_task(sleeper("never", 2 * HOUR_S))
            await clock.sleep(HOUR_S)
            dreamer.cancel()

    begun, evening = time.monotonic(), clock.now()
    clock.run(night())
    assert woken == ["early", "middle", "late"]
    assert timedelta(hours=8) <= clock.now() - evening < timedelta(hours=8, minutes=1)
    assert time.monotonic() - begun < 5


def test_it_stands_still_while_a_socket_has_something_to_say() -> None:
    clock, told = LeapingClock(), list[float]()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    async def talk(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(200):
            writer.write(b"%d\n" % number)
            assert await reader.readline() == b"%d\n" % number
        told.append(clock.monotonic())
        writer.close()

    async def both() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server, asyncio.TaskGroup() as tasks:
            tasks.create_task(talk(server.sockets[0].getsockname()[1]))
            await clock.sleep(HOUR_S)

    clock.run(both())
    assert told[0] < 1.0, "two hundred answers, and hardly any time has passed"
    assert clock.monotonic() >= HOUR_S


def test_no_sleep_takes_no_time() -> None:
    clock = LeapingClock()

    async def restless() -> None:
        for _ in range(100):
            await clock.sleep(0)
            await clock.sleep(-1)

    clock.run(restless())
    assert clock.monotonic() == 0
