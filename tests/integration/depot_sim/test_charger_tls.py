"""Security profiles 2 and 3 of simulated chargers, with certificates made for the test."""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import serve
from websockets.typing import Subprotocol

from certs.pki import Pki, make_test_pki
from depot_sim.chargers.charger import Charger, ChargerSpec
from depot_sim.chargers.link import Endpoint
from depot_sim.chargers.personality import compose
from depot_sim.chargers.tls import TlsFiles
from depot_sim.physics.evse import Evse

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), sites=["site"], chargers=["CP-1"])


def server_context(pki: Pki, *, mutual: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.broker.cert, pki.broker.key)
    if mutual:
        context.load_verify_locations(pki.site_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@asynccontextmanager
async def secured(system: Any, context: ssl.SSLContext) -> AsyncIterator[str]:
    """The central system behind TLS as well; its URL."""
    offered = [Subprotocol(f"ocpp{system.version}")]
    async with serve(system.serve_one, "127.0.0.1", 0, ssl=context, subprotocols=offered) as server:
        yield f"wss://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


def charger(url: str, clock: Any, tls: TlsFiles, version: str, **changes: Any) -> Charger:
    spec = ChargerSpec(
        endpoint=Endpoint(url=url, charger_id="CP-1", tls=tls, **changes),
        version=version,
        evses={1: Evse(rated_a=32)},
        personality=compose(()),
    )
    return Charger(spec, clock)


async def test_profile_2_password_over_tls(
    ocpp201: Any, clock: Any, running: Any, pki: Pki
) -> None:
    async with secured(ocpp201, server_context(pki, mutual=False)) as url:
        tls = TlsFiles(ca=pki.site_ca)
        one = charger(url, clock, tls, "2.0.1", password=PASSWORD)
        assert one.station.settings.security_profile == 2
        async with running(one):
            await ocpp201.until("BootNotification")
    token = base64.b64encode(f"CP-1:{PASSWORD}".encode()).decode()
    assert ocpp201.headers[0]["authorization"] == f"Basic {token}"


async def test_profile_3_a_certificate_of_its_own(
    ocpp16: Any, clock: Any, running: Any, pki: Pki
) -> None:
    async with secured(ocpp16, server_context(pki, mutual=True)) as url:
        own = pki.chargers["CP-1"]
        one = charger(url, clock, TlsFiles(ca=pki.site_ca, cert=own.cert, key=own.key), "1.6")
        assert one.station.settings.security_profile == 3
        async with running(one):
            await ocpp16.until("BootNotification")
    assert "authorization" not in ocpp16.headers[0]


@pytest.mark.parametrize("trust", ["other", "missing", "none shown"])
async def test_without_trust_nothing_is_said_and_it_goes_on_trying(
    ocpp16: Any, clock: Any, running: Any, pki: Pki, trust: str
) -> None:
    """Until the files are right: then it boots, without being restarted."""
    own, ca = pki.chargers["CP-1"], pki.folder / f"trusted-{trust}.pem"
    wrong: dict[str, Path] = {"other": pki.utility_ca, "none shown": pki.site_ca}
    if trust in wrong:
        ca.write_bytes(wrong[trust].read_bytes())
    shows = trust != "none shown"
    tls = TlsFiles(ca=ca, cert=own.cert if shows else None, key=own.key if shows else None)
    async with secured(ocpp16, server_context(pki, mutual=True)) as url:
        one = charger(url, clock, tls, "1.6")
        async with running(one):
            await clock.sleep(10)
            assert not ocpp16.heard
            if shows:
                ca.write_bytes(pki.site_ca.read_bytes())
                await ocpp16.until("BootNotification")


async def test_a_new_password_is_used_from_the_next_connection_on(
    ocpp16: Any, build: Any, running: Any
) -> None:
    one = build(ocpp16, password=PASSWORD)
    async with running(one):
        await ocpp16.until("BootNotification")
        change = {"key": "AuthorizationKey", "value": "a-much-longer-secret"}
        answer = await ocpp16.call("CP-1", "ChangeConfiguration", change)
        assert answer == {"status": "Accepted"}
        mark = len(ocpp16.heard)
        await ocpp16.hang_up("CP-1")
        await ocpp16.until("BootNotification", after=mark)
    token = base64.b64encode(b"CP-1:a-much-longer-secret").decode()
    assert ocpp16.headers[1]["authorization"] == f"Basic {token}"
