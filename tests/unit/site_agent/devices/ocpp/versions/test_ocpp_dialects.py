"""Whatever a charger says: an answer by the schema, or a fault it is told."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.testing import FakeClock
from site_agent.devices.ocpp.limits.profiles import Capabilities, RateUnit
from site_agent.devices.ocpp.settings import StationConfig, Timing
from site_agent.devices.ocpp.station import Station
from site_agent.devices.ocpp.versions.dialect import Dialect
from site_agent.devices.ocpp.versions.v16 import Ocpp16
from site_agent.devices.ocpp.versions.v201 import Ocpp201
from site_agent.devices.ocpp.wire import schemas
from site_agent.devices.ocpp.wire.frames import CallFaultError, Fault
from site_agent.domain.device import ChargerSpec
from site_agent.store.memory import MemorySessions
from support.ocpp_access import ALL

DIALECTS: list[Dialect] = [Ocpp16(), Ocpp201()]
_KEYS = st.sampled_from(
    ["connectorId", "evseId", "evse", "id", "idTag", "idToken", "type", "status", "timestamp",
     "connectorStatus", "meterStart", "meterStop", "meterValue", "sampledValue", "value", "unit",
     "transactionId", "transactionInfo", "eventType", "vendorId", "chargingStation", "vendorName",
     "model", "chargePointVendor", "chargePointModel", "reason", "stoppedReason"]
)  # fmt: skip
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["Started", "Updated", "Ended", "Available", "2026-01-05T12:00:00Z", "x"])
    | st.text(max_size=4)
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=12,
)
_PAYLOADS = st.dictionaries(_KEYS, _VALUES, max_size=7)


def station() -> Station:
    spec = ChargerSpec(evse_id="evse-1", node="pcc")
    return Station(
        StationConfig(charge_point_id="CP1", evses={1: spec}),
        timing=Timing(),
        clock=FakeClock(),
        sessions=MemorySessions(),
        access=ALL,
        wake=lambda: None,
    )


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.version.name)
@given(data=st.data())
def test_whatever_is_said_there_is_an_answer(dialect: Dialect, data: st.DataObject) -> None:
    calls = data.draw(
        st.lists(st.tuples(st.sampled_from(list(dialect.served)), _PAYLOADS), max_size=4)
    )

    async def say() -> None:
        desk = station()
        for action, payload in calls:
            with contextlib.suppress(CallFaultError):
                answer = await dialect.serve(desk, action, payload)
                schemas.check(dialect.version, schemas.response(action), answer)
            desk.evses[1].state(datetime(2026, 1, 5, 12, tzinfo=UTC))

    asyncio.run(say())


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.version.name)
@given(answer=_PAYLOADS)
def test_whatever_is_answered_is_survived(dialect: Dialect, answer: dict[str, Any]) -> None:
    for key in ("configurationKey", "getVariableResult", "setVariableResult"):
        whole = {key: [answer], "status": answer.get("status")}
        dialect.capabilities(dialect.settings(whole))
        dialect.accepted(whole)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.version.name)
def test_every_fault_has_a_code(dialect: Dialect) -> None:
    codes = {fault: dialect.error_code(fault) for fault in Fault}
    unanswered = [fault for fault, code in codes.items() if code is None]
    assert unanswered == ([Fault.MESSAGE_TYPE] if isinstance(dialect, Ocpp16) else [])


def variable(name: str, value: Any, status: str = "Accepted") -> dict[str, Any]:
    component, word, *instance = name.split(".")
    held = {"name": word, **({"instance": instance[0]} if instance else {})}
    wire = {"component": {"name": component}, "variable": held, "attributeStatus": status}
    return wire if value is None else {**wire, "attributeValue": value}


def test_capabilities_201() -> None:
    dialect = Ocpp201()
    results = [
        variable("SmartChargingCtrlr.RateUnit", "W"),
        variable("SmartChargingCtrlr.ProfileStackLevel", "8"),
        variable("SmartChargingCtrlr.PeriodsPerSchedule", None),  # accepted, but no value: seen
        variable("SmartChargingCtrlr.Entries.ChargingProfiles", "20"),
        variable("OCPPCommCtrlr.HeartbeatInterval", "300", "Rejected"),
    ]
    settings = dialect.settings({"getVariableResult": results})
    assert dialect.capabilities(settings) == Capabilities(
        units=(RateUnit.WATT, RateUnit.AMPERE), max_stack_level=8, max_periods=None, max_profiles=20
    )
    assert "OCPPCommCtrlr.HeartbeatInterval" not in settings


def test_capabilities_16() -> None:
    dialect = Ocpp16()
    keys = [
        {"key": "ChargingScheduleAllowedChargingRateUnit", "value": "Power", "readonly": True},
        {"key": "ChargeProfileMaxStackLevel", "value": "-1"},
        {"key": "ChargingScheduleMaxPeriods", "value": "9" * 40},
        {"key": "MaxChargingProfilesInstalled"},
    ]
    settings = dialect.settings({"configurationKey": keys, "unknownKey": ["x"]})
    assert dialect.capabilities(settings) == Capabilities(units=(RateUnit.WATT, RateUnit.AMPERE))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.version.name)
def test_no_interval_wanted_leaves_the_chargers_sampling_alone(dialect: Dialect) -> None:
    assert len(dialect.changes({}, None, 60)) == 1  # the heartbeat
    assert len(dialect.changes({}, 10, 60)) == 3


def test_measurands_are_added_to_what_is_sampled_already() -> None:
    sampled = "SoC,Energy.Active.Import.Register"
    [ways] = [
        ways
        for ways in Ocpp16().changes({"MeterValuesSampledData": sampled}, 10, 60)
        if ways[0].payload["key"] == "MeterValuesSampledData"
    ]
    assert [way.payload["value"] for way in ways] == [
        "SoC,Energy.Active.Import.Register,Power.Active.Import,Current.Import",
        "Energy.Active.Import.Register,Power.Active.Import,Current.Import",
    ]
