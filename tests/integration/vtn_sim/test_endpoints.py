"""The VEN's side over real mutual TLS: who gets in, and what nonsense is answered with."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.clock import SystemClock
from contracts.errors import ConfigError, PermanentError
from contracts.identity import client_context
from contracts.openadr.codec import decode, encode
from contracts.openadr.payloads import (
    CreatedPartyRegistration,
    CreatePartyRegistration,
    Poll,
    QueryRegistration,
    Response,
)
from vtn_sim.config import VtnSettings
from vtn_sim.main import run

QUERY = encode(QueryRegistration(request_id="q"))


@pytest.mark.parametrize("who", ["nobody", "stranger"])
async def test_only_certificates_of_its_authority_get_in(
    start_vtn: Any, pki: Path, other_pki: Path, who: str
) -> None:
    cert = (None, None) if who == "nobody" else (other_pki / "ven.pem", other_pki / "ven.key")
    tls = client_context(pki / "ca.pem", *cert)
    async with start_vtn() as vtn:
        async with httpx.AsyncClient(verify=tls, trust_env=False) as client:
            with pytest.raises(httpx.TransportError):
                await client.post(f"{vtn.addresses.openadr_url}/EiRegisterParty", content=QUERY)
        assert (await vtn.post("EiRegisterParty", QUERY)).status_code == 200
        assert len(await vtn.get("/api/messages")) == 2


async def test_plain_http_is_not_served_to_vens(start_vtn: Any) -> None:
    async with start_vtn() as vtn:
        url = vtn.addresses.openadr_url.replace("https", "http")
        async with httpx.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx.TransportError):
                await client.post(f"{url}/OadrPoll", content=QUERY)


async def test_old_tls_is_refused(start_vtn: Any, pki: Path) -> None:
    tls = client_context(pki / "ca.pem", pki / "ven.pem", pki / "ven.key")
    tls.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLS"):
        tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1_1
    async with start_vtn() as vtn, httpx.AsyncClient(verify=tls, trust_env=False) as client:
        with pytest.raises(httpx.TransportError):
            await client.post(f"{vtn.addresses.openadr_url}/OadrPoll", content=QUERY)


NONSENSE = [
    (b"", "not XML"),
    (b"<oadr", "not XML"),
    (b"\x00\xff", "not UTF-8"),
    (QUERY.replace(b"QueryRegistration", b"Nonsense"), "unknown message"),
    (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "DOCTYPE"),
    (b"<\x01>", "not XML"),
]


async def test_nonsense_is_answered_and_harms_nobody(start_vtn: Any) -> None:
    async with start_vtn() as vtn:
        for body, reason in NONSENSE:
            answer = await vtn.post("EiRegisterParty", body)
            assert answer.status_code == 400
            message = decode(answer.content)
            assert isinstance(message, Response)
            assert message.response.code == 453
            assert reason in (message.response.description or "")
            (received, sent) = await vtn.get("/api/messages?limit=2")
            assert reason in received["fault"]
            assert sent["name"] == "oadrResponse"
            assert (await vtn.post("EiRegisterParty", QUERY)).status_code == 200


async def test_too_much_is_cut_off(start_vtn: Any) -> None:
    async with start_vtn() as vtn:
        answer = await vtn.post("OadrPoll", b" " * ((1 << 20) + 1))
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"


async def test_other_paths_and_methods_are_problems(start_vtn: Any) -> None:
    async with start_vtn() as vtn:
        assert (await vtn.post("EiNothing", QUERY)).status_code == 404
        answer = await vtn.ven.get(f"{vtn.addresses.openadr_url}/OadrPoll")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_message_that_breaks_the_schema_is_answered_and_marked(
    start_vtn: Any,
) -> None:
    async with start_vtn() as vtn:
        sloppy = QUERY.replace(b"ei:schemaVersion", b"schemaVersion")
        assert (await vtn.post("EiRegisterParty", sloppy)).status_code == 200
        (received, _) = await vtn.get("/api/messages")
        assert "schemaVersion" in received["fault"]
        raw = await vtn.api.get(f"/api/messages/{received['number']}")
        assert raw.content == sloppy
        assert raw.headers["content-type"].startswith("text/plain")


async def test_two_utilities_in_one_process_do_not_know_each_other(start_vtn: Any) -> None:
    async with start_vtn(vtn_id="ONE") as one, start_vtn(vtn_id="TWO") as two:
        create = CreatePartyRegistration(request_id="1", ven_name="depot")
        created = await one.exchange("EiRegisterParty", create)
        assert isinstance(created, CreatedPartyRegistration)
        assert created.vtn_id == "ONE"
        elsewhere = await two.exchange("OadrPoll", Poll(ven_id=created.ven_id or ""))
        assert isinstance(elsewhere, Response)
        assert elsewhere.response.code == 463
        at_home = await one.exchange("OadrPoll", Poll(ven_id=created.ven_id or ""))
        assert isinstance(at_home, Response)
        assert at_home.response.ok


async def test_a_busy_port_and_a_missing_key_are_named(pki: Path) -> None:
    files = {"cert_file": pki / "vtn.pem", "key_file": pki / "vtn.key", "ca_file": pki / "ca.pem"}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = VtnSettings.model_validate({**files, "port": taken.getsockname()[1]})
        with pytest.RaisesGroup(pytest.RaisesExc(PermanentError, match="cannot listen")):
            await run(settings, SystemClock(), None, asyncio.Event())
    settings = VtnSettings.model_validate({**files, "key_file": pki / "ven.key"})
    with pytest.raises(ConfigError, match="not a matching pair"):
        await run(settings, SystemClock(), None, asyncio.Event())
