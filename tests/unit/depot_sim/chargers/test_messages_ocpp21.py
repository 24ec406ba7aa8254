"""What only 2.1 has: vehicles that give back, setpoints, profiles that change."""

from __future__ import annotations

from typing import Any

import pytest

from depot_sim.chargers.events import Status
from depot_sim.chargers.json_rpc import CallError
from depot_sim.physics.evse import Evse
from support.charger_bench import ChargerBench

Json = dict[str, Any]
ACCEPTED = {"status": "Accepted"}
V2X = Evse(rated_a=32, bidirectional=True)


@pytest.fixture
def bench() -> ChargerBench:
    return ChargerBench("2.1", evse=V2X)


def profile(ref: str, period: Json, evse: int = 1, **changes: Any) -> Json:
    schedule = {
        "id": 1,
        "chargingRateUnit": changes.pop("unit", "A"),
        "chargingSchedulePeriod": [{"startPeriod": 0, **period}],
    }
    body = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "transactionId": ref,
        "chargingSchedule": [schedule],
    }
    return {"evseId": evse, "chargingProfile": body | changes}


def setpoint(value: float, **more: float) -> Json:
    return {"operationMode": "CentralSetpoint", "setpoint": value, **more}


async def test_bidirectional_evses_say_so(bench: ChargerBench) -> None:
    component: Json = {"name": "V2XChargingCtrlr"}
    asked = [
        {"component": component | more, "variable": {"name": name}}
        for more in ({}, {"evse": {"id": 1}}, {"evse": {"id": 2}})
        for name in ("Enabled", "SupportedOperationModes")
    ]
    answer = bench.ask("GetVariables", {"getVariableData": asked})
    values = [result["attributeValue"] for result in answer["getVariableResult"]]
    assert values[:2] == values[2:4] == ["true", "ChargingOnly,CentralSetpoint,Idle"]
    assert values[4:] == ["false", "ChargingOnly,Idle"]


def test_what_flows_back_is_metered(bench: ChargerBench) -> None:
    names = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedMeasurands"}}
    (read,) = bench.ask("GetVariables", {"getVariableData": [names]})["getVariableResult"]
    assert "Energy.Active.Export.Register" in read["attributeValue"].split(",")


async def test_a_vehicle_tells_what_it_can_give(bench: ChargerBench) -> None:
    await bench.charging(max_discharge_w=10_000)
    (told,) = [payload for name, payload in bench.heard if name == "NotifyEVChargingNeeds"]
    needs = told["chargingNeeds"]
    assert needs["requestedEnergyTransfer"] == "AC_BPT"
    assert needs["v2xChargingParameters"]["maxDischargePower"] == 10_000
    assert needs["v2xChargingParameters"]["evMinV2XEnergyRequest"] == pytest.approx(-12_000)


@pytest.mark.parametrize(
    ("period", "unit", "power_w"),
    [
        (setpoint(-10), "A", -6900),
        (setpoint(-10, limit=0.0, dischargeLimit=-10), "A", -6900),
        (setpoint(-20, dischargeLimit=-10), "A", -6900),
        (setpoint(-10, setpoint_L2=-10, setpoint_L3=-10), "A", -6900),
        (setpoint(-6900), "W", -6900),
        (setpoint(-2300, setpoint_L2=-2300, setpoint_L3=-2300), "W", -6900),
        (setpoint(10), "A", 6900),
        (setpoint(20, limit=10), "A", 6900),
        ({"limit": 10}, "A", 6900),
        ({}, "A", 22_080),
        ({"operationMode": "Idle"}, "A", 0),
    ],
)
async def test_setpoints_are_followed(
    bench: ChargerBench, period: Json, unit: str, power_w: float
) -> None:
    ref = await bench.charging(max_discharge_w=10_000)
    assert bench.ask("SetChargingProfile", profile(ref, period, unit=unit)) == ACCEPTED
    bench.pass_time(15)
    assert bench.station.outlets[1].evse.power_w == pytest.approx(power_w, abs=10)
    events = await bench.told("TransactionEvent")
    values = {s["measurand"]: s["value"] for s in events[-1]["meterValue"][0]["sampledValue"]}
    assert values["Power.Active.Import"] == pytest.approx(max(0, power_w), abs=10)
    assert values.get("Power.Active.Export", 0) == pytest.approx(max(0, -power_w), abs=10)
    get = {"requestId": 1, "chargingProfile": {}}
    assert bench.ask("GetChargingProfiles", get) == ACCEPTED
    assert await bench.told("ReportChargingProfiles")


async def test_discharging_shows_in_the_composite_schedule(bench: ChargerBench) -> None:
    ref = await bench.charging(max_discharge_w=10_000)
    bench.ask("SetChargingProfile", profile(ref, setpoint(-10.05)))
    answer = bench.ask("GetCompositeSchedule", {"evseId": 1, "duration": 600})
    (period,) = answer["schedule"]["chargingSchedulePeriod"]
    assert (period["setpoint"], period["operationMode"]) == (-10.0, "CentralSetpoint")
    assert bench.station.outlets[1].status is Status.CHARGING


async def test_what_cannot_be_is_refused(bench: ChargerBench) -> None:
    ref = await bench.charging(max_discharge_w=10_000)
    bench.plug("TAG2", evse_id=2)
    await bench.told()
    other = bench.station.outlets[2].transaction
    assert other is not None
    assert other.ref is not None
    for asked, reason in (
        (profile(other.ref, setpoint(-10), evse=2), "InvalidSchedule"),
        (profile(ref, {"operationMode": "LocalFrequency"}), "InvalidOperationMode"),
    ):
        answer = bench.ask("SetChargingProfile", asked)
        assert answer == {"status": "Rejected", "statusInfo": {"reasonCode": reason}}
    with pytest.raises(CallError, match="setpoint"):
        bench.ask("SetChargingProfile", profile(ref, {"operationMode": "CentralSetpoint"}))


async def test_dynamic_profiles_change(bench: ChargerBench) -> None:
    ref = await bench.charging(max_discharge_w=10_000)
    update: Json = {"chargingProfileId": 1, "scheduleUpdate": {"setpoint": -10}}
    assert bench.ask("UpdateDynamicSchedule", update) == {"status": "Rejected"}
    dynamic = profile(ref, setpoint(10), chargingProfileKind="Dynamic")
    assert bench.ask("SetChargingProfile", dynamic) == ACCEPTED
    assert bench.ask("UpdateDynamicSchedule", update) == ACCEPTED
    bench.pass_time(5)
    assert bench.station.outlets[1].evse.power_w == pytest.approx(-6900, abs=10)


async def test_small_talk(bench: ChargerBench) -> None:
    ref = await bench.charging()
    allowed = {"transactionId": ref, "allowedEnergyTransfer": ["AC_three_phase", "AC_BPT"]}
    assert bench.ask("NotifyAllowedEnergyTransfer", allowed) == ACCEPTED
    priority = {"transactionId": ref, "activate": True}
    assert bench.ask("UsePriorityCharging", priority) == {"status": "NoProfile"}
    unknown = priority | {"transactionId": "none"}
    assert bench.ask("UsePriorityCharging", unknown) == {"status": "Rejected"}
    with pytest.raises(CallError) as caught:
        bench.dialect.answer("SetDERControl", {})
    assert caught.value.code == "NotImplemented"
