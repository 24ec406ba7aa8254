"""Whatever a charger says: an answer by the schema, or a fault it is told."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.testing import FakeClock
from site_agent.devices.ocpp.limits.profiles import Capabilities, RateUnit
from site_agent.devices.ocpp.settings import StationConfig, Timing, Version
from site_agent.devices.ocpp.station import Station
from site_agent.devices.ocpp.versions.dialect import Dialect
from site_agent.devices.ocpp.versions.v16 import Ocpp16
from site_agent.devices.ocpp.versions.v21 import Ocpp21
from site_agent.devices.ocpp.versions.v201 import Ocpp201
from site_agent.devices.ocpp.wire import schemas
from site_agent.devices.ocpp.wire.frames import CallFaultError, Fault
from site_agent.domain.device import ChargerSpec
from site_agent.store.memory import MemorySessions
from support.ocpp_access import ALL

DIALECTS: list[Dialect] = [Ocpp16(), Ocpp201(), Ocpp21()]
_KEYS = st.sampled_from(
    ["connectorId", "evseId", "evse", "id", "idTag", "idToken", "type", "status", "timestamp",
     "connectorStatus", "meterStart", "meterStop", "meterValue", "sampledValue", "value", "unit",
     "transactionId", "transactionInfo", "eventType", "vendorId", "chargingStation", "vendorName",
     "model", "chargePointVendor", "chargePointModel", "reason", "stoppedReason", "requestId",
     "seqNo", "tbc", "reportData", "component", "variable", "variableAttribute", "name", "csr",
     "chargingLimit", "chargingLimitSource", "chargingSchedule", "chargingRateUnit", "duration",
     "chargingSchedulePeriod", "startPeriod", "limit", "startSchedule", "chargingProfile",
     "chargingNeeds", "requestedEnergyTransfer", "v2xChargingParameters", "maxDischargePower",
     "certificateStatusRequests", "certificateHashData", "eventData", "controlType", "offline"]
)  # fmt: skip
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        ["Started", "Updated", "Ended", "Available", "2026-01-05T12:00:00Z", "x", "A", "W"]
    )
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
        dialect.found(whole)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.version.name)
@given(answer=_PAYLOADS, held=_PAYLOADS, periods=st.lists(_PAYLOADS, max_size=3))
def test_whatever_composite_is_answered_it_is_plausible_or_unknown(
    dialect: Dialect, answer: dict[str, Any], held: dict[str, Any], periods: list[dict[str, Any]]
) -> None:
    schedule = {"chargingRateUnit": "W", **held, "chargingSchedulePeriod": periods}
    whole = {**answer, "status": "Accepted", "chargingSchedule": schedule, "schedule": schedule}
    composite = dialect.composite(whole, phases=3, voltage_v=230.0)
    if composite is not None:
        assert composite.periods
        starts = [period.start_s for period in composite.periods]
        assert starts == sorted(starts)
        assert all(isfinite(period.limit_a) for period in composite.periods)


def composite_answer(dialect: Dialect, **schedule: Any) -> dict[str, Any]:
    if isinstance(dialect, Ocpp16):
        return {"status": "Accepted", "connectorId": 1, "chargingSchedule": schedule}
    return {"status": "Accepted", "schedule": {"evseId": 1, **schedule}}


@pytest.mark.row("personality:answers-in-watts")
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.version.name)
def test_a_composite_is_read_by_its_own_unit(dialect: Dialect) -> None:
    periods = [
        {"startPeriod": 600, "limit": 3680.0, "numberPhases": 1},
        {"startPeriod": 0, "limit": 5520.0},
    ]
    composite = dialect.composite(
        composite_answer(
            dialect, duration=3600, chargingRateUnit="W", chargingSchedulePeriod=periods
        ),
        phases=3,
        voltage_v=230.0,
    )
    assert composite is not None
    assert composite.unit is RateUnit.WATT
    assert [(p.start_s, p.limit_a) for p in composite.periods] == [(0, 8.0), (600, 16.0)]


@pytest.mark.row("personality:composite-empty")
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.version.name)
@pytest.mark.parametrize(
    ("schedule", "status"),
    [
        ({"duration": 8638204776048, "chargingRateUnit": "A", "chargingSchedulePeriod": []},
         "Accepted"),
        ({"duration": 8638204776048, "chargingRateUnit": "A",
          "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]}, "Accepted"),
        ({"duration": 60, "chargingRateUnit": "A", "chargingSchedulePeriod": [{}]}, "Accepted"),
        ({"duration": 60, "chargingRateUnit": "kW",
          "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]}, "Accepted"),
        ({"duration": 60, "chargingRateUnit": "A",
          "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}]}, "Rejected"),
        ({"duration": 60, "chargingRateUnit": "A",
          "chargingSchedulePeriod": [{"startPeriod": -1, "limit": 16}]}, "Accepted"),
        ({"duration": 60, "chargingRateUnit": "A",
          "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10**400}]}, "Accepted"),
        ({"duration": 60, "chargingRateUnit": "A",
          "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1}] * 2000}, "Accepted"),
        ({}, "Accepted"),
    ],
)  # fmt: skip
def test_an_empty_or_absurd_composite_is_unknown(
    dialect: Dialect, schedule: dict[str, Any], status: str
) -> None:
    answer = {**composite_answer(dialect, **schedule), "status": status}
    assert dialect.composite(answer, phases=3, voltage_v=230.0) is None


def test_a_composite_of_21_may_discharge() -> None:
    periods = [
        {"startPeriod": 0, "operationMode": "CentralSetpoint", "limit": 0, "setpoint": -30.0},
        {"startPeriod": 60, "limit": 16, "limit_L2": 10, "limit_L3": 12},
        {"startPeriod": 90, "setpoint": -8, "setpoint_L2": -8, "setpoint_L3": -8},
    ]
    composite = Ocpp21().composite(
        composite_answer(
            Ocpp21(), duration=3600, chargingRateUnit="A", chargingSchedulePeriod=periods
        ),
        phases=3,
        voltage_v=230.0,
    )
    assert composite is not None
    assert [period.limit_a for period in composite.periods] == [-10.0, 10.0, -8.0]


def test_settings_of_an_evse_have_its_number_in_their_names() -> None:
    dialect = Ocpp201()
    request = dialect.get(["EVSE@2.Power", "SmartChargingCtrlr.Entries.ChargingProfiles"])
    asked: Any = request.payload["getVariableData"]
    results = [
        {**entry, "attributeStatus": "Accepted", "attributeValue": str(number)}
        for number, entry in enumerate(asked)
    ]
    found = dialect.found({"getVariableResult": results})
    assert [(one.name, one.value, one.evse) for one in found] == [
        ("EVSE@2.Power", "0", 2),
        ("SmartChargingCtrlr.Entries.ChargingProfiles", "1", None),
    ]


@pytest.mark.parametrize(
    ("settings", "discharges"),
    [
        ({"V2XChargingCtrlr.SupportedOperationModes": "ChargingOnly,CentralSetpoint"}, True),
        ({"V2XChargingCtrlr.SupportedOperationModes": "ChargingOnly"}, False),
        (
            {
                "V2XChargingCtrlr.SupportedOperationModes": "CentralSetpoint",
                "V2XChargingCtrlr.Enabled": "false",
            },
            False,
        ),
        ({"V2XChargingCtrlr.Enabled": "true"}, False),
        ({}, False),
    ],
)
def test_only_a_station_that_takes_setpoints_discharges(
    settings: dict[str, str], *, discharges: bool
) -> None:
    assert Ocpp21().capabilities(settings).discharges is discharges
    assert not Ocpp201().capabilities(settings).discharges
    sampled = [str(ways[0].payload) for ways in Ocpp21().changes(settings, 10, 60)]
    assert ("Power.Active.Export" in "".join(sampled)) is discharges


@pytest.mark.parametrize(
    ("dialect", "answer", "consent"),
    [
        (Ocpp16(), {"status": "Accepted"}, True),
        (Ocpp16(), {"status": "RebootRequired"}, True),
        (Ocpp16(), {"status": "Scheduled"}, True),
        (Ocpp16(), {"status": "Unlocked"}, True),
        (Ocpp16(), {"status": "Rejected"}, False),
        (Ocpp16(), {"fileName": "diagnostics.zip"}, True),
        (Ocpp16(), {}, False),
        (Ocpp201(), {"status": "AcceptedCanceled"}, True),
        (Ocpp201(), {"setVariableResult": [{"attributeStatus": "RebootRequired"}]}, True),
        (
            Ocpp201(),
            {"setVariableResult": [{"attributeStatus": s} for s in ("Accepted", "Rejected")]},
            False,
        ),
        (Ocpp201(), {}, False),
    ],
)
def test_what_counts_as_consent(dialect: Dialect, answer: dict[str, Any], *, consent: bool) -> None:
    assert dialect.accepted(answer) is consent


@pytest.mark.parametrize(
    ("dialect", "status", "plugged"),
    [
        (Ocpp16(), "Available", False),
        (Ocpp16(), "Preparing", True),
        (Ocpp16(), "SuspendedEV", True),
        (Ocpp16(), "Finishing", True),
        (Ocpp16(), "Faulted", True),  # it does not say: as before
        (Ocpp201(), "Available", False),
        (Ocpp201(), "Reserved", False),
        (Ocpp201(), "Occupied", True),
        (Ocpp201(), "Unavailable", True),
    ],
)
async def test_a_status_tells_of_the_cable(dialect: Dialect, status: str, *, plugged: bool) -> None:
    desk = station()
    for told in ("Preparing" if isinstance(dialect, Ocpp16) else "Occupied", status):
        payload = {"connectorId": 1, "errorCode": "NoError", "status": told}
        if not isinstance(dialect, Ocpp16):
            payload = {"evseId": 1, "connectorId": 1, "connectorStatus": told}
        await dialect.serve(desk, "StatusNotification", payload)
    assert desk.evses[1].state(datetime(2026, 1, 5, 12, tzinfo=UTC)).plugged is plugged


def test_local_list_versions() -> None:
    assert Ocpp16().list_version({"listVersion": -1}) is None
    assert Ocpp16().list_version({"listVersion": 0}) == 0
    assert Ocpp201().list_version({"versionNumber": 3}) == 3


def test_certificates_are_read_from_either_shape() -> None:
    entry = {"hashAlgorithm": "SHA256", "issuerNameHash": "a", "issuerKeyHash": "b"}
    whole = {**entry, "serialNumber": "0c"}
    assert [c.serial_number for c in Ocpp16().certificates({"certificateHashData": [whole]})] == [
        "0c"
    ]
    chains = [{"certificateHashData": whole}, {"certificateHashData": entry}, {}]
    found = Ocpp201().certificates({"certificateHashDataChain": chains})
    assert [c.serial_number for c in found] == ["0c"]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.version.name)
def test_every_fault_has_a_code(dialect: Dialect) -> None:
    codes = {fault: dialect.error_code(fault) for fault in Fault}
    unanswered = [fault for fault, code in codes.items() if code is None]
    assert unanswered == ([] if dialect.version is Version.V201 else [Fault.MESSAGE_TYPE])


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
