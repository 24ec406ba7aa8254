from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from contracts.errors import TransientError
from contracts.testing import FakeClock
from gateway.utility.sep2.client import Sep2Client
from gateway.utility.sep2.settings import ListenerSettings
from gateway.utility.sep2.view import ServerView
from support.sep2_tree_server import NOW, OWN_LFDI, Fleet, control, lfdi, settings

CONTROLS = "/prog/feeder-1/derc"


class Follower:
    """Remembers what it was called with; wants to be called again every `every`."""

    def __init__(self) -> None:
        self.calls: list[tuple[ServerView, datetime]] = []
        self.every: timedelta | None = None
        self.trouble = 0

    async def follow(self, view: ServerView, server_now: datetime) -> datetime | None:
        self.calls.append((view, server_now))
        if self.trouble:
            self.trouble -= 1
            raise TransientError("the disk is full")
        return None if self.every is None else server_now + self.every


class Running:
    """A client at a fleet's server, in pretended time."""

    def __init__(self, count: int = 2, **more: object) -> None:
        self.fleet = Fleet(count, groups=2)
        self.clock = self.fleet.clock = FakeClock()
        self.follower = Follower()
        self.beside = asyncio.Event()
        of = settings(count, **more)
        self.client = Sep2Client(
            of,
            self.fleet.transport(of),
            self.follower,
            self.clock,
            own_lfdi=OWN_LFDI,
            listener_tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if of.listener else None,
            beside=(self._beside,),
        )

    async def _beside(self) -> None:
        self.beside.set()
        await asyncio.Event().wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Running]:
        task = asyncio.create_task(self.client.run())
        try:
            await self.advance(0)
            yield self
        finally:
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()

    async def advance(self, seconds: float, step: float = 1.0) -> None:
        """Pretend that so much time passes, and let requests have their turns."""
        for _ in range(max(1, round(seconds / step))):
            await self.clock.advance(min(step, seconds))
            for _ in range(20):
                await asyncio.sleep(0)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                await self.advance(0)

    @property
    def seen(self) -> ServerView:
        return self.follower.calls[-1][0]


@pytest.mark.row("sep2:10")
async def test_a_view_is_followed_in_the_servers_time() -> None:
    client = Running().client
    assert not client.health.connected
    running = Running()
    running.fleet.clock = None
    running.fleet.change("/tm", current_time=NOW + timedelta(hours=7))
    async with running.running():
        await running.until(lambda: len(running.client.view.devices) == 2)
        await running.advance(1)
        assert set(running.seen.devices) == {lfdi(1), lfdi(2)}
        assert abs(running.follower.calls[-1][1] - running.clock.now() - timedelta(hours=7)) < (
            timedelta(seconds=2)
        )
        health = running.client.health
        assert (health.connected, health.protocol) == (True, "IEEE 2030.5-2018")
        assert health.detail == "2 of 2 devices"
        assert health.last_contact_at is not None
        assert running.beside.is_set()


async def test_without_the_servers_time_nothing_is_acted_on() -> None:
    running = Running()
    running.fleet.status["/tm"] = 500
    async with running.running():
        await running.until(lambda: len(running.client.view.devices) == 2)
        await running.advance(5)
        assert running.follower.calls == []
        assert not running.client.health.connected
        assert "time is not known" in running.client.health.detail
        del running.fleet.status["/tm"]
        await running.advance(60)
        assert running.follower.calls


async def test_it_is_called_when_it_wants_and_when_there_is_news() -> None:
    running = Running()
    running.follower.every = timedelta(seconds=7)
    async with running.running():
        await running.until(lambda: len(running.client.view.devices) == 2)
        await running.advance(2)
        before = len(running.follower.calls)
        await running.advance(21)
        assert len(running.follower.calls) == before + 3
        running.follower.every = None
        await running.advance(60)
        before = len(running.follower.calls)
        running.fleet.change(CONTROLS, items=(control(f"{CONTROLS}/9", 9),))
        await running.advance(305)
        views = [view for view, _ in running.follower.calls[before:]]
        assert [one.href for one in views[-1].devices[lfdi(1)].programs[0].controls] == [
            f"{CONTROLS}/9"
        ]
        assert len(views) <= 305 / 60 + 2, "else only once a minute"


async def test_what_could_not_be_stored_is_tried_again() -> None:
    running = Running()
    async with running.running():
        await running.until(lambda: bool(running.follower.calls))
        await running.advance(70)
        running.follower.trouble = 2
        before = len(running.follower.calls)
        await running.advance(75)
        assert len(running.follower.calls) >= before + 3


@pytest.mark.row("sep2:42", "csip:G12")
async def test_steering_goes_on_while_the_server_cannot_be_reached() -> None:
    running = Running()
    running.follower.every = timedelta(seconds=10)
    async with running.running():
        await running.until(lambda: len(running.client.view.devices) == 2)
        view = running.client.view
        running.fleet.down = True
        await running.advance(400)
        assert not running.client.health.connected
        assert "the server is down" in running.client.health.detail
        before = len(running.follower.calls)
        await running.advance(100)
        assert len(running.follower.calls) == before + 10
        assert running.seen is view
        running.fleet.down = False
        await running.advance(310)
        assert running.client.health.connected
        assert running.client.health.detail == "2 of 2 devices"


async def test_a_server_that_is_down_is_asked_more_and_more_seldom() -> None:
    running = Running(max_backoff_s=60)
    running.fleet.down = True
    async with running.running():
        await running.advance(600)
        assert 10 <= running.client._transport.requests["GET DeviceCapability"] / 2 <= 30
        running.fleet.down = False
        await running.advance(62)
        assert running.client.health.connected


async def test_retry_after_is_heeded() -> None:
    running = Running(20)
    async with running.running():
        await running.until(lambda: len(running.client.view.devices) == 20)
        await running.advance(10)
        fleet = running.fleet
        real = fleet.handle
        asked: list[float] = []

        def busy(request: httpx.Request) -> httpx.Response:
            asked.append(running.clock.monotonic())
            return httpx.Response(503, headers={"Retry-After": "200"})

        running.client._transport._client._transport = httpx.MockTransport(busy)
        await running.advance(320)
        first = asked[0]
        assert len(asked) <= 64
        assert max(asked) - first < 1
        await running.advance(200)
        assert max(asked) - first >= 200
        running.client._transport._client._transport = httpx.MockTransport(real)
        await running.advance(210)
        assert running.client.health.connected


@pytest.mark.row("sep2:9")
async def test_not_enrolled_yet_is_no_failure() -> None:
    running = Running()
    running.fleet.status["/dcap"] = 403
    async with running.running():
        await running.advance(20)
        assert not running.client.health.connected
        assert "not enrolled yet" in running.client.health.detail
        assert running.follower.calls == []
        del running.fleet.status["/dcap"]
        await running.advance(320)
        assert running.client.health.connected


async def test_a_listener_that_cannot_listen_leaves_polling() -> None:
    listener = ListenerSettings.model_validate(
        {"host": "256.256.256.256", "url": "https://us.example/", "cert": "c", "key": "k"}
    )
    assert listener.cert == Path("c")
    running = Running(listener=listener)
    async with running.running():
        await running.until(lambda: len(running.client.view.devices) == 2)
        await running.advance(5)
        assert running.client.health.connected
        await running.until(lambda: "no Notifications" in running.client.health.detail)


async def test_utilities_do_not_touch_each_other() -> None:
    one, other = Running(1), Running(3)
    other.fleet.down = True
    async with one.running(), other.running():
        await one.until(lambda: len(one.client.view.devices) == 1)
        await other.advance(5)
        assert one.client.health.connected
        assert not other.client.health.connected


async def test_a_hint_is_followed_at_once() -> None:
    running = Running()
    async with running.running():
        await running.until(lambda: len(running.client.view.devices) == 2)
        await running.advance(5)
        running.fleet.change(CONTROLS, items=(control(f"{CONTROLS}/9", 9),))
        running.client._discovery.hint(CONTROLS)
        await running.advance(0)
        await running.until(
            lambda: (
                [c.href for c in running.seen.devices[lfdi(1)].programs[0].controls]
                == [f"{CONTROLS}/9"]
            )
        )
        assert running.clock.monotonic() < 10
