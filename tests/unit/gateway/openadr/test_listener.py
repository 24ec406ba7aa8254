"""What is let in, how it is refused, and what it is answered; without sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from certs.pki import Pki, make_test_pki
from contracts.errors import ProtocolError, TransientError
from contracts.identity import certificate_der, openadr_fingerprint
from contracts.openadr import codec
from contracts.openadr.payloads import (
    CancelPartyRegistration,
    CancelReport,
    DistributeEvent,
    EiResponse,
    Payload,
    Poll,
    RegisterReport,
    RequestReregistration,
    Response,
)
from contracts.openadr.signature import Signer, SigningKey
from contracts.openadr.xml.parsing import MAX_MESSAGE_BYTES
from contracts.testing import FakeClock
from gateway.utility.openadr import listener as module
from gateway.utility.openadr.listener import BURST, PROFILE_PATH, VenListener
from gateway.utility.openadr.security import MessageSecurity
from gateway.utility.openadr.settings import OpenAdrSettings

URL = "https://us.example:8444/ven"
XML = {"Content-Type": "application/xml"}
ANSWER = Response(response=EiResponse(request_id="r", description="OK"))
AGAIN = RequestReregistration(ven_id="ven-7")
AGAIN_XML = codec.encode(AGAIN)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), sites=[], now=FakeClock().now())


class Door:
    """A listener behind an HTTP client, without a socket."""

    def __init__(self, pki: Pki, fails: Exception | None = None, **more: Any) -> None:
        settings = OpenAdrSettings.model_validate(
            {
                "utility_id": "util",
                "url": "https://vtn.example",
                "ven_name": "us",
                "ca": pki.utility_ca,
                "cert": pki.ven.cert,
                "key": pki.ven.key,
                "vtn_fingerprint": openadr_fingerprint(certificate_der(pki.vtn.cert)),
                "listener": {"url": URL},
                **more,
            }
        )
        assert settings.listener is not None
        self.clock = FakeClock()
        self.taken: list[Payload] = []
        self.fails = fails
        self.shows: Path | None = pki.vtn.cert
        self.listener = VenListener(
            settings,
            settings.listener,
            MessageSecurity(settings, self.clock),
            self.clock,
            self._take,
        )

    async def _take(self, message: Payload) -> Payload:
        self.taken.append(message)
        if self.fails is not None:
            raise self.fails
        return ANSWER

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        shown = None if self.shows is None else certificate_der(self.shows)
        await self.listener({**scope, "state": {"peer_certificate": shown}}, receive, send)

    async def post(
        self,
        body: bytes | AsyncIterator[bytes] = AGAIN_XML,
        service: str = "EiRegisterParty",
        *,
        base: str = URL,
        method: str = "POST",
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self._app)) as client:
            sent = XML if headers is None else headers
            return await client.request(method, f"{base}/{service}", content=body, headers=sent)


@pytest.mark.row("openadr:S2")
@pytest.mark.parametrize("base", [URL, URL + PROFILE_PATH])
@pytest.mark.parametrize("kind", ["application/xml", "Application/XML; charset=utf-8", "text/xml"])
async def test_a_message_is_taken_and_answered(pki: Pki, base: str, kind: str) -> None:
    door = Door(pki)
    answer = await door.post(base=base, headers={"Content-Type": kind})
    assert (answer.status_code, codec.decode(answer.content)) == (200, ANSWER)
    assert answer.headers["content-type"] == "application/xml"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert door.taken == [AGAIN]


@pytest.mark.row("openadr:S1")
async def test_only_the_vtn_is_let_in(pki: Pki) -> None:
    door = Door(pki)
    for shown in (None, pki.ven.cert):
        door.shows = shown
        assert (await door.post()).status_code == 403
    assert door.taken == []


async def chunks() -> AsyncIterator[bytes]:
    yield AGAIN_XML


@pytest.mark.row("openadr:S2")
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        pytest.param({"service": "OadrPoll"}, 404, id="not a service of a VEN"),
        pytest.param({"base": "https://us.example/other"}, 404, id="another path"),
        pytest.param({"method": "GET"}, 405, id="GET"),
        pytest.param({"headers": {}}, 415, id="no type"),
        pytest.param({"headers": {"Content-Type": "text/html"}}, 415, id="another type"),
        pytest.param({"body": chunks()}, 411, id="chunked"),
        pytest.param({"body": b" " * (MAX_MESSAGE_BYTES + 1)}, 413, id="too large"),
        pytest.param({"headers": {**XML, "Content-Length": "-1"}}, 411, id="negative length"),
        pytest.param({"headers": {**XML, "Content-Length": "²"}}, 411, id="no number"),
        pytest.param({"body": b""}, 400, id="empty"),
        pytest.param({"body": AGAIN_XML[:-5]}, 400, id="cut off"),
        pytest.param({"body": b'<!DOCTYPE a [<!ENTITY b "c">]><a/>'}, 400, id="an entity"),
    ],
)
async def test_what_is_wrong_is_refused_and_goes_no_further(
    pki: Pki, asked: dict[str, Any], status: int
) -> None:
    door = Door(pki)
    if asked.get("headers", {}).get("Content-Length") == "²":
        asked = {"headers": [(b"content-type", b"application/xml"), (b"content-length", b"\xb2")]}
    answer = await door.post(**asked)
    assert (answer.status_code, answer.content) == (status, b"")
    assert answer.headers["connection"] == "close"
    assert door.taken == []


async def test_a_message_in_the_wrong_place_is_answered_451(pki: Pki) -> None:
    door = Door(pki)
    report = RegisterReport(request_id="r7", ven_id="ven-7")
    for message in (codec.encode(report), codec.encode(Poll(ven_id="ven-7"))):
        answer = codec.decode((await door.post(message, "EiEvent")).content)
        assert isinstance(answer, Response)
        assert answer.response.code == 451
    assert door.taken == []


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ("EiEvent", DistributeEvent(request_id="r", vtn_id="VTN", events=())),
        ("EiReport", RegisterReport(request_id="r", ven_id="v")),
        ("EiReport", CancelReport(request_id="r", report_request_ids=("1",), ven_id="v")),
        ("EiRegisterParty", CancelPartyRegistration(request_id="r", registration_id="1")),
        ("EiRegisterParty", AGAIN),
    ],
)
async def test_each_service_takes_its_messages(pki: Pki, service: str, message: Payload) -> None:
    door = Door(pki)
    assert (await door.post(codec.encode(message), service)).status_code == 200
    assert door.taken == [message]


@pytest.mark.row("openadr:S4")
@pytest.mark.parametrize(
    ("error", "status"), [(TransientError("not now"), 503), (ProtocolError("what?"), 400)]
)
async def test_what_cannot_be_done_now_is_asked_for_again(
    pki: Pki, error: Exception, status: int
) -> None:
    answer = await Door(pki, error).post()
    assert answer.status_code == status
    assert ("retry-after" in answer.headers) is (status == 503)


async def test_more_than_a_burst_waits(pki: Pki) -> None:
    door = Door(pki)
    codes = [(await door.post()).status_code for _ in range(int(BURST) + 2)]
    assert codes == [200] * int(BURST) + [429, 429]
    await door.clock.advance(0.1)
    assert [(await door.post()).status_code for _ in range(2)] == [200, 429]


async def test_a_body_that_takes_too_long_is_not_waited_for(
    pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BODY_S", 0.05)
    clock = FakeClock()

    async def slow() -> AsyncIterator[bytes]:
        yield AGAIN_XML[:10]
        await clock.sleep(3600)

    headers = {**XML, "Content-Length": str(len(AGAIN_XML))}
    assert (await Door(pki).post(slow(), headers=headers)).status_code == 408


@pytest.mark.row("openadr:S3")
async def test_signed_is_answered_signed_and_unsigned_refused(pki: Pki) -> None:
    door = Door(pki, sign=True)
    await door.clock.advance(10.0)
    vtn = Signer(SigningKey(pki.vtn.cert.read_bytes(), pki.vtn.key.read_bytes()))
    good = vtn.sign(AGAIN_XML, door.clock.now())
    assert (await door.post()).status_code == 403
    assert (await door.post(good.replace(b"ven-7", b"ven-8"))).status_code == 403
    assert door.taken == []
    answer = await door.post(good)
    assert b"SignatureValue" in answer.content
    assert codec.decode(answer.content) == ANSWER
    assert (await door.post(good)).status_code == 403  # replayed
    assert door.taken == [AGAIN]
