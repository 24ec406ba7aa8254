"""The pages' small world served on a real socket, for commands that ask a running gateway."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from queue import SimpleQueue

from contracts.http_server import serve
from contracts.testing import FakeClock
from support.gateway_web import NOW, World, fill, make_world
from support.participation import START, build_report

_PATIENCE_S = 30


async def filled() -> World:
    """With one event and its first report."""
    world = make_world(FakeClock(NOW))
    await fill(world, build_report(), START, START + timedelta(minutes=30))
    return world


@contextmanager
def served(make: Callable[[], Awaitable[World]] = filled) -> Iterator[str]:
    """Its address, while a thread of its own serves it."""
    ports: SimpleQueue[int | BaseException] = SimpleQueue()
    ends: list[Callable[[], object]] = []

    async def run() -> None:
        world, stopping = await make(), asyncio.Event()
        loop = asyncio.get_event_loop()
        ends.append(lambda: loop.call_soon_threadsafe(stopping.set))
        await serve(world.app, host="127.0.0.1", port=0, stopping=stopping, ready=ports.put)

    def guarded() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            ports.put(error)
            raise

    thread = threading.Thread(target=guarded)
    thread.start()
    try:
        port = ports.get(timeout=_PATIENCE_S)
        if isinstance(port, BaseException):
            raise port
        yield f"http://127.0.0.1:{port}"
    finally:
        for end in ends:
            end()
        thread.join()
