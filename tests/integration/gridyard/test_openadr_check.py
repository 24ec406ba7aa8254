"""`gridyard openadr check` over real mutual TLS: every failure is brought about for real."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from certs.certificates import Identity
from certs.pki import Pki, make_test_pki
from contracts.clock import SystemClock
from contracts.identity import certificate_der, openadr_fingerprint, server_context
from contracts.openadr import codec
from contracts.openadr.payloads import Profile
from gateway.utility.openadr.settings import OpenAdrSettings
from gridyard.findings import Finding
from gridyard.openadr.check import check
from support.openadr_check import answer, capabilities, refusal, signer, ven_settings
from support.openadr_keys import pem_pair
from support.scripted_vtn import http, scripted_vtn
from vtn_sim.config import KnownVen, VtnSettings
from vtn_sim.main import VtnAddresses, run

CLOCK = SystemClock()
LONG_AGO = CLOCK.now() - timedelta(days=200)
"""Certificates made then have expired, their roots have not."""


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), sites=[])


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """Of another utility."""
    return make_test_pki(tmp_path_factory.mktemp("stranger"), sites=[])


@pytest.fixture(scope="module")
def expired(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("expired"), sites=[], now=LONG_AGO)


@asynccontextmanager
async def simulator(pki: Pki, **changes: Any) -> AsyncIterator[VtnAddresses]:
    config = VtnSettings.model_validate(
        {
            "cert_file": pki.vtn.cert,
            "key_file": pki.vtn.key,
            "ca_file": pki.utility_ca,
            "vens": [KnownVen(ven_id="ven-1", name="gridyard")],
            **changes,
        }
    )
    stopping, found = asyncio.Event(), asyncio.Queue[VtnAddresses]()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run(config, CLOCK, found.put_nowait, stopping))
        yield await found.get()
        stopping.set()


async def findings(settings: OpenAdrSettings, *, register: bool = False) -> dict[str, Finding]:
    return {one.step: one async for one in check(settings, CLOCK, register=register)}


def failed(found: dict[str, Finding]) -> dict[str, Finding]:
    return {step: one for step, one in found.items() if not one.ok}


def only_failure(found: dict[str, Finding]) -> Finding:
    (one,) = failed(found).values()
    return one


def tls(server: Identity, clients: Path) -> ssl.SSLContext:
    return server_context(server.cert, server.key, clients)


@pytest.fixture
def door(pki: Pki) -> ssl.SSLContext:
    return tls(pki.vtn, pki.utility_ca)


async def test_a_good_connection_passes_every_step_and_changes_nothing(pki: Pki) -> None:
    async with simulator(pki) as vtn:
        found = await findings(ven_settings(pki, vtn.openadr_url))
        async with httpx.AsyncClient(base_url=vtn.api_url, trust_env=False) as api:
            (ven,) = (await api.get("/api/vens")).json()
    assert not failed(found)
    assert list(found) == [
        "our certificate",
        "name",
        "connection",
        "server certificate",
        "TLS",
        "QueryRegistration",
        "clock",
        "signature",
    ]
    assert openadr_fingerprint(certificate_der(pki.ven.cert)) in found["our certificate"].detail
    assert "EC secp256r1" in found["our certificate"].detail
    assert "TLS 1.2 spoken" in found["TLS"].detail
    assert "2.0b over simpleHttp" in found["QueryRegistration"].detail
    assert ven["registered_at"] is None


async def test_a_registration_is_made_polled_and_cancelled_again(pki: Pki) -> None:
    async with simulator(pki) as vtn:
        found = await findings(ven_settings(pki, vtn.openadr_url), register=True)
        async with httpx.AsyncClient(base_url=vtn.api_url, trust_env=False) as api:
            messages = (await api.get("/api/messages")).json()
            (ven,) = (await api.get("/api/vens")).json()
    assert not failed(found)
    assert "venID ven-1" in found["registration"].detail
    assert list(found)[-3:] == ["registration", "poll", "cancel registration"]
    assert ven["registered_at"] is None
    assert "oadrCancelPartyRegistration" in str(messages)


async def test_a_vtn_that_demands_signatures_is_registered_with(pki: Pki) -> None:
    async with simulator(pki, signatures="required") as vtn:
        unsigned = await findings(ven_settings(pki, vtn.openadr_url))
        found = await findings(pinned(pki, vtn.openadr_url), register=True)
    assert failed(unsigned)
    assert not failed(found)
    assert "holds, by" in found["signature"].detail


async def test_a_server_that_says_nothing_is_not_waited_for(pki: Pki, door: ssl.SSLContext) -> None:
    with scripted_vtn(door, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n<a") as vtn:
        fault = only_failure(await findings(ven_settings(pki, vtn.url, timeout_s=1)))
    assert fault.detail == "no answer in time"
    assert "firewall" in fault.hint


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        ({"effect": "status", "status": 503}, "HTTP 503"),
        ({"effect": "empty"}, "empty body"),
        ({"effect": "truncated"}, "not XML"),
        ({"effect": "garbage"}, "the answer begins"),
        ({"effect": "drop"}, "closed without an answer"),
        ({"effect": "content-type"}, "text/html"),
        ({"effect": "redirect", "location": "/x"}, "HTTP 30"),
        ({"effect": "unsigned"}, "signature refused"),
        ({"effect": "wrong-signature"}, "signature refused"),
        ({"effect": "stale", "shift_s": 3600}, "signature refused: signed at"),
        ({"effect": "future", "shift_s": 3600}, "signature refused: signed at"),
    ],
    ids=lambda value: value["effect"] if isinstance(value, dict) else "",
)
async def test_what_the_simulated_utility_does_wrong_is_named(
    pki: Pki, fault: dict[str, object], detail: str
) -> None:
    async with simulator(pki, signatures="required", faults=[fault]) as vtn:
        found = only_failure(await findings(pinned(pki, vtn.openadr_url)))
    assert found.step == "QueryRegistration"
    assert detail in found.detail
    assert found.hint


async def test_a_listener_is_registered_and_not_polled(pki: Pki) -> None:
    push = "https://ven.example:8444/OpenADR2/Simple/2.0b"
    async with simulator(pki) as vtn:
        settings = pinned(pki, vtn.openadr_url, sign=False, listener={"url": push})
        found = await findings(settings, register=True)
        async with httpx.AsyncClient(base_url=vtn.api_url, trust_env=False) as api:
            messages = (await api.get("/api/messages")).text
    assert not failed(found)
    assert list(found)[-2:] == ["registration", "cancel registration"]
    assert "oadrCreatePartyRegistration" in messages


async def test_a_ven_nobody_enrolled_is_refused_with_a_code(pki: Pki) -> None:
    async with simulator(pki, vens=[]) as vtn:
        found = await findings(ven_settings(pki, vtn.openadr_url), register=True)
    refused = only_failure(found)
    assert refused.step == "registration"
    assert "refused with 4" in refused.detail
    assert refused.hint
    assert "poll" not in found


async def test_a_name_that_does_not_resolve_ends_it(pki: Pki) -> None:
    found = await findings(ven_settings(pki, "https://vtn.invalid/OpenADR2/Simple/2.0b"))
    assert list(found) == ["our certificate", "name"]
    assert "cannot be resolved" in found["name"].detail


async def test_nobody_there_is_refused(pki: Pki) -> None:
    with scripted_vtn(None, b"") as gone:
        url = gone.url
    fault = only_failure(await findings(ven_settings(pki, url)))
    assert fault.step == "connection"
    assert fault.detail.endswith("refused")


async def test_a_port_without_tls_is_named(pki: Pki) -> None:
    with scripted_vtn(None, b"HTTP/1.1 400 Bad Request\r\n\r\n") as vtn:
        fault = only_failure(await findings(ven_settings(pki, vtn.url)))
    assert fault.step == "TLS"
    assert "does not speak TLS" in fault.hint


async def test_a_server_of_another_root_is_described(pki: Pki, stranger: Pki) -> None:
    with scripted_vtn(tls(stranger.vtn, pki.utility_ca)) as vtn:
        fault = only_failure(await findings(ven_settings(pki, vtn.url)))
    assert fault.step == "server certificate"
    assert "it is CN=vtn" in fault.detail
    assert "its root is not the one in `ca`" in fault.hint


async def test_a_server_certificate_that_has_expired(pki: Pki, expired: Pki) -> None:
    with scripted_vtn(tls(expired.vtn, pki.utility_ca)) as vtn:
        settings = ven_settings(pki, vtn.url, ca=expired.utility_ca)
        fault = only_failure(await findings(settings))
    assert fault.step == "server certificate"
    assert "certificate has expired" in fault.detail
    assert "EXPIRED 20" in fault.detail


async def test_a_server_certificate_for_another_host(pki: Pki, tmp_path: Path) -> None:
    other = make_test_pki(tmp_path, sites=[], hosts=["vtn.utility.example"])
    with scripted_vtn(tls(other.vtn, pki.utility_ca)) as vtn:
        fault = only_failure(await findings(ven_settings(pki, vtn.url, ca=other.utility_ca)))
    assert "for vtn.utility.example" in fault.detail
    assert "another address than the one in `url`" in fault.hint


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3, None])
async def test_a_server_that_does_not_know_our_root(
    pki: Pki, stranger: Pki, door: ssl.SSLContext, version: ssl.TLSVersion | None
) -> None:
    if version is not None:
        door.minimum_version = door.maximum_version = version
    with scripted_vtn(door) as vtn:
        settings = ven_settings(pki, vtn.url, cert=stranger.ven.cert, key=stranger.ven.key)
        fault = only_failure(await findings(settings))
    assert fault.step == "TLS"
    assert fault.detail.endswith("TLS alert from the server: unknown ca")
    assert "does not know the root of our certificate" in fault.hint


async def test_our_certificate_has_expired_and_the_server_says_so(pki: Pki, expired: Pki) -> None:
    with scripted_vtn(tls(pki.vtn, expired.utility_ca)) as vtn:
        settings = ven_settings(pki, vtn.url, cert=expired.ven.cert, key=expired.ven.key)
        found = failed(await findings(settings))
    assert "EXPIRED 20" in found["our certificate"].detail
    assert "certificate expired" in found["TLS"].detail


async def test_a_key_too_short_for_openadr_is_told(pki: Pki, tmp_path: Path) -> None:
    weak = pem_pair(rsa.generate_private_key(65537, 1024))
    (tmp_path / "weak.pem").write_bytes(weak.certificate)
    settings = ven_settings(pki, "https://vtn.invalid/x", cert=tmp_path / "weak.pem")
    found = await findings(settings)
    assert not found["our certificate"].ok
    assert "RSA 1024" in found["our certificate"].detail
    assert "RSA from 2048" in found["our certificate"].hint


@pytest.mark.parametrize(
    ("said", "detail", "hint"),
    [
        (http(b"no", "403 Forbidden"), "HTTP 403", "fingerprint enrolled"),
        (http(b"no", "404 Not Found"), "HTTP 404", "/OpenADR2/Simple/2.0b"),
        (http(b"", "302 Found", more="Location: /x\r\n"), "HTTP 302", "redirects"),
        (http(b"", "503 Service Unavailable"), "HTTP 503", "try again later"),
        (http(b""), "an empty body", "is it enrolled"),
        (http(b"<html>Welcome"), "not XML", "look at `url`"),
        (http(b"\xff\xfe\x00\x1b[2J"), "not UTF-8", "look at `url`"),
        (http(b"<p>\x1b[2J", kind="text/html"), "text/html", "application/xml"),
        (http(b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"), "DOCTYPE", "look at `url`"),
        (http(b"x" * (1 << 20) + b"x"), "larger than", "OpenADR 2.0b server"),
        (b"this is not HTTP\r\n\r\n", "closed without an answer", "without a word"),
        (
            http(b"not gzip", more="Content-Encoding: gzip\r\n"),
            "compressed",
            "OpenADR 2.0b server",
        ),
        (http(answer(refusal(463, "who?"))), "463 (not registered): who?", "register first"),
        (http(answer(refusal(200, "OK"))), "answered by oadrResponse", "CreatedParty"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_a_server_says_is_diagnosed(
    pki: Pki, door: ssl.SSLContext, said: bytes, detail: str, hint: str
) -> None:
    with scripted_vtn(door, said) as vtn:
        fault = only_failure(await findings(ven_settings(pki, vtn.url)))
    assert fault.step == "QueryRegistration"
    assert detail in fault.detail
    assert hint in fault.hint
    assert fault.detail.isprintable()


async def test_a_clock_that_is_off_is_seen_in_the_date_header(
    pki: Pki, door: ssl.SSLContext
) -> None:
    date = format_datetime(CLOCK.now() - timedelta(minutes=10), usegmt=True)
    said = http(answer(capabilities()), more=f"Date: {date}\r\n")
    with scripted_vtn(door, said) as vtn:
        fault = only_failure(await findings(ven_settings(pki, vtn.url)))
    assert fault.step == "clock"
    assert "-60" in fault.detail or "-59" in fault.detail


async def test_a_vtn_without_our_profile_is_told(pki: Pki, door: ssl.SSLContext) -> None:
    with scripted_vtn(door, http(answer(capabilities(profiles=(Profile(name="2.0a"),))))) as vtn:
        fault = only_failure(await findings(ven_settings(pki, vtn.url)))
    assert "2.0a over simpleHttp" in fault.detail
    assert "ask the utility to enable it" in fault.hint


def signed(pki: Pki) -> bytes:
    return codec.encode_signed(capabilities(), signer(pki.vtn), CLOCK.now())


def pinned(pki: Pki, url: str, **changes: Any) -> OpenAdrSettings:
    fingerprint = openadr_fingerprint(certificate_der(pki.vtn.cert))
    return ven_settings(pki, url, **{"sign": True, "vtn_fingerprint": fingerprint, **changes})


async def test_signatures_go_both_ways(pki: Pki, door: ssl.SSLContext) -> None:
    with scripted_vtn(door) as vtn:
        vtn.answer_with(lambda: http(signed(pki)))
        found = await findings(pinned(pki, vtn.url))
    assert not failed(found)
    assert "holds, by" in found["signature"].detail
    assert b"<ds:SignatureValue" in vtn.requests[0]


async def test_signatures_nobody_checks_are_pointed_out(pki: Pki, door: ssl.SSLContext) -> None:
    with scripted_vtn(door, http(signed(pki))) as vtn:
        found = await findings(ven_settings(pki, vtn.url))
    assert not failed(found)
    assert "vtn_fingerprint" in found["signature"].hint


@pytest.mark.parametrize(
    ("spoil", "hint"),
    [
        (lambda _: answer(capabilities()), "the utility must sign"),
        (lambda data: data.replace(b"VTN-1", b"VTN-2"), "a proxy?"),
    ],
)
async def test_a_signature_that_is_missing_or_wrong(
    pki: Pki, door: ssl.SSLContext, spoil: Any, hint: str
) -> None:
    with scripted_vtn(door) as vtn:
        vtn.answer_with(lambda: http(spoil(signed(pki))))
        fault = only_failure(await findings(pinned(pki, vtn.url)))
    assert "signature refused" in fault.detail
    assert hint in fault.hint


async def test_a_signature_by_somebody_else(pki: Pki, stranger: Pki, door: ssl.SSLContext) -> None:
    with scripted_vtn(door) as vtn:
        vtn.answer_with(lambda: http(signed(stranger)))
        fault = only_failure(await findings(pinned(pki, vtn.url)))
    assert openadr_fingerprint(certificate_der(stranger.vtn.cert)) in fault.detail
    assert "compare `vtn_fingerprint`" in fault.hint
