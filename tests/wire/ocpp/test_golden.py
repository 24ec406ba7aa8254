"""Every frame of ours, byte for byte, and each against its published schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.testing import FakeClock
from site_agent.devices.ocpp.limits.profiles import (
    Capabilities,
    ChargingProfile,
    Form,
    Kind,
    LeaseTerms,
    Period,
    Purpose,
    RateUnit,
    Supply,
    lease_forms,
    lease_profile,
    resting_forms,
    resting_profile,
)
from site_agent.devices.ocpp.settings import StationConfig, Timing
from site_agent.devices.ocpp.station import Station
from site_agent.devices.ocpp.versions.dialect import Dialect, Trigger
from site_agent.devices.ocpp.versions.v16 import Ocpp16
from site_agent.devices.ocpp.versions.v21 import Ocpp21
from site_agent.devices.ocpp.versions.v201 import Ocpp201
from site_agent.devices.ocpp.versions.words import (
    CertificateHash,
    Firmware,
    IdToken,
    LeafUse,
    LocalEntry,
    LogKind,
    LogUpload,
    ProfileFilter,
    Reset,
    Retries,
    RootUse,
    TokenKind,
    UnsupportedError,
)
from site_agent.devices.ocpp.wire import frames, schemas
from site_agent.devices.ocpp.wire.outbox import Request
from site_agent.devices.ocpp.wire.session import refusal
from site_agent.domain.device import ChargerSpec
from site_agent.store.memory import MemorySessions
from support.ocpp_access import FEW

GOLDEN = Path(__file__).parent / "golden"
SPEC = ChargerSpec(evse_id="evse-1", node="pcc")
NOON = datetime(2026, 1, 5, 12, 0, 0, 700_000, tzinfo=UTC)
DIALECTS: dict[str, Dialect] = {"16": Ocpp16(), "201": Ocpp201(), "21": Ocpp21()}


def station() -> Station:
    return Station(
        StationConfig(charge_point_id="CP1", evses={1: SPEC}),
        timing=Timing(),
        clock=FakeClock(),
        sessions=MemorySessions(),
        access=FEW,
        wake=lambda: None,
    )


@pytest.mark.parametrize("version", DIALECTS)
async def test_conversation(version: str) -> None:
    dialect, desk = DIALECTS[version], station()
    lines = (GOLDEN / f"conversation-{version}.txt").read_text().splitlines()
    for asked, answered in zip(lines[::2], lines[1::2], strict=True):
        call = frames.parse(asked.removeprefix("> "))
        assert isinstance(call, frames.Call)
        try:
            answer = await dialect.serve(desk, call.action, call.payload)
            schemas.check(dialect.version, schemas.response(call.action), answer)
            reply = frames.result(call.message_id, answer)
        except frames.CallFaultError as fault:
            reply = refusal(dialect, call, fault.fault, str(fault))
        assert compact(reply.decode()) == compact(answered.removeprefix("< ")), asked


@pytest.mark.parametrize("version", DIALECTS)
async def test_conversation_leaves_the_right_state(version: str) -> None:
    dialect, desk = DIALECTS[version], station()
    lines = (GOLDEN / f"conversation-{version}.txt").read_text().splitlines()
    for asked in lines[: 2 * (8 if version == "16" else 7) : 2]:
        call = frames.parse(asked.removeprefix("> "))
        assert isinstance(call, frames.Call)
        try:
            await dialect.serve(desk, call.action, call.payload)
        except frames.CallFaultError:
            continue
    state = desk.evses[1].state(desk.now())
    assert (state.plugged, state.transaction_id, state.id_tag) == (True, "1", "TAG1")
    assert state.power_w.value == pytest.approx(6900)
    assert state.current_a.value == 10.1
    assert state.energy_wh.value == pytest.approx(450.24)
    assert state.soc_pct.value == 41


def resting(dialect: Dialect) -> Request:
    form = resting_forms(Capabilities(), 1, alone=True)[0]
    return dialect.set_profile(resting_profile(form, 6.0, Supply.of(SPEC), 1, NOON))


def resting_absolute(dialect: Dialect) -> Request:
    forms = resting_forms(Capabilities(), 1, alone=False)
    form = next(form for form in reversed(forms) if form.kind is Kind.ABSOLUTE)
    return dialect.set_profile(resting_profile(form, 6.0, Supply.of(SPEC), 1, NOON))


def lease(
    units: tuple[RateUnit, ...], max_periods: int | None, rung: int = 0
) -> Callable[[Dialect], Request]:
    def make(dialect: Dialect) -> Request:
        capabilities = Capabilities(units=units, max_stack_level=8, max_periods=max_periods)
        rest = resting_forms(capabilities, 1, alone=True)[0]
        form = lease_forms(capabilities, 1, rest)[rung]
        terms = LeaseTerms(
            supply=Supply.of(SPEC),
            connector=1,
            lasting_s=300,
            rest_a=6.0,
            max_periods=max_periods,
            transaction_ref="42",
        )
        return dialect.set_profile(lease_profile(form, 16.15, terms, NOON))

    return make


def discharging(unit: RateUnit, limit: float) -> Callable[[Dialect], Request]:
    profile = ChargingProfile(
        profile_id=2,
        form=Form(purpose=Purpose.TX, kind=Kind.ABSOLUTE, unit=unit, stack_level=0, connector=1),
        periods=(
            Period(start_s=0, limit=limit, phases=3),
            Period(start_s=330, limit=6.0),
        ),
        start=NOON,
        duration_s=331,
        transaction_ref="42",
    )
    return lambda dialect: dialect.set_profile(profile)


TAG = IdToken(value="TAG1", kind=TokenKind.ISO14443)
HASH = CertificateHash(
    algorithm="SHA256", issuer_name_hash="aa", issuer_key_hash="bb", serial_number="0c"
)
SIGNED = Firmware(
    location="https://files.example/fw.bin",
    retrieve_at=NOON,
    install_at=NOON,
    signing_certificate="PEM",
    signature="c2ln",
)
EVERY = ProfileFilter()
OURS = ProfileFilter(connector=1, purpose=Purpose.STATION_MAX, stack_level=2)
LOG = LogUpload(kind=LogKind.DIAGNOSTICS, location="ftp://files.example/", since=NOON, until=NOON)
REQUESTS: dict[str, Callable[[Dialect], Request]] = {
    "resting": resting,
    "resting-absolute": resting_absolute,
    "lease-ampere": lease((RateUnit.AMPERE, RateUnit.WATT), 24),
    "lease-watt-one-period": lease((RateUnit.WATT, RateUnit.AMPERE), None),
    "lease-in-the-default": lease((RateUnit.AMPERE, RateUnit.WATT), 24, rung=-1),
    "probe": lambda d: d.probe(),
    "read-settings": lambda d: d.read_settings(),
    "trigger-boot": lambda d: d.trigger(Trigger.BOOT, None),
    "trigger-status": lambda d: d.trigger(Trigger.STATUS, 1),
    "trigger-meter": lambda d: d.trigger(Trigger.METER, 1),
    "change-heartbeat": lambda d: d.changes({}, 10, 60)[0][0],
    "change-interval": lambda d: d.changes({}, 10, 60)[1][0],
    "change-measurands": lambda d: d.changes({}, 10, 60)[2][0],
    "start": lambda d: d.start(TAG, 1, start_id=7),
    "start-anywhere": lambda d: d.start(TAG, None, start_id=7),
    "stop": lambda d: d.stop("42"),
    "reset-soft": lambda d: d.reset(Reset.SOFT),
    "reset-hard": lambda d: d.reset(Reset.HARD),
    "unlock": lambda d: d.unlock(1),
    "out-of-service": lambda d: d.availability(1, operative=False),
    "station-in-service": lambda d: d.availability(None, operative=True),
    "trigger-log": lambda d: d.trigger(Trigger.LOG, None),
    "trigger-sign": lambda d: d.trigger(Trigger.SIGN_CERTIFICATE, None),
    "data-transfer": lambda d: d.data_transfer("example", "x", "y"),
    "change-password": lambda d: d.change_password("0123456789abcdef"),
    "inventory": lambda d: d.inventory(9),
    "clear-all-profiles": lambda d: d.clear_profiles(EVERY),
    "clear-one-profile": lambda d: d.clear_profiles(ProfileFilter(profile_id=2)),
    "clear-profiles-like": lambda d: d.clear_profiles(OURS),
    "composite": lambda d: d.ask_composite(1, 3600, RateUnit.AMPERE),
    "clear-cache": lambda d: d.clear_cache(),
    "list-version": lambda d: d.ask_list_version(),
    "list-full": lambda d: d.send_list(
        3,
        [LocalEntry(token=TAG, group=IdToken(value="GROUP"), expires=NOON)],
        full=True,
    ),
    "list-less": lambda d: d.send_list(4, [LocalEntry(token=TAG, status=None)], full=False),
    "list-empty": lambda d: d.send_list(5, [], full=True),
    "reserve": lambda d: d.reserve(8, 1, TAG, NOON, IdToken(value="GROUP")),
    "cancel-reservation": lambda d: d.cancel_reservation(8),
    "firmware": lambda d: d.update_firmware(
        9,
        Firmware(location="https://files.example/fw.bin", retrieve_at=NOON),
        Retries(times=3, interval_s=60),
    ),
    "signed-firmware": lambda d: d.update_firmware(9, SIGNED),
    "diagnostics": lambda d: d.upload_log(9, LOG),
    "security-log": lambda d: d.upload_log(
        9, LogUpload(kind=LogKind.SECURITY, location="https://files.example/"), Retries(times=1)
    ),
    "install-root": lambda d: d.install_certificate(RootUse.CENTRAL_SYSTEM, "PEM"),
    "delete-root": lambda d: d.delete_certificate(HASH),
    "roots": lambda d: d.ask_certificates(RootUse.MANUFACTURER),
    "certificate-signed": lambda d: d.certificate_signed("PEM"),
}
ONLY: dict[str, dict[str, Callable[[Any], Request]]] = {
    "16": {},
    "201": {
        "reset-one": lambda d: d.reset(Reset.SOFT, 1),
        "profiles": lambda d: d.ask_profiles(9, OURS),
        "report": lambda d: d.ask_report(9, ["SmartChargingCtrlr", "EVSE@1.Power"]),
        "transaction-status": lambda d: d.transaction_status("tx-7"),
        "v2g-root": lambda d: d.install_certificate(RootUse.V2G, "PEM"),
        "v2g-signed": lambda d: d.certificate_signed("PEM", LeafUse.V2G),
    },
}
ONLY["21"] = {
    **ONLY["201"],
    "oem-root": lambda d: d.install_certificate(RootUse.OEM, "PEM"),
    "discharge-ampere": discharging(RateUnit.AMPERE, -10.0),
    "discharge-watt": discharging(RateUnit.WATT, -6900.0),
    "allow-transfer": lambda d: d.allow_transfer("tx-7", ["AC_BPT"]),
    "prioritise": lambda d: d.prioritise("tx-7", activate=True),
}
"""What a version has beyond the others."""


@pytest.mark.parametrize("version", DIALECTS)
def test_requests(version: str) -> None:
    dialect = DIALECTS[version]
    made = {}
    for name, make in {**REQUESTS, **ONLY[version]}.items():
        request = make(dialect)
        message = schemas.request(dialect.version, request.action)
        schemas.check(dialect.version, message, request.payload)
        made[name] = frames.call(name, request.action, request.payload)
    golden = (GOLDEN / f"requests-{version}.txt").read_text().splitlines()
    assert [frame.decode() for frame in made.values()] == golden
    actions = {json.loads(frame)[2] for frame in made.values()}
    assert actions == set(dialect.requests)


@pytest.mark.parametrize(
    ("version", "make"),
    [
        ("16", lambda d: d.reset(Reset.SOFT, 1)),
        ("16", lambda d: d.stop("tx-7")),
        ("16", lambda d: d.ask_profiles(1, EVERY)),
        ("16", lambda d: d.install_certificate(RootUse.V2G, "PEM")),
        ("16", lambda d: d.certificate_signed("PEM", LeafUse.V2G)),
        ("16", lambda d: d.change_password("too short")),
        ("16", discharging(RateUnit.AMPERE, -10.0)),
        ("201", discharging(RateUnit.WATT, -6900.0)),
    ],
)
def test_what_a_version_has_no_word_for_is_said_at_once(
    version: str, make: Callable[[Dialect], Request]
) -> None:
    with pytest.raises(UnsupportedError):
        make(DIALECTS[version])


@pytest.mark.parametrize("version", DIALECTS)
def test_every_message_of_a_charger_is_in_a_conversation(version: str) -> None:
    text = (GOLDEN / f"conversation-{version}.txt").read_text()
    told = set(re.findall(r'^> \[2,"[^"]*","(\w+)"', text, re.MULTILINE))
    assert set(DIALECTS[version].served) <= told


@pytest.mark.row("library:L8")
def test_an_outbound_message_that_breaks_its_schema_is_never_sent() -> None:
    request = resting(Ocpp16())
    text = frames.text_of(request.payload)
    with pytest.raises(schemas.OutboundError, match="multiple"):
        schemas.check(Ocpp16.version, request.action, json.loads(text.replace("6.0", "6.55")))
    schemas.check(Ocpp16.version, request.action, json.loads(text.replace("6.0", "16.1")))


def compact(frame: str) -> str:
    return json.dumps(json.loads(frame), separators=(",", ":"))
