"""A simulated 2.0.1 charger against a bare central system: real WebSocket, real schemas."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from depot_sim.chargers.json_rpc import timestamp
from depot_sim.faults import FaultKind

Json = dict[str, Any]
ACCEPTED = {"status": "Accepted"}
RATED_W = 32 * 3 * 230


def samples(event: Json) -> dict[tuple[str, str | None], float]:
    values = event["meterValue"][0]["sampledValue"]
    return {(s["measurand"], s.get("phase")): s["value"] for s in values}


def near(watts: float) -> Callable[[Json], bool]:
    def matches(event: Json) -> bool:
        if event["triggerReason"] != "MeterValuePeriodic":
            return False
        return samples(event)["Power.Active.Import", None] == pytest.approx(watts, abs=5)

    return matches


def kind(event_type: str) -> Callable[[Json], bool]:
    return lambda event: event["eventType"] == event_type


def profile(purpose: str, limit: float, *, evse: int = 1, **changes: Any) -> Json:
    schedule = {
        "id": 1,
        "chargingRateUnit": changes.pop("unit", "A"),
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    }
    for name in ("duration", "startSchedule"):
        if name in changes:
            schedule[name] = changes.pop(name)
    body = {
        "id": {"TxProfile": 1, "TxDefaultProfile": 2}.get(purpose, 3),
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule],
    }
    return {"evseId": evse, "chargingProfile": body | changes}


async def test_boots_starts_and_meters(ocpp201: Any, build: Any, van: Any, running: Any) -> None:
    charger = build(ocpp201)
    charger.plug(van())
    async with running(charger):
        boot = await ocpp201.until("BootNotification")
        started = await ocpp201.until("TransactionEvent", kind("Started"))
        metered = await ocpp201.until("TransactionEvent", near(RATED_W))
        charger.unplug()
        ended = await ocpp201.until("TransactionEvent", kind("Ended"))
    assert boot["reason"] == "PowerUp"
    assert started["idToken"]["idToken"] == "TAG1"
    assert started["seqNo"] == 0
    assert metered["transactionInfo"]["chargingState"] == "Charging"
    assert samples(metered)["Current.Import", "L3"] == pytest.approx(32, abs=0.1)
    assert ended["triggerReason"] == "EVDeparted"
    numbers = [e["seqNo"] for action, e in ocpp201.heard if action == "TransactionEvent"]
    assert numbers == list(range(len(numbers)))


async def test_lease_expires_into_the_resting_limit(
    ocpp201: Any, build: Any, van: Any, running: Any, clock: Any
) -> None:
    charger = build(ocpp201)
    charger.plug(van())
    async with running(charger):
        started = await ocpp201.until("TransactionEvent", kind("Started"))
        transaction_id = started["transactionInfo"]["transactionId"]
        resting = profile("TxDefaultProfile", 8)
        assert await ocpp201.call("CP-1", "SetChargingProfile", resting) == ACCEPTED
        await ocpp201.until("TransactionEvent", near(8 * 690))
        leased_at = clock.now()
        lease = profile(
            "TxProfile",
            12 * 690,
            unit="W",
            transactionId=transaction_id,
            duration=20,
            startSchedule=timestamp(leased_at),
        )
        assert await ocpp201.call("CP-1", "SetChargingProfile", lease) == ACCEPTED
        await ocpp201.until("TransactionEvent", near(12 * 690))
        mark = len(ocpp201.heard)
        await ocpp201.until("TransactionEvent", near(8 * 690), after=mark)
        assert clock.now() - leased_at >= timedelta(seconds=20)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (profile("TxProfile", 10), "TxNotFound"),
        (profile("TxProfile", 10, transactionId="another"), "TxNotFound"),
        (profile("TxProfile", 10, evse=0), "InvalidProfile"),
        (profile("ChargingStationMaxProfile", 10), "InvalidProfile"),
        (profile("ChargingStationExternalConstraints", 10, evse=0), "InvalidProfile"),
        (profile("TxDefaultProfile", 10, evse=7), "UnknownEvse"),
        (profile("TxDefaultProfile", 10, stackLevel=99), "InvalidStackLevel"),
        (profile("TxDefaultProfile", 10, id=77), "DuplicateProfile"),
    ],
)
async def test_profiles_are_refused_with_a_reason(
    ocpp201: Any, build: Any, van: Any, running: Any, asked: Json, reason: str
) -> None:
    charger = build(ocpp201)
    charger.plug(van())
    async with running(charger):
        await ocpp201.until("TransactionEvent", kind("Started"))
        resting = profile("TxDefaultProfile", 8)
        assert await ocpp201.call("CP-1", "SetChargingProfile", resting) == ACCEPTED
        answer = await ocpp201.call("CP-1", "SetChargingProfile", asked)
    assert answer == {"status": "Rejected", "statusInfo": {"reasonCode": reason}}


async def test_composite_and_clear(ocpp201: Any, build: Any, running: Any) -> None:
    charger = build(ocpp201)
    async with running(charger):
        await ocpp201.until("StatusNotification")
        await ocpp201.call("CP-1", "SetChargingProfile", profile("TxDefaultProfile", 8))
        asked = {"evseId": 1, "duration": 60, "chargingRateUnit": "W"}
        answer = await ocpp201.call("CP-1", "GetCompositeSchedule", asked)
        schedule = answer["schedule"]
        assert schedule["chargingRateUnit"] == "W"
        assert schedule["chargingSchedulePeriod"][0]["limit"] == 5520.0
        criteria = {"chargingProfileCriteria": {"chargingProfilePurpose": "TxDefaultProfile"}}
        assert await ocpp201.call("CP-1", "ClearChargingProfile", criteria) == ACCEPTED
        answer = await ocpp201.call("CP-1", "ClearChargingProfile", criteria)
        assert answer == {"status": "Unknown"}


async def test_variables(ocpp201: Any, build: Any, running: Any) -> None:
    def entry(component: str, variable: str, **more: str) -> Json:
        return {"component": {"name": component}, "variable": {"name": variable}, **more}

    charger = build(ocpp201, "watts-only")
    async with running(charger):
        await ocpp201.until("StatusNotification")
        asked = [
            entry("SmartChargingCtrlr", "RateUnit"),
            entry("SmartChargingCtrlr", "Colour"),
            entry("Toaster", "Colour"),
            entry("SampledDataCtrlr", "TxUpdatedInterval", attributeType="MaxSet"),
        ]
        answer = await ocpp201.call("CP-1", "GetVariables", {"getVariableData": asked})
        results = answer["getVariableResult"]
        assert results[0]["attributeValue"] == "W"
        assert [r["attributeStatus"] for r in results] == [
            "Accepted",
            "UnknownVariable",
            "UnknownComponent",
            "NotSupportedAttributeType",
        ]
        wanted = [
            entry("SampledDataCtrlr", "TxUpdatedInterval", attributeValue="9"),
            entry("SampledDataCtrlr", "TxUpdatedInterval", attributeValue="-1"),
            entry("SmartChargingCtrlr", "RateUnit", attributeValue="A"),
        ]
        answer = await ocpp201.call("CP-1", "SetVariables", {"setVariableData": wanted})
        statuses = [r["attributeStatus"] for r in answer["setVariableResult"]]
        assert statuses == ["Accepted", "Rejected", "Rejected"]
        assert charger.station.settings.meter_interval_s == 9


async def test_remote_start_and_stop(ocpp201: Any, build: Any, van: Any, running: Any) -> None:
    ocpp201.answers["Authorize"] = {"idTokenInfo": {"status": "Unknown"}}
    charger = build(ocpp201)
    charger.plug(van())
    async with running(charger):
        await ocpp201.until("Authorize")
        token = {"idToken": "FLEET", "type": "Central"}
        started = {
            "idToken": token,
            "remoteStartId": 7,
            "evseId": 1,
            "chargingProfile": profile("TxProfile", 10)["chargingProfile"],
        }
        answer = await ocpp201.call("CP-1", "RequestStartTransaction", started)
        assert answer["status"] == "Accepted"
        event = await ocpp201.until("TransactionEvent", kind("Started"))
        assert event["transactionInfo"]["transactionId"] == answer["transactionId"]
        assert event["transactionInfo"]["remoteStartId"] == 7
        await ocpp201.until("TransactionEvent", near(6900))
        wanted = {"transactionId": answer["transactionId"]}
        assert await ocpp201.call("CP-1", "RequestStopTransaction", wanted) == ACCEPTED
        event = await ocpp201.until("TransactionEvent", kind("Ended"))
        assert event["transactionInfo"]["stoppedReason"] == "Remote"
        answer = await ocpp201.call("CP-1", "RequestStopTransaction", wanted)
        assert answer == {"status": "Rejected"}


async def test_reconnect_continues_the_transaction(
    ocpp201: Any, build: Any, van: Any, running: Any
) -> None:
    charger = build(ocpp201)
    charger.plug(van())
    async with running(charger):
        await ocpp201.until("TransactionEvent", near(RATED_W))
        mark = len(ocpp201.heard)
        charger.fail(FaultKind.DROP, 5)
        boot = await ocpp201.until("BootNotification", after=mark)
        assert boot["reason"] == "Unknown"
        event = await ocpp201.until("TransactionEvent", near(RATED_W), after=mark)
        first = await ocpp201.until("TransactionEvent", kind("Started"))
        assert (
            event["transactionInfo"]["transactionId"] == first["transactionInfo"]["transactionId"]
        )


async def test_two_outlets_share_the_stations_maximum(
    ocpp201: Any, build: Any, van: Any, running: Any, clock: Any
) -> None:
    charger = build(ocpp201, evses=2)
    charger.plug(van(), 1)
    charger.plug(van(id="van-2", id_tag="TAG2"), 2)
    async with running(charger):
        await ocpp201.until("TransactionEvent", lambda e: e["evse"]["id"] == 1)
        await ocpp201.until("TransactionEvent", lambda e: e["evse"]["id"] == 2)
        cap = profile("ChargingStationMaxProfile", 20, evse=0)
        assert await ocpp201.call("CP-1", "SetChargingProfile", cap) == ACCEPTED
        await clock.sleep(4)
        assert charger.power_w == pytest.approx(20 * 690, abs=5)


async def test_an_unknown_action_is_not_implemented(ocpp201: Any, build: Any, running: Any) -> None:
    charger = build(ocpp201)
    async with running(charger):
        await ocpp201.until("BootNotification")
        frame = await ocpp201.frame("CP-1", "SetDisplayMessage", {})
    assert frame[0] == 4
    assert frame[2] == "NotImplemented"
