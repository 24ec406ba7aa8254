"""Odd chargers over real sockets, before a central system that writes down whatever comes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from websockets.asyncio.server import serve

from depot_sim.chargers.charger import Charger, ChargerSpec
from depot_sim.chargers.link import Endpoint
from depot_sim.chargers.personality import Entry, compose
from depot_sim.physics.evse import Evse
from support.scribe import Scribe
from support.waiting import until

VERSIONS = ("1.6", "2.0.1", "2.1")


@pytest.fixture(params=VERSIONS)
async def scribe(request: pytest.FixtureRequest) -> AsyncIterator[Scribe]:
    scribe = Scribe(request.param)
    async with serve(
        scribe.serve_one, "127.0.0.1", 0, select_subprotocol=scribe.select, ping_interval=None
    ) as server:
        scribe.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        yield scribe


@pytest.fixture
def odd(scribe: Scribe, clock: Any, van: Any, running: Any) -> Callable[..., Any]:
    """`async with odd(trait, ...) as charger`: a charger with a van on its cable."""

    @contextlib.asynccontextmanager
    async def make(*traits: Entry, plugged: bool = True) -> AsyncIterator[Charger]:
        spec = ChargerSpec(
            endpoint=Endpoint(url=scribe.url, charger_id="CP-1"),
            version=scribe.version,
            evses={1: Evse(rated_a=32)},
            personality=compose(traits),
            meter_interval_s=2,
            seed="test",
        )
        charger = Charger(spec, clock)
        if plugged:
            charger.plug(van())
        async with running(charger):
            await until(lambda: bool(scribe.metered() if plugged else scribe.names()))
            yield charger

    return make
