"""Every request of ours through `Station.command`, to a charger that hears and answers it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.errors import LinkDownError
from site_agent.devices.ocpp.limits.profiles import RateUnit
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.station import Station
from site_agent.devices.ocpp.versions.dialect import Dialect, Trigger
from site_agent.devices.ocpp.versions.words import (
    CertificateHash,
    Firmware,
    IdToken,
    LocalEntry,
    LogKind,
    LogUpload,
    ProfileFilter,
    Reset,
    RootUse,
)
from site_agent.devices.ocpp.wire.frames import CallRefusedError, NoAnswerError
from site_agent.devices.ocpp.wire.outbox import Request
from site_agent.devices.ocpp.wire.schemas import OutboundError
from support.ocpp_depot import Depot, connected, depot, station

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
EVERY = (Version.V21, Version.V201, Version.V16)
VERSIONS = pytest.mark.parametrize("version", ["ocpp1.6", "ocpp2.0.1", "ocpp2.1"])
HASH = CertificateHash(
    algorithm="SHA256", issuer_name_hash="aa", issuer_key_hash="bb", serial_number="0c"
)
TAG = IdToken(value="TAG1")
COMMANDS: dict[str, Callable[[Dialect], Request]] = {
    "start": lambda d: d.start(TAG, 1, start_id=1),
    "stop": lambda d: d.stop("7"),
    "reset": lambda d: d.reset(Reset.SOFT),
    "unlock": lambda d: d.unlock(1),
    "availability": lambda d: d.availability(1, operative=False),
    "trigger": lambda d: d.trigger(Trigger.FIRMWARE, None),
    "sign": lambda d: d.trigger(Trigger.SIGN_CERTIFICATE, None),
    "data": lambda d: d.data_transfer("example"),
    "password": lambda d: d.change_password("0123456789abcdef"),
    "clear": lambda d: d.clear_profiles(ProfileFilter(connector=1)),
    "composite": lambda d: d.ask_composite(1, 60, RateUnit.WATT),
    "cache": lambda d: d.clear_cache(),
    "list": lambda d: d.send_list(1, [LocalEntry(token=TAG)], full=True),
    "reserve": lambda d: d.reserve(1, 1, TAG, AT),
    "cancel": lambda d: d.cancel_reservation(1),
    "log": lambda d: d.upload_log(
        1, LogUpload(kind=LogKind.SECURITY, location="https://files.example/")
    ),
    "root": lambda d: d.install_certificate(RootUse.CENTRAL_SYSTEM, "PEM"),
    "no root": lambda d: d.delete_certificate(HASH),
    "roots": lambda d: d.ask_certificates(RootUse.CENTRAL_SYSTEM),
    "signed": lambda d: d.certificate_signed("PEM"),
}


def desk(site: Depot) -> tuple[Station, Dialect]:
    held = site.system.stations["CP1"]
    assert held.link is not None
    return held, held.link.dialect


@VERSIONS
async def test_every_command_is_heard_and_its_answer_understood(version: str) -> None:
    async with (
        depot(station(versions=EVERY)) as site,
        connected(site, version=version) as charger,
    ):
        await charger.boot()
        held, dialect = desk(site)
        for name, make in COMMANDS.items():
            request, before = make(dialect), len(charger.heard)
            assert dialect.accepted(await held.command(request)), name
            heard = await charger.hears(request.action, request.payload.__eq__, after=before)
            assert heard == request.payload, name
            charger.answers[request.action] = {"status": "Rejected"}
            if name != "password" or version == "ocpp1.6":
                assert not dialect.accepted(await held.command(request)), name
            del charger.answers[request.action]


@VERSIONS
async def test_a_firmware_of_either_kind(version: str) -> None:
    plain = Firmware(location="https://files.example/f", retrieve_at=AT)
    signed = replace(plain, signing_certificate="PEM", signature="c2ln")
    async with (
        depot(station(versions=EVERY)) as site,
        connected(site, version=version) as charger,
    ):
        await charger.boot()
        held, dialect = desk(site)
        for firmware in (plain, signed):
            request, before = dialect.update_firmware(5, firmware), len(charger.heard)
            await held.command(request)
            heard = await charger.hears(
                request.action, lambda payload: "location" in str(payload), after=before
            )
            assert heard == request.payload


@VERSIONS
async def test_refusals_silence_and_nonsense_are_errors_of_their_own(version: str) -> None:
    answers: dict[str, Any] = {"ClearCache": ["NotImplemented", "no cache"], "Reset": None}
    async with depot(station(versions=EVERY)) as site:
        async with connected(site, version=version, answers=answers) as charger:
            await charger.boot()
            held, dialect = desk(site)
            with pytest.raises(CallRefusedError, match="NotImplemented"):
                await held.command(dialect.clear_cache())
            with pytest.raises(NoAnswerError):
                await held.command(dialect.reset(Reset.HARD))
            with pytest.raises(OutboundError):
                await held.command(dialect.change("k" * 2000, "v"))
            with pytest.raises(OutboundError):
                await held.command(Request(action="TakeOverTheWorld", payload={}))
        with pytest.raises(LinkDownError):
            await held.command(dialect.clear_cache())
