"""A capture served from a thread of its own, for commands that run a loop themselves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from site_agent.devices.commissioning.capture import Capture
from site_agent.devices.commissioning.replay import serving


@contextmanager
def replayed(capture: Capture) -> Iterator[int]:
    """The port at which it answers."""
    opened = threading.Event()
    ports: list[int] = []
    closing: list[Callable[[], object]] = []

    async def serve() -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        closing.append(lambda: loop.call_soon_threadsafe(over.set))
        async with serving(capture) as (_, port):
            ports.append(port)
            opened.set()
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert opened.wait(60), "the capture is not served"
    try:
        yield ports[0]
    finally:
        closing[0]()
        thread.join(60)
