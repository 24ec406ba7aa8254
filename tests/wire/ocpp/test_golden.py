"""Every frame of ours, byte for byte, and each against its published schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.testing import FakeClock
from site_agent.devices.ocpp.limits.profiles import (
    Capabilities,
    LeaseTerms,
    RateUnit,
    lease_forms,
    lease_profile,
    resting_forms,
    resting_profile,
)
from site_agent.devices.ocpp.settings import StationConfig, Timing
from site_agent.devices.ocpp.station import Station
from site_agent.devices.ocpp.versions.dialect import Dialect, Trigger
from site_agent.devices.ocpp.versions.v16 import Ocpp16
from site_agent.devices.ocpp.versions.v201 import Ocpp201
from site_agent.devices.ocpp.wire import frames, schemas
from site_agent.devices.ocpp.wire.outbox import Request
from site_agent.devices.ocpp.wire.session import refusal
from site_agent.domain.device import ChargerSpec
from site_agent.store.memory import MemorySessions
from support.ocpp_access import FEW

GOLDEN = Path(__file__).parent / "golden"
SPEC = ChargerSpec(evse_id="evse-1", node="pcc")
NOON = datetime(2026, 1, 5, 12, 0, 0, 700_000, tzinfo=UTC)
DIALECTS: dict[str, Dialect] = {"16": Ocpp16(), "201": Ocpp201()}


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
            reply = frames.result(call.message_id, frames.text_of(answer))
        except frames.CallFaultError as fault:
            reply = refusal(dialect, call, fault.fault, str(fault))
        assert compact(reply) == compact(answered.removeprefix("< ")), asked


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
    return dialect.set_profile(resting_profile(form, 6.0, SPEC, 1, NOON))


def resting_absolute(dialect: Dialect) -> Request:
    form = resting_forms(Capabilities(), 1, alone=False)[-1]
    return dialect.set_profile(resting_profile(form, 6.0, SPEC, 1, NOON))


def lease(
    units: tuple[RateUnit, ...], max_periods: int | None, rung: int = 0
) -> Callable[[Dialect], Request]:
    def make(dialect: Dialect) -> Request:
        capabilities = Capabilities(units=units, max_stack_level=8, max_periods=max_periods)
        rest = resting_forms(capabilities, 1, alone=True)[0]
        form = lease_forms(capabilities, 1, rest)[rung]
        terms = LeaseTerms(
            spec=SPEC,
            connector=1,
            lasting_s=300,
            rest_a=6.0,
            max_periods=max_periods,
            transaction_ref="42",
        )
        return dialect.set_profile(lease_profile(form, 16.15, terms, NOON))

    return make


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
}


@pytest.mark.parametrize("version", DIALECTS)
def test_requests(version: str) -> None:
    dialect = DIALECTS[version]
    made = {}
    for name, make in REQUESTS.items():
        request = make(dialect)
        message = schemas.request(dialect.version, request.action)
        schemas.check(dialect.version, message, request.payload)
        made[name] = frames.call(name, request.action, frames.text_of(request.payload))
    golden = (GOLDEN / f"requests-{version}.txt").read_text().splitlines()
    assert list(made.values()) == golden


def test_an_outbound_message_that_breaks_its_schema_is_never_sent() -> None:
    request = resting(Ocpp16())
    text = frames.text_of(request.payload)
    with pytest.raises(schemas.OutboundError, match="multiple"):
        schemas.check(Ocpp16.version, request.action, json.loads(text.replace("6.0", "6.55")))
    schemas.check(Ocpp16.version, request.action, json.loads(text.replace("6.0", "16.1")))


def compact(frame: str) -> str:
    return json.dumps(json.loads(frame), separators=(",", ":"))
