"""Sites at the far end of a gateway's link: they measure, keep what is not taken, and are told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from contracts.clock import SystemClock
from contracts.reading import Quality
from contracts.site_link import points
from contracts.site_link.messages import Instruction, Measurement
from gridyard.credentials import site_folder
from site_agent.uplink.link import NatsUplink
from support.site_link import Instructions, MemoryOutbox, running
from support.waiting import PATIENCE_S

POWER_W, FLEX_DOWN_W = 30_000.0, 10_000.0
_EVERY_S = 0.5
_CLOCK = SystemClock()


class LiveSites:
    """What each site was told, in order of arrival; an instruction may arrive again."""

    def __init__(self, sites: Sequence[str]) -> None:
        self._handlers = {site_id: Instructions() for site_id in sites}

    @property
    def told(self) -> Mapping[str, Sequence[Instruction]]:
        return {site_id: tuple(one.stored) for site_id, one in self._handlers.items()}

    async def live(self, credentials: Path, server: str, ended: asyncio.Event) -> None:
        """Measure and listen, whether or not there is a gateway."""
        async with AsyncExitStack() as stack:
            for site_id, handler in self._handlers.items():
                outbox = MemoryOutbox()
                uplink = NatsUplink(
                    site_id=site_id,
                    servers=[server],
                    credentials=site_folder(credentials, site_id),
                    outbox=outbox,
                    instructions=handler,
                    clock=_CLOCK,
                    agent_version="test",
                )
                await stack.enter_async_context(running(uplink.run()))
                await stack.enter_async_context(running(_measure(outbox)))
            await ended.wait()


async def _measure(outbox: MemoryOutbox) -> None:
    values = {points.PCC_POWER_W: POWER_W, points.FLEX_DOWN_W: FLEX_DOWN_W}
    while True:
        now = _CLOCK.now()
        await outbox.append(
            [
                Measurement(at=now, point=point, value=value, quality=Quality.GOOD)
                for point, value in values.items()
            ]
        )
        await _CLOCK.sleep(_EVERY_S)


@contextmanager
def live_sites(sites: Sequence[str], credentials: Path, server: str) -> Iterator[LiveSites]:
    """They live in a thread of their own while the block runs."""
    found, loop, ended = LiveSites(sites), asyncio.new_event_loop(), asyncio.Event()

    def life() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(found.live(credentials, server, ended))

    thread = threading.Thread(target=life, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(PATIENCE_S)
