"""The stream over a real socket: updates come, are whole, and end at once when we stop."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from fastapi.sse import ServerSentEvent

from contracts.clock import SystemClock
from contracts.errors import TransientError
from contracts.http_server import serve
from contracts.web.stream import updates
from gateway.domain.measure.report import ParticipationReport
from support.gateway_web import EVENT_URL, World, make_world


@dataclass
class Received:
    event: str
    data: str


@asynccontextmanager
async def serving(world: World) -> AsyncIterator[str]:
    port: asyncio.Future[int] = asyncio.get_event_loop().create_future()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            serve(
                world.app,
                host="127.0.0.1",
                port=0,
                stopping=world.state.stopping,
                ready=port.set_result,
            )
        )
        yield f"http://127.0.0.1:{await port}"
        world.state.stopping.set()


async def received(answer: httpx.Response) -> AsyncIterator[Received]:
    event, data = "", list[str]()
    async for line in answer.aiter_lines():
        if not line:
            yield Received(event, "\n".join(data))
            event, data = "", list[str]()
        elif line.startswith("event: "):
            event = line.removeprefix("event: ")
        elif line.startswith("data: "):
            data.append(line.removeprefix("data: "))


@pytest.fixture
async def real(report: ParticipationReport) -> World:
    return make_world(SystemClock())


async def test_the_live_page_gets_html_and_a_tick_each_second(real: World) -> None:
    async with (
        serving(real) as base,
        httpx.AsyncClient(base_url=base) as client,
        client.stream("GET", "/ui/stream") as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        real.live.heard("harbor")
        got = [item async for item in _first(received(answer), 4)]
    assert [item.event for item in got] == ["", "tick", "", "tick"]
    assert 'data-testid="tile-load"' in got[0].data
    first, second = json.loads(got[1].data), json.loads(got[3].data)
    assert 900 <= second["now"] - first["now"] <= 3000
    assert first["actual_kw"] is None
    assert "data-testid" in got[2].data
    assert "1 of 3" in got[2].data  # harbor has been heard


async def _first(items: AsyncIterator[Received], count: int) -> AsyncIterator[Received]:
    async for item in items:
        yield item
        count -= 1
        if not count:
            return


async def test_an_open_stream_ends_at_once_when_the_program_stops(real: World) -> None:
    async with serving(real) as base, httpx.AsyncClient(base_url=base) as client:
        async with client.stream("GET", "/ui/stream") as answer:
            items = received(answer)
            await anext(items)
            began = real.clock.monotonic()
            real.state.stopping.set()
            rest = [item async for item in items]
        assert real.clock.monotonic() - began < 0.9
        assert len(rest) <= 1


@pytest.mark.parametrize("path", [f"{EVENT_URL}/stream", "/sites/nope/stream"])
async def test_a_stream_about_nothing_is_not_begun(real: World, path: str) -> None:
    async with serving(real) as base, httpx.AsyncClient(base_url=base) as client:
        answer = await client.get(path, headers={"Accept": "text/event-stream"})
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_busy_store_only_skips_an_update() -> None:
    stopping, looks = asyncio.Event(), iter([TransientError("locked"), None])

    async def look() -> list[ServerSentEvent]:
        if (error := next(looks)) is not None:
            raise error
        stopping.set()
        return [ServerSentEvent(event="tick")]

    sent = [item.event async for item in updates(look, stopping, period_s=0.001)]
    assert sent == ["tick"]


async def test_nothing_is_sent_once_stopping() -> None:
    stopping, looked = asyncio.Event(), []
    stopping.set()

    async def look() -> list[ServerSentEvent]:
        looked.append(True)
        return [ServerSentEvent(event="tick")]

    assert not [item async for item in updates(look, stopping)]
    assert not looked
