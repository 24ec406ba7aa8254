"""A simulated 2.1 charger against a bare central system: real WebSocket, real schemas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Json = dict[str, Any]
ACCEPTED = {"status": "Accepted"}
RATED_W = 32 * 3 * 230


def power_w(event: Json) -> float:
    """Charging positive, as the meter of a bidirectional EVSE says it in two measurands."""
    values = {s["measurand"]: s["value"] for s in event["meterValue"][0]["sampledValue"]}
    return float(values["Power.Active.Import"]) - float(values.get("Power.Active.Export", 0))


def near(watts: float) -> Callable[[Json], bool]:
    def matches(event: Json) -> bool:
        periodic = event["triggerReason"] == "MeterValuePeriodic"
        return periodic and power_w(event) == pytest.approx(watts, abs=5)

    return matches


def setpoint(ref: str, current_a: float) -> Json:
    schedule = {
        "id": 1,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "operationMode": "CentralSetpoint", "setpoint": current_a}
        ],
    }
    body = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "transactionId": ref,
        "chargingSchedule": [schedule],
    }
    return {"evseId": 1, "chargingProfile": body}


async def started(system: Any) -> str:
    event = await system.until("TransactionEvent", lambda e: e["eventType"] == "Started")
    ref: str = event["transactionInfo"]["transactionId"]
    return ref


async def test_a_vehicle_gives_back_and_charges_again(
    ocpp21: Any, build: Any, van: Any, running: Any
) -> None:
    charger = build(ocpp21, bidirectional=True)
    charger.plug(van(max_discharge_w=10_000))
    async with running(charger):
        ref = await started(ocpp21)
        needs = await ocpp21.until("NotifyEVChargingNeeds")
        assert needs["chargingNeeds"]["v2xChargingParameters"]["maxDischargePower"] == 10_000
        await ocpp21.until("TransactionEvent", near(RATED_W))
        answer = await ocpp21.call("CP-1", "SetChargingProfile", setpoint(ref, -10))
        assert answer == ACCEPTED
        await ocpp21.until("TransactionEvent", near(-6900))
        mark = len(ocpp21.heard)
        cleared = await ocpp21.call("CP-1", "ClearChargingProfile", {"chargingProfileId": 1})
        assert cleared == ACCEPTED
        await ocpp21.until("TransactionEvent", near(RATED_W), after=mark)


async def test_the_inventory_is_told(ocpp21: Any, build: Any, running: Any) -> None:
    charger = build(ocpp21, bidirectional=True)
    async with running(charger):
        await ocpp21.until("StatusNotification")
        asked = {"requestId": 1, "reportBase": "FullInventory"}
        assert await ocpp21.call("CP-1", "GetBaseReport", asked) == ACCEPTED
        await ocpp21.until("NotifyReport", lambda part: not part["tbc"])
    parts = [payload for action, payload in ocpp21.heard if action == "NotifyReport"]
    components = {e["component"]["name"] for part in parts for e in part["reportData"]}
    assert "V2XChargingCtrlr" in components


async def test_a_limit_from_elsewhere_and_a_card(
    ocpp21: Any, build: Any, van: Any, running: Any
) -> None:
    charger = build(ocpp21)
    charger.plug(van())
    async with running(charger):
        await started(ocpp21)
        charger.limit_externally(10.0)
        await ocpp21.until("NotifyChargingLimit")
        await ocpp21.until("TransactionEvent", near(6900))
        charger.limit_externally(None)
        await ocpp21.until("ClearedChargingLimit")
        charger.present("TAG1")
        ended = await ocpp21.until("TransactionEvent", lambda e: e["eventType"] == "Ended")
    assert ended["transactionInfo"]["stoppedReason"] == "Local"


async def test_a_listed_tag_starts_offline_and_is_told_later(
    ocpp21: Any, build: Any, van: Any, running: Any, clock: Any
) -> None:
    charger = build(ocpp21)
    async with running(charger):
        await ocpp21.until("BootNotification")
        entry = {"idToken": {"idToken": "TAG1", "type": "ISO14443"}, "idTokenInfo": ACCEPTED}
        listed = {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": [entry]}
        assert await ocpp21.call("CP-1", "SendLocalList", listed) == ACCEPTED
        offline = {
            "component": {"name": "AuthCtrlr"},
            "variable": {"name": "LocalAuthorizeOffline"},
            "attributeValue": "true",
        }
        await ocpp21.call("CP-1", "SetVariables", {"setVariableData": [offline]})
        charger.station.set_online(clock.now(), online=False)
        charger.plug(van())
        assert charger.station.outlets[1].transaction is not None
        await started(ocpp21)
    assert "Authorize" not in [action for action, _ in ocpp21.heard]
