"""Security profiles: over real TLS, with certificates of the repository's own authority."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from certs.certificates import Identity
from certs.pki import Pki, make_test_pki
from contracts.errors import ConfigError
from contracts.identity import client_context
from site_agent.devices.ocpp import security
from site_agent.devices.ocpp.security import Profile
from support.ocpp_depot import Depot, connected, depot, station
from support.waiting import until

REFUSED = (OSError, InvalidHandshake, ConnectionClosed, EOFError)
"""With TLS 1.3 the client learns of its refusal only at its first read."""


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    folder = tmp_path_factory.mktemp("pki")
    return make_test_pki(folder, sites=["cp1"], chargers=["cp1", "CP2", "CP3"], hosts=["127.0.0.1"])


def trusting(pki: Pki, shown: Identity | None = None) -> ssl.SSLContext:
    if shown is None:
        return client_context(pki.site_ca)
    return client_context(pki.site_ca, shown.cert, shown.key)


@asynccontextmanager
async def mutual(pki: Pki) -> AsyncIterator[Depot]:
    context = security.server_context(
        Profile.TLS_CERTIFICATE, pki.broker.cert, pki.broker.key, pki.site_ca
    )
    stations = [station("cp1", 1), station("CP2", 2, password="s3cret")]
    async with depot(*stations, ssl_context=context, profile=Profile.TLS_CERTIFICATE) as site:
        yield site


@pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1"])
async def test_profile_3_lets_in_the_charger_its_certificate_names(pki: Pki, version: str) -> None:
    async with (
        mutual(pki) as site,
        connected(site, "cp1", version, trusting=trusting(pki, pki.chargers["cp1"])) as charger,
    ):
        assert (await charger.boot())["status"] == "Accepted"


@pytest.mark.parametrize("whose", ["another charger", "a site of the same name", "a broker"])
async def test_profile_3_refuses_anothers_certificate_and_others_go_on(
    pki: Pki, whose: str
) -> None:
    shown = {
        "another charger": pki.chargers["CP3"],
        "a site of the same name": pki.sites["cp1"],
        "a broker": pki.gateway,
    }[whose]
    async with (
        mutual(pki) as site,
        connected(
            site, "CP2", password="s3cret", trusting=trusting(pki, pki.chargers["CP2"])
        ) as other,
    ):
        await other.boot()
        with capture_logs() as logs, pytest.raises(InvalidStatus) as refusal:
            async with connected(site, "cp1", trusting=trusting(pki, shown)):
                pass
        assert refusal.value.response.status_code == 403
        assert "charger with another's certificate refused" in str(logs)
        assert (await other.call("Heartbeat", {}))["currentTime"]


@pytest.mark.parametrize("shown", [None, "of a stranger"])
async def test_profile_3_refuses_no_certificate_or_a_strangers_at_the_handshake(
    pki: Pki, shown: str | None, tmp_path: Path
) -> None:
    strangers = make_test_pki(tmp_path, sites=[], chargers=["cp1"]) if shown else None
    context = trusting(pki, None if strangers is None else strangers.chargers["cp1"])
    async with mutual(pki) as site:
        with capture_logs() as logs:
            with pytest.raises(REFUSED):
                async with connected(site, "cp1", trusting=context):
                    pass
            await until(lambda: "charger refused at the TLS handshake" in str(logs))
        async with connected(site, "cp1", trusting=trusting(pki, pki.chargers["cp1"])) as charger:
            assert (await charger.boot())["status"] == "Accepted"


async def test_profile_3_still_asks_for_the_password_of_who_has_one(pki: Pki) -> None:
    async with mutual(pki) as site:
        with pytest.raises(InvalidStatus) as refusal:
            async with connected(site, "CP2", trusting=trusting(pki, pki.chargers["CP2"])):
                pass
        assert refusal.value.response.status_code == 401


async def test_profile_2_asks_for_a_password_but_no_certificate(pki: Pki) -> None:
    context = security.server_context(Profile.TLS_BASIC, pki.broker.cert, pki.broker.key, None)
    async with depot(
        station(password="s3cret"), ssl_context=context, profile=Profile.TLS_BASIC
    ) as site:
        async with connected(site, password="s3cret", trusting=trusting(pki)) as charger:
            assert (await charger.boot())["status"] == "Accepted"
        with pytest.raises(InvalidStatus):
            async with connected(site, trusting=trusting(pki)):
                pass


async def test_old_tls_is_refused(pki: Pki) -> None:
    context = security.server_context(Profile.TLS_BASIC, pki.broker.cert, pki.broker.key, None)
    assert context is not None
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


async def test_a_new_password_is_good_beside_the_old_one() -> None:
    async with depot(station(password="the first one")) as site:
        for password in ("the first one", "the second one"):
            site.system.stations["CP1"].new_password = "the second one"
            async with connected(site, password=password) as charger:
                assert (await charger.boot())["status"] == "Accepted"
        with pytest.raises(InvalidStatus):
            async with connected(site, password="the third one"):
                pass


@pytest.mark.parametrize("header", ["Basic", "Basic ====", "Basic Q1Ax", "Bearer x", "x" * 100_000])
def test_nonsense_is_no_password(header: str) -> None:
    assert not security.password_matches("CP1", ["s3cret"], header)


@pytest.mark.parametrize("profile", [Profile.BASIC, Profile.TLS_BASIC])
def test_passwords_are_needed_in_profiles_1_and_2(profile: Profile) -> None:
    stations = [station("CP1", password="s3cret"), station("CP2")]
    with pytest.raises(ConfigError, match="needs a password for CP2"):
        security.check(profile, stations, "127.0.0.1")
    security.check(Profile.TLS_CERTIFICATE, stations, "0.0.0.0")


@pytest.mark.parametrize(("host", "warns"), [("127.0.0.1", False), ("10.0.0.1", True)])
def test_an_open_door_is_said_unless_only_this_machine_can_reach_it(
    host: str, *, warns: bool
) -> None:
    with capture_logs() as logs:
        security.check(Profile.OPEN, [station("CP1")], host)
    assert bool(logs) is warns


def test_missing_files_are_named(pki: Pki, tmp_path: Path) -> None:
    gone, cert, key = tmp_path / "gone.pem", pki.broker.cert, pki.broker.key
    for profile, files in (
        (Profile.TLS_BASIC, (None, None, None)),
        (Profile.TLS_BASIC, (gone, key, None)),
        (Profile.TLS_CERTIFICATE, (cert, key, None)),
        (Profile.TLS_CERTIFICATE, (cert, key, gone)),
    ):
        with pytest.raises(ConfigError, match=r"gone|needs"):
            security.server_context(profile, *files)
    assert security.server_context(Profile.BASIC, None, None, None) is None
