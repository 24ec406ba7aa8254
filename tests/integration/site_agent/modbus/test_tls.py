"""Modbus/TCP Security: MBAP inside TLS, both sides with certificates."""

from __future__ import annotations

from pathlib import Path

import pytest

from certs.pki import Pki, make_test_pki
from contracts.clock import SystemClock
from contracts.errors import ConfigError, LinkDownError, TransientError
from contracts.identity import server_context
from site_agent.devices.modbus.link import Framing, LinkSettings
from site_agent.devices.modbus.settings import TlsFiles
from support.modbus_link import running
from support.raw_modbus import Answer, Peer, Wire, cut_and_hang_up, dripping, garbage, serving

pytestmark = pytest.mark.row("trap:M9")
TIMEOUT_S = 5.0
"""Handshakes take their time on a busy machine."""


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    folder = tmp_path_factory.mktemp("pki")
    return make_test_pki(folder, sites=["plant"], hosts=["127.0.0.1"])


def files(pki: Pki) -> TlsFiles:
    plant = pki.sites["plant"]
    return TlsFiles(ca=pki.site_ca, cert=plant.cert, key=plant.key)


async def test_both_sides_show_certificates(pki: Pki) -> None:
    peer = Peer(Wire.TLS)
    context = server_context(pki.broker.cert, pki.broker.key, pki.site_ca)
    settings = peer.settings(files(pki), TIMEOUT_S)
    async with serving(peer, context), running(peer.settings(files(pki), TIMEOUT_S)) as link:
        assert settings.port != 802
        assert await link.read_holding(1, 40000, 125) == tuple(range(40000, 40125))
        await link.write_registers(1, 7, [1, 2])
        channel = peer.writers[0].get_extra_info("ssl_object")
        assert channel.version() in ("TLSv1.2", "TLSv1.3")
        names = dict(channel.getpeercert()["subjectAltName"])
        assert names == {"URI": "urn:gridyard:site:plant"}


@pytest.mark.parametrize("answer", [dripping(lambda: SystemClock().sleep(0)), cut_and_hang_up])
async def test_frames_may_come_in_pieces_and_lines_may_break(pki: Pki, answer: Answer) -> None:
    """What one TLS record holds need not be one frame."""
    peer = Peer(Wire.TLS, script=[answer])
    context = server_context(pki.broker.cert, pki.broker.key, pki.site_ca)
    async with serving(peer, context), running(peer.settings(files(pki), TIMEOUT_S)) as link:
        if answer is cut_and_hang_up:
            with pytest.raises(LinkDownError):
                await link.read_input(1, 5, 3)
        assert await link.read_input(1, 5, 3) == (5, 6, 7)


async def test_junk_inside_tls_costs_one_request(pki: Pki) -> None:
    peer = Peer(Wire.TLS, script=[garbage(b"\0\1\0\0\0\4\1\3\xff\xff" * 40)])
    context = server_context(pki.broker.cert, pki.broker.key, pki.site_ca)
    async with serving(peer, context), running(peer.settings(files(pki), 1.0)) as link:
        with pytest.raises(TransientError):
            await link.read_input(1, 5, 3)
        assert await link.read_input(1, 5, 3) == (5, 6, 7)


async def test_a_server_of_another_authority_is_not_spoken_to(pki: Pki, tmp_path: Path) -> None:
    strangers = make_test_pki(tmp_path, sites=[], hosts=["127.0.0.1"])
    peer = Peer(Wire.TLS)
    context = server_context(strangers.broker.cert, strangers.broker.key, pki.site_ca)
    async with serving(peer, context), running(peer.settings(files(pki), TIMEOUT_S)) as link:
        with pytest.raises(LinkDownError):
            await link.read_holding(1, 1, 1)
    assert not peer.seen


async def test_a_client_of_another_authority_is_not_let_in(pki: Pki, tmp_path: Path) -> None:
    strangers = make_test_pki(tmp_path, sites=["plant"], hosts=["127.0.0.1"])
    theirs = strangers.sites["plant"]
    peer = Peer(Wire.TLS)
    context = server_context(pki.broker.cert, pki.broker.key, pki.site_ca)
    shown = TlsFiles(ca=pki.site_ca, cert=theirs.cert, key=theirs.key)
    async with serving(peer, context), running(peer.settings(shown, 1.0)) as link:
        with pytest.raises(LinkDownError):
            await link.read_holding(1, 1, 1)
    assert not peer.seen


async def test_a_server_that_speaks_no_tls_gets_no_request(pki: Pki) -> None:
    peer = Peer(Wire.TCP)
    async with serving(peer):
        settings = LinkSettings(host="127.0.0.1", port=peer.port, tls=files(pki), timeout_s=0.3)
        async with running(settings) as link:
            with pytest.raises(LinkDownError):
                await link.read_holding(1, 1, 1)
    assert not [request for request in peer.seen if request.unit == 1]


async def test_missing_files_and_impossible_mixtures_are_mistakes(pki: Pki) -> None:
    missing = TlsFiles(ca=pki.folder / "none.pem", cert=pki.site_ca, key=pki.site_ca)
    with pytest.raises(ConfigError, match=r"none\.pem"):
        async with running(LinkSettings(host="127.0.0.1", tls=missing)):
            pass
    with pytest.raises(ValueError, match="TLS needs"):
        LinkSettings(host="127.0.0.1", framing=Framing.RTU, tls=files(pki))
