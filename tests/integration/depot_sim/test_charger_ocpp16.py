"""A simulated 1.6 charger against a bare central system: real WebSocket, real schemas."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from depot_sim.chargers.json_rpc import timestamp
from depot_sim.faults import FaultKind

Json = dict[str, Any]
RATED_W = 32 * 3 * 230


def power_w(meter_values: Json) -> float:
    samples = meter_values["meterValue"][0]["sampledValue"]
    return next(float(s["value"]) for s in samples if s["measurand"] == "Power.Active.Import")


def near(watts: float) -> Callable[[Json], bool]:
    return lambda payload: power_w(payload) == pytest.approx(watts, abs=5)


def profile(clock: Any, purpose: str, limit: float, **changes: Any) -> Json:
    schedule = {
        "chargingRateUnit": changes.pop("unit", "A"),
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
    }
    if "duration" in changes:
        schedule |= {"duration": changes.pop("duration"), "startSchedule": timestamp(clock.now())}
    body = {
        "chargingProfileId": {"TxProfile": 1, "TxDefaultProfile": 2}.get(purpose, 3),
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule,
    }
    connector = 0 if purpose == "ChargePointMaxProfile" else 1
    return {"connectorId": connector, "csChargingProfiles": body | changes}


async def test_boots_starts_and_meters(
    ocpp16: Any, build: Any, van: Any, running: Any, clock: Any
) -> None:
    charger = build(ocpp16, password="secret")
    charger.plug(van())
    async with running(charger):
        boot = await ocpp16.until("BootNotification")
        start = await ocpp16.until("StartTransaction")
        values = await ocpp16.until("MeterValues", near(RATED_W))
    assert boot["chargePointSerialNumber"] == "CP-1"
    assert start["idTag"] == "TAG1"
    assert values["transactionId"] == 4711
    samples = {(s["measurand"], s.get("phase")): s for s in values["meterValue"][0]["sampledValue"]}
    assert float(samples["Current.Import", "L2"]["value"]) == pytest.approx(32, abs=0.1)
    assert float(samples["SoC", None]["value"]) == pytest.approx(40, abs=1)
    token = base64.b64encode(b"CP-1:secret").decode()
    assert ocpp16.headers[0]["authorization"] == f"Basic {token}"
    names = [action for action, _ in ocpp16.heard]
    assert names.index("BootNotification") < names.index("Authorize")
    assert names.index("Authorize") < names.index("StartTransaction")


async def test_nothing_is_said_before_the_boot_is_accepted(
    ocpp16: Any, build: Any, van: Any, running: Any, clock: Any
) -> None:
    now = timestamp(clock.now())
    ocpp16.answers["BootNotification"] = {"status": "Pending", "currentTime": now, "interval": 2}
    charger = build(ocpp16)
    charger.plug(van())
    async with running(charger):
        await ocpp16.until("BootNotification")
        await ocpp16.until("BootNotification", after=1)
        assert {action for action, _ in ocpp16.heard} == {"BootNotification"}
        ocpp16.answers.clear()
        await ocpp16.until("StartTransaction")


async def test_a_central_system_that_talks_nonsense_is_survived(
    ocpp16: Any, build: Any, van: Any, running: Any
) -> None:
    ocpp16.answers["BootNotification"] = {"status": "Splendid"}
    charger = build(ocpp16)
    charger.plug(van())
    async with running(charger):
        await ocpp16.until("BootNotification", after=1)
        ocpp16.answers = {"Authorize": {"idTagInfo": 7}}
        await ocpp16.until("Authorize")
        ocpp16.answers.clear()
        mark = len(ocpp16.heard)
        await ocpp16.hang_up("CP-1")
        await ocpp16.until("StartTransaction", after=mark)


async def test_no_energy_without_authorisation(
    ocpp16: Any, build: Any, van: Any, running: Any, clock: Any
) -> None:
    ocpp16.answers["Authorize"] = {"idTagInfo": {"status": "Invalid"}}
    charger = build(ocpp16)
    charger.plug(van())
    async with running(charger):
        await ocpp16.until("Authorize")
        await clock.sleep(5)
        assert charger.power_w == 0.0
        answer = await ocpp16.call("CP-1", "RemoteStartTransaction", {"idTag": "FLEET"})
        assert answer == {"status": "Accepted"}
        start = await ocpp16.until("StartTransaction")
        assert start["idTag"] == "FLEET"


async def test_lease_expires_into_the_resting_limit(
    ocpp16: Any, build: Any, van: Any, running: Any, clock: Any
) -> None:
    charger = build(ocpp16)
    charger.plug(van())
    async with running(charger):
        await ocpp16.until("MeterValues", near(RATED_W))
        resting = profile(clock, "TxDefaultProfile", 8)
        assert await ocpp16.call("CP-1", "SetChargingProfile", resting) == {"status": "Accepted"}
        await ocpp16.until("MeterValues", near(8 * 690))
        leased_at = clock.now()
        lease = profile(clock, "TxProfile", 12, duration=20, transactionId=4711)
        assert await ocpp16.call("CP-1", "SetChargingProfile", lease) == {"status": "Accepted"}
        await ocpp16.until("MeterValues", near(12 * 690))
        mark = len(ocpp16.heard)
        await ocpp16.until("MeterValues", near(8 * 690), after=mark)
        assert clock.now() - leased_at >= timedelta(seconds=20)
        cap = profile(clock, "ChargePointMaxProfile", 4830, unit="W")
        assert await ocpp16.call("CP-1", "SetChargingProfile", cap) == {"status": "Accepted"}
        await ocpp16.until("MeterValues", near(4830))


async def test_zero_suspends_and_release_resumes(
    ocpp16: Any, build: Any, van: Any, running: Any, clock: Any
) -> None:
    charger = build(ocpp16)
    charger.plug(van())
    async with running(charger):
        await ocpp16.until("MeterValues", near(RATED_W))
        await ocpp16.call("CP-1", "SetChargingProfile", profile(clock, "TxProfile", 0))
        await ocpp16.until("StatusNotification", lambda p: p["status"] == "SuspendedEVSE")
        await ocpp16.until("MeterValues", near(0))
        mark = len(ocpp16.heard)
        cleared = await ocpp16.call("CP-1", "ClearChargingProfile", {"id": 1})
        assert cleared == {"status": "Accepted"}
        await ocpp16.until("MeterValues", near(RATED_W), after=mark)
        again = await ocpp16.call("CP-1", "ClearChargingProfile", {"id": 1})
        assert again == {"status": "Unknown"}


async def test_composite_schedule_shows_the_lapse(
    ocpp16: Any, build: Any, van: Any, running: Any, clock: Any
) -> None:
    charger = build(ocpp16)
    charger.plug(van())
    async with running(charger):
        await ocpp16.until("StartTransaction")
        await ocpp16.call("CP-1", "SetChargingProfile", profile(clock, "TxDefaultProfile", 8))
        lease = profile(clock, "TxProfile", 12, duration=100)
        await ocpp16.call("CP-1", "SetChargingProfile", lease)
        answer = await ocpp16.call(
            "CP-1", "GetCompositeSchedule", {"connectorId": 1, "duration": 600}
        )
        periods = answer["chargingSchedule"]["chargingSchedulePeriod"]
        assert [p["limit"] for p in periods] == [12.0, 8.0]
        assert 90 <= periods[1]["startPeriod"] <= 100


async def test_configuration(ocpp16: Any, build: Any, van: Any, running: Any, clock: Any) -> None:
    charger = build(ocpp16, "amps-only")
    async with running(charger):
        await ocpp16.until("BootNotification")
        units, interval = "ChargingScheduleAllowedChargingRateUnit", "MeterValueSampleInterval"
        answer = await ocpp16.call("CP-1", "GetConfiguration", {"key": [units, interval, "What"]})
        values = {entry["key"]: entry["value"] for entry in answer["configurationKey"]}
        assert values == {units: "Current", interval: "2"}
        assert answer["unknownKey"] == ["What"]
        for key, value, status in (
            (interval, "7", "Accepted"),
            (interval, "soon", "Rejected"),
            (units, "Power", "Rejected"),
            ("What", "7", "NotSupported"),
        ):
            change = {"key": key, "value": value}
            answer = await ocpp16.call("CP-1", "ChangeConfiguration", change)
            assert answer == {"status": status}, key
        assert charger.station.settings.meter_interval_s == 7


async def test_triggered_messages(
    ocpp16: Any, build: Any, van: Any, running: Any, clock: Any
) -> None:
    charger = build(ocpp16)
    async with running(charger):
        await ocpp16.until("StatusNotification")
        for message in ("BootNotification", "Heartbeat", "StatusNotification", "MeterValues"):
            mark = len(ocpp16.heard)
            answer = await ocpp16.call("CP-1", "TriggerMessage", {"requestedMessage": message})
            assert answer == {"status": "Accepted"}
            await ocpp16.until(message, after=mark)
        firmware = {"requestedMessage": "FirmwareStatusNotification"}
        answer = await ocpp16.call("CP-1", "TriggerMessage", firmware)
        assert answer == {"status": "Accepted"}
        assert await ocpp16.until("FirmwareStatusNotification") == {"status": "Idle"}


async def test_reset_stops_boots_and_starts_again(
    ocpp16: Any, build: Any, van: Any, running: Any, clock: Any
) -> None:
    charger = build(ocpp16)
    charger.plug(van())
    async with running(charger):
        await ocpp16.until("StartTransaction")
        mark = len(ocpp16.heard)
        assert await ocpp16.call("CP-1", "Reset", {"type": "Hard"}) == {"status": "Accepted"}
        stop = await ocpp16.until("StopTransaction")
        assert stop["reason"] == "HardReset"
        await ocpp16.until("BootNotification", after=mark)
        await ocpp16.until("StartTransaction", after=mark)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[2, "x", "Nonsense", {}]', "NotImplemented"),
        ('[2, "x", "Reset", {}]', "OccurenceConstraintViolation"),
        ('[2, "x", "Reset", {"type": 7}]', "TypeConstraintViolation"),
        ('[2, "x", "Reset", {"type": "Warm"}]', "PropertyConstraintViolation"),
        ('[2, "x", "Reset", {"type": "Hard", "soon": true}]', "FormationViolation"),
        ('[2, "x", "Reset"]', "ProtocolError"),
    ],
)
async def test_nonsense_is_answered(
    ocpp16: Any, build: Any, van: Any, running: Any, clock: Any, text: str, code: str
) -> None:
    charger = build(ocpp16)
    async with running(charger):
        await ocpp16.until("BootNotification")
        await ocpp16.send_raw("CP-1", "not json at all")
        await ocpp16.send_raw("CP-1", "[" * 5000)
        frame = await ocpp16.raw_answer("CP-1", "x", text)
        assert frame[:3] == [4, "x", code]


async def test_dropped_link_keeps_charging_and_comes_back(
    ocpp16: Any, build: Any, van: Any, running: Any, clock: Any
) -> None:
    charger = build(ocpp16)
    charger.plug(van())
    async with running(charger):
        await ocpp16.until("MeterValues", near(RATED_W))
        await ocpp16.call("CP-1", "SetChargingProfile", profile(clock, "TxDefaultProfile", 8))
        lease = profile(clock, "TxProfile", 16, duration=10)
        await ocpp16.call("CP-1", "SetChargingProfile", lease)
        await ocpp16.until("MeterValues", near(16 * 690))
        mark = len(ocpp16.heard)
        charger.fail(FaultKind.DROP, 16)
        await clock.sleep(13)
        assert not charger.connected
        assert charger.power_w == pytest.approx(8 * 690, abs=5)
        values = await ocpp16.until("MeterValues", after=mark)
        assert values["transactionId"] == 4711
        names = [action for action, _ in ocpp16.heard[mark:]]
        assert "BootNotification" in names
        assert "StartTransaction" not in names


async def test_no_boot_on_reconnect(
    ocpp16: Any, build: Any, van: Any, running: Any, clock: Any
) -> None:
    charger = build(ocpp16, "no-boot-on-reconnect")
    charger.plug(van())
    async with running(charger):
        await ocpp16.until("MeterValues", near(RATED_W))
        mark = len(ocpp16.heard)
        await ocpp16.hang_up("CP-1")
        await ocpp16.until("MeterValues", after=mark + 2)
        assert {action for action, _ in ocpp16.heard[mark:]} == {"MeterValues"}


async def test_killed_loses_its_transaction(
    ocpp16: Any, build: Any, van: Any, running: Any, clock: Any
) -> None:
    charger = build(ocpp16)
    charger.plug(van())
    async with running(charger):
        await ocpp16.until("MeterValues", near(RATED_W))
        mark = len(ocpp16.heard)
        charger.fail(FaultKind.KILL, 10)
        await clock.sleep(2)
        assert charger.power_w == 0.0
        stop = await ocpp16.until("StopTransaction", after=mark)
        assert stop["reason"] == "PowerLoss"
        await ocpp16.until("StartTransaction", after=mark)
        await ocpp16.until("MeterValues", near(RATED_W), after=mark)


async def test_deaf_charger_talks_on(
    ocpp16: Any, build: Any, van: Any, running: Any, clock: Any
) -> None:
    charger = build(ocpp16)
    charger.plug(van())
    async with running(charger):
        await ocpp16.until("StartTransaction")
        charger.fail(FaultKind.UNRESPONSIVE, 12)
        mark = len(ocpp16.heard)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await ocpp16.frame("CP-1", "GetConfiguration", {})
        await ocpp16.until("MeterValues", after=mark)
        await clock.sleep(8)
        assert (await ocpp16.call("CP-1", "GetConfiguration", {}))["configurationKey"]


@pytest.mark.parametrize(
    "case",
    [
        ("good", 10, "A", "Accepted", 6900),
        ("good", 5520, "W", "Accepted", 5520),
        ("accepts-and-ignores", 10, "A", "Accepted", RATED_W),
        ("amps-only", 5520, "W", "Rejected", RATED_W),
        ("watts-only", 10, "A", "Rejected", RATED_W),
        ("rejects-zero", 0, "A", "Rejected", RATED_W),
        ("slow-9s", 10, "A", "Accepted", RATED_W),
    ],
)
async def test_personalities(
    ocpp16: Any, build: Any, van: Any, running: Any, clock: Any, case: tuple[Any, ...]
) -> None:
    personality, limit, unit, status, watts = case
    charger = build(ocpp16, personality)
    charger.plug(van())
    async with running(charger):
        await ocpp16.until("MeterValues", near(RATED_W))
        asked = profile(clock, "TxProfile", limit, unit=unit)
        assert await ocpp16.call("CP-1", "SetChargingProfile", asked) == {"status": status}
        await clock.sleep(5)
        assert charger.power_w == pytest.approx(watts, abs=5)
        if personality == "slow-9s":
            await clock.sleep(7)
            assert charger.power_w == pytest.approx(6900, abs=5)
