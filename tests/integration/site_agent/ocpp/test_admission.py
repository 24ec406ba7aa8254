"""Who may come in, and in which version."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from websockets.exceptions import InvalidMessage, InvalidStatus

from certs.pki import make_test_pki
from contracts.identity import client_context
from site_agent.devices.ocpp.settings import Version
from support.ocpp_depot import connected, depot, station


@pytest.mark.parametrize("name", ["STRANGER", "", "CP1%00", "x" * 3000])
async def test_an_unknown_charger_is_refused_and_named(name: str) -> None:
    async with depot() as site:
        with capture_logs() as logs, pytest.raises(InvalidStatus) as refusal:
            async with connected(site, name):
                pass
        assert refusal.value.response.status_code == 404
        [line] = [log for log in logs if log["event"] == "unknown charger refused"]
        assert len(line["charge_point"]) <= 64


@pytest.mark.parametrize("password", [None, "wrong", "", "s3cret "])
async def test_a_wrong_password_is_refused(password: str | None) -> None:
    async with depot(station(password="s3cret")) as site:
        with capture_logs() as logs, pytest.raises(InvalidStatus) as refusal:
            async with connected(site, password=password):
                pass
        assert refusal.value.response.status_code == 401
        assert "s3cret" not in str(logs)
        assert "s3cret" not in repr(site.system.stations["CP1"].config)


async def test_the_right_password_is_let_in() -> None:
    async with (
        depot(station(password="s3cret")) as site,
        connected(site, password="s3cret") as charger,
    ):
        assert (await charger.boot())["status"] == "Accepted"


async def test_over_tls(tmp_path: Path) -> None:
    pki = make_test_pki(tmp_path, sites=[], hosts=["127.0.0.1"])
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pki.broker.cert, pki.broker.key)
    trusting = client_context(pki.site_ca)
    async with depot(station(password="s3cret"), ssl_context=server) as site:
        async with connected(site, password="s3cret", trusting=trusting) as charger:
            assert (await charger.boot())["status"] == "Accepted"
        with pytest.raises(InvalidMessage):
            async with connected(site, password="s3cret"):
                pass


async def test_another_chargers_password_is_refused() -> None:
    stations = [station("CP1", 1, password="one"), station("CP2", 2, password="two")]
    async with depot(*stations) as site:
        with pytest.raises(InvalidStatus):
            async with connected(site, "CP2", password="one"):
                pass


ODD = [
    ([], None, Version.V16),
    (["OCPP1.6"], "OCPP1.6", Version.V16),
    (["ocpp1.6j"], "ocpp1.6j", Version.V16),
    (["vendor-thing"], None, Version.V16),
    (["OCPP2.0.1"], "OCPP2.0.1", Version.V201),
]


@pytest.mark.parametrize(("offer", "granted", "spoken"), ODD)
@pytest.mark.row("library:L9")
@pytest.mark.row("personality:odd-subprotocol")
async def test_odd_subprotocols_only_where_tolerated(
    offer: list[str], granted: str | None, spoken: Version
) -> None:
    stations = [station("STRICT", 1), station("KIND", 2, tolerant=True)]
    async with depot(*stations) as site:
        with pytest.raises(InvalidStatus) as refusal:
            async with connected(site, "STRICT", offer=offer):
                pass
        assert refusal.value.response.status_code == 400
        async with connected(site, "KIND", version=spoken.value, offer=offer) as charger:
            assert charger.socket.subprotocol == granted
            assert (await charger.boot())["interval"] == 60


async def test_the_preferred_common_version_is_spoken() -> None:
    only_16 = station("CP2", 2, versions=(Version.V16,))
    async with depot(station("CP1", 1), only_16) as site:
        for name, spoken in (("CP1", "ocpp2.0.1"), ("CP2", "ocpp1.6")):
            async with connected(site, name, offer=["ocpp1.6", "ocpp2.0.1"]) as charger:
                assert charger.socket.subprotocol == spoken
        with pytest.raises(InvalidStatus):
            async with connected(site, "CP2", offer=["ocpp2.0.1"]):
                pass
