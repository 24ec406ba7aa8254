"""Rows S1, S2 and S4: the way to a VTN over real TLS, and what a VTN may do wrong on it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from certs.pki import Pki, make_test_pki
from contracts.clock import SystemClock
from contracts.errors import LinkDownError, PermanentError, ProtocolError, TransientError
from contracts.http_server import serve
from contracts.identity import certificate_der, client_context, openadr_fingerprint, server_context
from contracts.openadr import codec
from contracts.openadr.payloads import (
    CreatedReport,
    EiResponse,
    Payload,
    Poll,
    Response,
    UpdatedReport,
    UpdateReport,
)
from contracts.openadr.signature import Signer
from gateway.utility.openadr.memory import Unsent, VenMemory
from gateway.utility.openadr.outbox import MAX_TRIES, VenOutbox
from gateway.utility.openadr.security import MessageSecurity
from gateway.utility.openadr.settings import OpenAdrSettings
from gateway.utility.openadr.transport import MAX_ANSWER_BYTES, VtnTransport
from support.broken_utility import NONSENSE, broken_utility
from support.openadr import DictMemory
from support.openadr_keys import ec_pair
from support.openadr_vtn import XML, Fault, WaywardVtn, signing, wayward_vtn
from support.scripted_vtn import scripted_vtn

CLOCK = SystemClock()
POLL = Poll(ven_id="ven-7")
EMPTY = EiResponse(request_id="")


@asynccontextmanager
async def transport(
    pki: Pki, url: str, tls: ssl.SSLContext | None = None, **more: Any
) -> AsyncIterator[VtnTransport]:
    settings = OpenAdrSettings.model_validate(
        {
            "utility_id": "util",
            "url": url,
            "ven_name": "us",
            "ca": pki.utility_ca,
            "cert": pki.ven.cert,
            "key": pki.ven.key,
            **more,
        }
    )
    tls = tls or client_context(settings.ca, settings.cert, settings.key)
    found = VtnTransport(settings, tls, MessageSecurity(settings, CLOCK))
    try:
        yield found
    finally:
        await found.aclose()


def fingerprint(cert: Path) -> str:
    return openadr_fingerprint(certificate_der(cert))


# --- S1 ------------------------------------------------------------------------------------------


@pytest.mark.row("openadr:S1")
async def test_we_show_our_certificate_and_speak_tls_1_2_or_newer(pki: Pki) -> None:
    async with wayward_vtn(pki) as vtn, transport(pki, vtn.url) as way:
        assert await way.exchange(POLL) == Response(response=EMPTY)
    (heard,) = vtn.heard
    assert heard.fingerprint == fingerprint(pki.ven.cert)


@asynccontextmanager
async def server(tls: ssl.SSLContext, vtn: WaywardVtn) -> AsyncIterator[str]:
    ports: asyncio.Queue[int] = asyncio.Queue()
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            serve(vtn, host="127.0.0.1", port=0, stopping=stopping, tls=tls, ready=ports.put_nowait)
        )
        yield f"https://127.0.0.1:{await ports.get()}"
        stopping.set()


@pytest.mark.row("openadr:S1")
async def test_the_suite_that_every_party_of_the_profile_has_is_spoken(pki: Pki) -> None:
    tls = server_context(pki.vtn.cert, pki.vtn.key, pki.utility_ca)
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    tls.set_ciphers("ECDHE-ECDSA-AES128-SHA256")
    async with server(tls, WaywardVtn("VTN-1")) as url, transport(pki, url) as way:
        assert await way.exchange(POLL) == Response(response=EMPTY)


@pytest.mark.row("openadr:S1")
async def test_a_server_of_another_root_or_name_hears_nothing(pki: Pki, tmp_path: Path) -> None:
    stranger = make_test_pki(tmp_path / "stranger", sites=[])
    elsewhere = make_test_pki(tmp_path / "elsewhere", sites=[], hosts=["vtn.example"])
    for other, trusted in ((stranger, pki), (elsewhere, elsewhere)):
        tls = server_context(other.vtn.cert, other.vtn.key, other.utility_ca)
        vtn = WaywardVtn("VTN-1")
        async with server(tls, vtn) as url, transport(trusted, url) as way:
            with pytest.raises(LinkDownError, match="CERTIFICATE_VERIFY_FAILED"):
                await way.exchange(POLL)
        assert vtn.heard == []


@pytest.mark.row("openadr:S1")
async def test_no_certificate_no_entrance(pki: Pki) -> None:
    tls = client_context(pki.utility_ca)
    async with wayward_vtn(pki) as vtn, transport(pki, vtn.url, tls) as way:
        with pytest.raises(LinkDownError):
            await way.exchange(POLL)
    assert vtn.heard == []


@pytest.mark.row("openadr:S1")
async def test_a_vtn_that_does_not_know_our_root_is_a_link_that_is_down(
    pki: Pki, tmp_path: Path
) -> None:
    """With TLS 1.3 its alert comes after our side of the handshake, sooner or later."""
    stranger = make_test_pki(tmp_path / "stranger", sites=[])
    tls = server_context(pki.vtn.cert, pki.vtn.key, stranger.utility_ca)
    tls.minimum_version = ssl.TLSVersion.TLSv1_3
    with scripted_vtn(tls) as vtn:
        for _ in range(10):
            async with transport(pki, vtn.url) as way:
                with pytest.raises(LinkDownError):
                    await way.exchange(POLL)
    assert vtn.requests == []


# --- S2 ------------------------------------------------------------------------------------------


@pytest.mark.row("openadr:S2")
@pytest.mark.parametrize("signs", [False, True])
async def test_host_length_and_type_are_sent_and_nothing_is_chunked(pki: Pki, signs: bool) -> None:
    ours, theirs = fingerprint(pki.ven.cert), fingerprint(pki.vtn.cert)
    vtn_more = signing(pki, trusts=ours) if signs else {}
    ven_more: dict[str, Any] = {"sign": True, "vtn_fingerprint": theirs} if signs else {}
    async with wayward_vtn(pki, **vtn_more) as vtn, transport(pki, vtn.url, **ven_more) as way:
        await way.exchange(POLL)
    (heard,) = vtn.heard
    assert heard.headers["host"] == f"127.0.0.1:{vtn.port}"
    assert heard.headers["content-length"] == str(len(heard.body))
    assert heard.headers["content-type"] == "application/xml"
    assert "transfer-encoding" not in heard.headers
    assert heard.signed_by == (ours if signs else None)
    assert heard.service == "OadrPoll"


@pytest.mark.row("openadr:S4")
async def test_one_connection_serves_for_all_messages_refusals_among_them(pki: Pki) -> None:
    async with wayward_vtn(pki) as vtn, transport(pki, vtn.url) as way:
        vtn.faults.append((Poll, Fault(name="503", status=503, body=b"not now")))
        with pytest.raises(TransientError):
            await way.exchange(POLL)
        for _ in range(5):
            await way.exchange(POLL)
    assert len({heard.connection for heard in vtn.heard}) == 1


# --- S3 ------------------------------------------------------------------------------------------

RIGHT = codec.encode(Response(response=EMPTY))


@pytest.mark.row("openadr:S3")
@pytest.mark.parametrize("wrong", ["unsigned", "tampered", "foreign", "replayed"])
async def test_an_answer_that_must_not_be_believed_is_tried_again(pki: Pki, wrong: str) -> None:
    ours, theirs = fingerprint(pki.ven.cert), fingerprint(pki.vtn.cert)
    more: dict[str, Any] = {"sign": True, "vtn_fingerprint": theirs}
    asked = signing(pki, trusts=ours)
    async with wayward_vtn(pki, **asked) as vtn, transport(pki, vtn.url, **more) as way:
        good = vtn.sealed(Response(response=EMPTY))
        bad = {
            "unsigned": RIGHT,
            "tampered": good.replace(b">200<", b">500<"),
            "foreign": Signer(ec_pair().signing_key).sign(RIGHT, CLOCK.now()),
            "replayed": good,
        }[wrong]
        if wrong == "replayed":
            vtn.raw.append(good)
            await way.exchange(POLL)
        vtn.raw.append(bad)
        with pytest.raises(TransientError, match="signature refused"):
            await way.exchange(POLL)
        assert await way.exchange(POLL) == Response(response=EMPTY)
    assert len({heard.body for heard in vtn.heard}) == len(vtn.heard)  # each signed anew


# --- S4 ------------------------------------------------------------------------------------------

HTML = (("content-type", "text/html"),)
MOVED = (("location", "https://127.0.0.1:1/elsewhere"), ("content-type", XML))
TEMPORARY = [
    *(Fault(name=str(code), status=code, body=RIGHT) for code in (500, 502, 503, 504)),
    *(Fault(name=str(code), status=code) for code in (401, 403, 404, 405, 408, 409, 429)),
    *(Fault(name=str(code), status=code, headers=MOVED) for code in (301, 302, 307, 308)),
    Fault(name="204 and no body", status=204, headers=()),
    Fault(name="empty body"),
    Fault(name="blank body", body=b" \r\n"),
    Fault(name="captive portal", headers=HTML, body=b"<html>Please log in</html>"),
    Fault(name="right message, wrong type", headers=HTML, body=RIGHT),
    Fault(name="no type at all", headers=(), body=RIGHT),
    Fault(name="truncated", body=RIGHT[:50], claimed_length=len(RIGHT)),
    Fault(name="compressed", headers=(("content-type", XML), ("content-encoding", "gzip"))),
    Fault(name="huge", body=b" " * (MAX_ANSWER_BYTES + 1)),
    Fault(name="silent", silent=True),
]
REFUSED = [Fault(name=str(code), status=code) for code in (400, 413, 415, 422)]
GARBLED = [
    Fault(name="not XML", body=b"<oadr:oadrPayload"),
    Fault(name="another XML", body=b"<a/>"),
    Fault(name="an entity", body=b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
]


def update(number: int) -> UpdateReport:
    return UpdateReport(request_id=f"update-{number}", ven_id="ven-7")


class Sender:
    """An outbox and where it sends to."""

    def __init__(self, way: VtnTransport) -> None:
        self.store = VenMemory(DictMemory(), "util")
        self.outbox = VenOutbox(self.store)
        self.way = way
        self.answers: list[Payload] = []

    async def heard(self, answer: Payload) -> None:
        self.answers.append(answer)

    async def flush(self) -> None:
        await self.outbox.flush(self.way, self.heard)

    async def left(self) -> int:
        return len(await self.store.all(Unsent))


@asynccontextmanager
async def sender(pki: Pki, vtn: WaywardVtn, **more: Any) -> AsyncIterator[Sender]:
    async with transport(pki, vtn.url, **more) as way:
        yield Sender(way)


@pytest.mark.row("openadr:S4")
@pytest.mark.parametrize("fault", TEMPORARY, ids=str)
async def test_what_a_vtn_cannot_take_now_stays_and_is_sent_again_just_so(
    pki: Pki, fault: Fault
) -> None:
    timeout_s = 0.3 if fault.silent else 10.0
    async with wayward_vtn(pki) as vtn, sender(pki, vtn, timeout_s=timeout_s) as ours:
        for number in range(3):
            await ours.outbox.put(update(number), f"update-{number}")
        vtn.faults.append((UpdateReport, fault))
        with pytest.raises(TransientError):
            await ours.flush()
        assert await ours.left() == 3
        assert ours.outbox.filled.is_set()
        await ours.flush()
        assert await ours.left() == 0
        assert not ours.outbox.filled.is_set()
        await ours.flush()  # and none is sent twice
    assert [one.payload for one in vtn.heard] == [update(0), update(0), update(1), update(2)]
    assert [type(answer) for answer in ours.answers] == [UpdatedReport] * 3


@pytest.mark.row("openadr:S4")
@pytest.mark.parametrize("fault", [*REFUSED, *GARBLED], ids=str)
async def test_one_message_that_a_vtn_cannot_bear_does_not_hold_up_the_others(
    pki: Pki, fault: Fault
) -> None:
    async with wayward_vtn(pki) as vtn, sender(pki, vtn) as ours:
        bad = CreatedReport(response=EMPTY, ven_id="ven-7")
        await ours.outbox.put(bad, "bad")
        await ours.outbox.put(update(1), "good")
        vtn.faults.extend([(CreatedReport, fault)] * MAX_TRIES)
        await ours.flush()
        assert vtn.of(UpdateReport) == [update(1)]
        assert await ours.left() == 1
        assert not ours.outbox.filled.is_set()  # it waits for the next round
        for _ in range(MAX_TRIES - 1):
            await ours.flush()
        assert await ours.left() == 0
    assert vtn.of(CreatedReport) == [bad] * MAX_TRIES


@pytest.mark.row("openadr:S4")
async def test_a_refusal_that_passes_loses_nothing(pki: Pki) -> None:
    async with wayward_vtn(pki) as vtn, sender(pki, vtn) as ours:
        vtn.faults.append((UpdateReport, REFUSED[0]))
        await ours.outbox.put(update(1), "update")
        await ours.flush()
        await ours.flush()
        assert await ours.left() == 0
    assert vtn.of(UpdateReport) == [update(1)] * 2


@pytest.mark.row("openadr:S4")
async def test_to_a_response_nothing_need_be_answered(pki: Pki) -> None:
    async with wayward_vtn(pki) as vtn, sender(pki, vtn) as ours:
        await ours.outbox.put(Response(response=EMPTY, ven_id="ven-7"), "ok")
        await ours.flush()
        assert await ours.left() == 0
    assert len(vtn.of(Response)) == 1


@pytest.mark.row("openadr:S4")
async def test_what_replaces_a_message_on_its_way_is_sent_too(pki: Pki) -> None:
    async with wayward_vtn(pki) as vtn, sender(pki, vtn) as ours:
        await ours.outbox.put(update(1), "update")
        vtn.faults.append((UpdateReport, Fault(name="silent", silent=True)))
        async with asyncio.TaskGroup() as tasks:
            flushing = tasks.create_task(_fails(ours))
            while not vtn.heard:
                await CLOCK.sleep(0.01)
            await ours.outbox.put(update(2), "update")
            vtn.stop_talking.set()
            await flushing
        await ours.flush()
        assert await ours.left() == 0
    assert vtn.of(UpdateReport) == [update(1), update(2)]


async def _fails(ours: Sender) -> None:
    with pytest.raises(TransientError):
        await ours.flush()


@pytest.mark.row("openadr:S4")
@pytest.mark.parametrize("fault", [*REFUSED, *GARBLED], ids=str)
async def test_a_poll_says_what_was_wrong(pki: Pki, fault: Fault) -> None:
    async with wayward_vtn(pki) as vtn, transport(pki, vtn.url) as way:
        vtn.faults.append((Poll, fault))
        with pytest.raises((PermanentError, ProtocolError)):
            await way.exchange(POLL)


@pytest.mark.row("openadr:S4")
async def test_nobody_there_and_nonsense_are_told_apart_and_survived(pki: Pki) -> None:
    with broken_utility(pki) as utility:
        url = f"https://127.0.0.1:{utility.port}"
        async with transport(pki, url, timeout_s=5.0) as way:
            for _ in NONSENSE:
                with pytest.raises((TransientError, ProtocolError)):
                    await way.exchange(POLL)
    async with transport(pki, url) as way:
        with pytest.raises(LinkDownError):
            await way.exchange(POLL)
