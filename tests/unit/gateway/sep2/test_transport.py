from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from contracts.errors import LinkDownError, PermanentError, ProtocolError, TransientError
from contracts.sep2.resources import DERStatus, EndDevice, EndDeviceList, LogEvent, Time
from gateway.utility.sep2.transport import (
    BusyError,
    Exchange,
    NotVisibleError,
    RefusedError,
    Sep2Transport,
    StalledError,
)
from support.sep2_tree_server import NOW, settings

TIME = (
    b'<Time xmlns="urn:ieee:std:2030.5:ns"><currentTime>1795224075</currentTime>'
    b"<dstEndTime>0</dstEndTime><dstOffset>0</dstOffset><dstStartTime>0</dstStartTime>"
    b"<quality>7</quality><tzOffset>0</tzOffset></Time>"
)
XML = {"Content-Type": "application/sep+xml"}
Handler = (
    Callable[[httpx.Request], httpx.Response] | Callable[[httpx.Request], Awaitable[httpx.Response]]
)
STATUS = DERStatus(reading_time=NOW)


def transport(
    handler: Handler, *, on_message: Callable[[Exchange], None] | None = None, **more: object
) -> Sep2Transport:
    return Sep2Transport(
        settings(1, timeout_s=0.5, **more),
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        http=httpx.MockTransport(handler),  # type: ignore[arg-type]
        on_message=on_message,
    )


def answering(*responses: httpx.Response) -> tuple[Handler, list[httpx.Request]]:
    asked: list[httpx.Request] = []
    left = list(responses)

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return left.pop(0) if len(left) > 1 else left[0]

    return handle, asked


@pytest.mark.row("sep2:2")
async def test_a_resource_is_asked_for_and_read() -> None:
    handle, asked = answering(httpx.Response(200, content=TIME, headers=XML))
    link = transport(handle)
    assert (await link.get("/tm", Time)).quality == 7
    assert asked[0].headers["Accept"] == "application/sep+xml"
    assert str(asked[0].url) == "https://utility.example/tm"
    assert link.requests == {"GET Time": 1}
    await link.aclose()


@pytest.mark.parametrize(
    "sent",
    [
        "application/sep+xml; charset=UTF-8",
        "Application/SEP+XML;level=+S1",
        "application/xml",
    ],
)
async def test_media_types_are_read_leniently(sent: str) -> None:
    handle, _ = answering(httpx.Response(200, content=TIME, headers={"Content-Type": sent}))
    assert (await transport(handle).get("/tm", Time)).quality == 7


@pytest.mark.parametrize("sent", ["text/html", "application/sep-exi", "application/json", ""])
async def test_another_media_type_is_refused_by_name(sent: str) -> None:
    handle, _ = answering(httpx.Response(200, content=TIME, headers={"Content-Type": sent}))
    with pytest.raises(ProtocolError, match=r"instead of application/sep\+xml"):
        await transport(handle).get("/tm", Time)


@pytest.mark.row("csip-test:ERR-001")
@pytest.mark.parametrize("code", [301, 302, 307, 308])
async def test_redirects_on_the_same_server_are_followed(code: int) -> None:
    handle, asked = answering(
        httpx.Response(code, headers={"Location": "/new/17:00"}),
        httpx.Response(200, content=TIME, headers=XML),
    )
    await transport(handle).get("/tm", Time)
    assert [request.url.path for request in asked] == ["/tm", "/new/17:00"]


@pytest.mark.row("csip-test:ERR-001")
@pytest.mark.parametrize("code", [301, 302, 307, 308])
async def test_a_redirected_put_stays_a_put_with_its_body(code: int) -> None:
    handle, asked = answering(
        httpx.Response(code, headers={"Location": "https://utility.example/new"}),
        httpx.Response(204),
    )
    await transport(handle).put("/ders", STATUS)
    assert [(one.method, one.url.path) for one in asked] == [("PUT", "/ders"), ("PUT", "/new")]
    assert asked[0].content == asked[1].content != b""
    assert asked[1].headers["Content-Type"] == "application/sep+xml"


@pytest.mark.parametrize(
    "location",
    ["http://utility.example/tm", "https://evil.example/tm", "https://utility.example:444/", ""],
)
async def test_redirects_to_elsewhere_are_not_followed(location: str) -> None:
    handle, asked = answering(httpx.Response(302, headers={"Location": location}))
    with pytest.raises(ProtocolError, match="redirect"):
        await transport(handle).get("/tm", Time)
    assert len(asked) == 1


async def test_redirects_in_a_circle_end() -> None:
    handle, asked = answering(httpx.Response(302, headers={"Location": "/tm"}))
    with pytest.raises(ProtocolError, match="redirects"):
        await transport(handle).get("/tm", Time)
    assert len(asked) == 4


@pytest.mark.row("sep2:9")
@pytest.mark.parametrize("code", [401, 403, 404])
async def test_what_is_not_there_for_us(code: int) -> None:
    handle, _ = answering(httpx.Response(code))
    with pytest.raises(NotVisibleError, match=str(code)):
        await transport(handle).get("/edev", EndDeviceList)


@pytest.mark.parametrize("code", [400, 405, 409, 413, 499])
async def test_a_refusal_tells_its_code(code: int) -> None:
    handle, _ = answering(httpx.Response(code))
    with pytest.raises(RefusedError) as caught:
        await transport(handle).put("/ders", STATUS)
    assert caught.value.status == code
    assert isinstance(caught.value, PermanentError)


@pytest.mark.parametrize(
    ("code", "header", "wait_s"),
    [
        (500, None, None),
        (599, None, None),
        (503, "7", 7.0),
        (429, "120", 120.0),
        (503, "99999999", 3600.0),
        (503, "Fri, 27 Nov 2026 07:00:00 GMT", None),
        (503, "-5", None),
    ],
)
async def test_a_busy_server_says_how_long(
    code: int, header: str | None, wait_s: float | None
) -> None:
    headers = {} if header is None else {"Retry-After": header}
    handle, asked = answering(httpx.Response(code, headers=headers))
    with pytest.raises(BusyError) as caught:
        await transport(handle).get("/tm", Time)
    assert isinstance(caught.value, TransientError)
    assert caught.value.retry_after_s == wait_s
    assert len(asked) == 1


@pytest.mark.parametrize("code", [304, 300, 204])
async def test_other_answers_to_a_get_are_nonsense(code: int) -> None:
    handle, _ = answering(httpx.Response(code))
    with pytest.raises(ProtocolError):
        await transport(handle).get("/tm", Time)


async def test_a_get_is_tried_again_once_when_a_connection_breaks() -> None:
    tries = 0

    def handle(_request: httpx.Request) -> httpx.Response:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise httpx.RemoteProtocolError("closed")
        return httpx.Response(200, content=TIME, headers=XML)

    link = transport(handle)
    assert (await link.get("/tm", Time)).quality == 7
    assert link.requests == {"GET Time": 2}


async def test_a_server_that_cannot_be_reached() -> None:
    def handle(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    link = transport(handle)
    with pytest.raises(LinkDownError, match="refused"):
        await link.get("/tm", Time)
    with pytest.raises(LinkDownError, match="refused"):
        await link.post("/lel", _log_event())
    assert link.requests == {"GET Time": 2, "POST LogEvent": 1}, "a POST is never repeated"


async def test_a_server_that_hangs_is_given_up() -> None:
    async def handle(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    link = transport(handle)
    with pytest.raises(LinkDownError, match="no answer in time"):
        await link.get("/tm", Time)


async def test_a_server_that_drips_is_given_up() -> None:
    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.05)

    handle, _ = answering(httpx.Response(200, content=drip(), headers=XML))
    with pytest.raises(LinkDownError, match="no answer in time"):
        await transport(handle).get("/tm", Time)


async def test_fifty_megabytes_are_not_read() -> None:
    sent = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(50):
            sent += 1
            yield b"x" * (1 << 20)

    handle, _ = answering(httpx.Response(200, content=flood(), headers=XML))
    with pytest.raises(ProtocolError, match="larger than 2097152 bytes"):
        await transport(handle).get("/tm", Time)
    assert sent <= 3


async def test_a_compressed_answer_is_refused_before_it_unfolds() -> None:
    headers = XML | {"Content-Encoding": "gzip"}

    async def bomb() -> AsyncIterator[bytes]:
        yield b"\x1f\x8b"

    handle, asked = answering(httpx.Response(200, content=bomb(), headers=headers))
    with pytest.raises(ProtocolError, match="compressed"):
        await transport(handle).get("/tm", Time)
    assert asked[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"<Time",
        TIME[:-20],
        b"not xml",
        b"\xff\xfe\x00",
        b'<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]>' + TIME,
        b'<EndDeviceList xmlns="urn:ieee:std:2030.5:ns"/>',
        b"<html/>",
    ],
)
async def test_bodies_that_are_no_such_resource(body: bytes) -> None:
    handle, _ = answering(httpx.Response(200, content=body, headers=XML))
    with pytest.raises(ProtocolError):
        await transport(handle).get("/tm", Time)


@pytest.mark.row("sep2:36")
@pytest.mark.parametrize(
    ("location", "href"),
    [
        ("/mup/2", "/mup/2"),
        ("https://utility.example/mup/2", "/mup/2"),
        ("2", "/mup/2"),
        ("https://elsewhere.example/mup/2", None),
        (None, None),
    ],
)
async def test_a_post_tells_where_the_new_resource_is(
    location: str | None, href: str | None
) -> None:
    headers = {} if location is None else {"Location": location}
    handle, asked = answering(httpx.Response(201, headers=headers))
    assert await transport(handle).post("/mup/", _log_event()) == href
    assert asked[0].content.startswith(b"<?xml")


async def test_every_exchange_can_be_recorded_in_clear() -> None:
    handle, _ = answering(
        httpx.Response(200, content=TIME, headers=XML), httpx.Response(500, content=b"oops")
    )
    seen: list[Exchange] = []
    link = transport(handle, on_message=seen.append)
    await link.get("/tm", Time)
    with pytest.raises(BusyError):
        await link.put("/ders", STATUS)
    first, second = seen
    assert (first.method, first.href, first.status, first.response) == ("GET", "/tm", 200, TIME)
    assert second.request is not None
    assert b"DERStatus" in second.request
    assert (second.status, second.response) == (500, b"oops")


async def test_no_more_requests_at_once_than_allowed() -> None:
    under_way = most = 0

    async def handle(_request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        return httpx.Response(200, content=TIME, headers=XML)

    link = transport(handle, max_concurrent_requests=5)
    async with asyncio.TaskGroup() as group:
        for _ in range(40):
            group.create_task(link.get("/tm", Time))
    assert most == 5


async def test_a_value_the_peer_cannot_take_is_ours_to_mend() -> None:
    handle, asked = answering(httpx.Response(204))
    with pytest.raises(ValueError, match="lFDI"):
        await transport(handle).put("/edev/1", EndDevice(lfdi="xyz", sfdi=1, changed_time=NOW))
    assert asked == []


def _log_event() -> LogEvent:
    return LogEvent(
        created_date_time=NOW,
        function_set=11,
        log_event_code=0,
        log_event_id=1,
        log_event_pen=0,
        profile_id=2,
    )


async def test_a_silent_resource_is_told_from_a_server_that_cannot_be_reached() -> None:
    def unreachable(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("")

    def silent(_request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("")

    with pytest.raises(LinkDownError) as caught:
        await transport(unreachable).get("/tm", Time)
    assert not isinstance(caught.value, StalledError)
    with pytest.raises(StalledError):
        await transport(silent).get("/tm", Time)
