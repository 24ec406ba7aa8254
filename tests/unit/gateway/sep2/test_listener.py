from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from contracts.sep2 import codec
from contracts.sep2.resources import Notification
from gateway.utility.sep2 import listener as module
from gateway.utility.sep2.listener import MAX_BODY_BYTES, NotificationListener
from gateway.utility.sep2.settings import ListenerSettings

URL = "https://us.example:8443/notify/42"
XML = {"Content-Type": "application/sep+xml"}
BODY = codec.encode(
    Notification(subscribed_resource="/derc", status=0, subscription_uri="/edev/0/sub/1")
)


class Door:
    """A listener behind an HTTP client, without a socket."""

    def __init__(self, *, knows: bool = True) -> None:
        self.taken: list[Notification] = []
        self.knows = knows
        of = ListenerSettings.model_validate({"url": URL, "cert": Path("c"), "key": Path("k")})
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.listener = NotificationListener(of, tls, self._take)

    def _take(self, notification: Notification) -> bool:
        self.taken.append(notification)
        return self.knows

    async def post(
        self,
        body: bytes | AsyncIterator[bytes] = BODY,
        *,
        url: str = URL,
        method: str = "POST",
        headers: dict[str, str] | None = None,
    ) -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self.listener)) as client:
            sent = XML if headers is None else headers
            answer = await client.request(method, url, content=body, headers=sent)
            assert answer.content == b""
            return answer.status_code


@pytest.mark.row("sep2:40", "csip-test:CORE-018")
@pytest.mark.parametrize("sent", ["application/sep+xml", "Application/sep+xml; level=+S1"])
async def test_a_notification_is_taken_and_answered_201(sent: str) -> None:
    door = Door()
    assert await door.post(headers={"Content-Type": sent}) == 201
    assert [one.subscribed_resource for one in door.taken] == ["/derc"]


@pytest.mark.row("csip-test:ERR-002")
async def test_one_we_know_nothing_of_is_answered_400_so_that_the_server_ends_it() -> None:
    assert await Door(knows=False).post() == 400


@pytest.mark.row("csip-test:ERR-002")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        BODY[:-10],
        b'<Time xmlns="urn:ieee:std:2030.5:ns"/>',
        b'<!DOCTYPE a [<!ENTITY b "c">]><a/>',
        BODY + b" " * MAX_BODY_BYTES,
        b"<a>" * 10_000,
    ],
    ids=["nothing", "nonsense", "cut", "another resource", "DOCTYPE", "too large", "too deep"],
)
async def test_a_wrong_body_is_answered_400_and_goes_no_further(body: bytes) -> None:
    door = Door()
    assert await door.post(body) == 400
    assert door.taken == []


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"url": "https://us.example:8443/"}, 404),
        ({"url": "https://us.example:8443/notify/43"}, 404),
        ({"method": "GET"}, 405),
        ({"method": "PUT"}, 405),
        ({"headers": {"Content-Type": "text/html"}}, 415),
        ({"headers": {}}, 415),
    ],
)
async def test_anything_else_is_turned_away(request_: dict[str, str], status: int) -> None:
    door = Door()
    assert await door.post(**request_) == status  # type: ignore[arg-type]
    assert door.taken == []


async def test_a_body_that_never_ends_is_cut_off() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 65_536

    door = Door()
    assert await door.post(endless()) == 400
    assert sent <= MAX_BODY_BYTES / 65_536 + 2


async def test_a_body_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BODY_S", 0.05)

    async def silence() -> AsyncIterator[bytes]:
        yield b"<Noti"
        await asyncio.Event().wait()

    assert await Door().post(silence()) == 408


async def test_more_at_once_than_can_be_wanted_are_turned_away() -> None:
    opened = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        await opened.wait()
        yield BODY

    door = Door()
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(door.post(slow())) for _ in range(32)]
        for _ in range(20):
            await asyncio.sleep(0)
        assert await door.post() == 503
        opened.set()
    assert {task.result() for task in waiting} == {201}
    assert await door.post() == 201


async def test_only_http_is_answered() -> None:
    async def never() -> dict[str, object]:
        raise AssertionError

    await Door().listener({"type": "websocket"}, never, never)  # type: ignore[arg-type]
