"""Odd meter words, odd answers, odd frames and late samples, without a socket."""

from __future__ import annotations

import itertools
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from depot_sim.chargers.distortion import distortion
from depot_sim.chargers.events import Context, Metered, Sample, Status
from depot_sim.chargers.json_rpc import CallError, Json
from depot_sim.chargers.manners import Manners
from depot_sim.chargers.mischief import bad_frames, gaps, offered
from depot_sim.chargers.ocpp16 import wording as words16
from depot_sim.chargers.ocpp201 import wording as words201
from depot_sim.chargers.outbox import Outbox
from depot_sim.chargers.personality import Entry, compose
from support.charger_bench import ChargerBench
from support.published_schema import check_call

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SAMPLE = Sample(
    at=NOON,
    context=Context.PERIODIC,
    power_w=6_900.0,
    register_wh=450.24,
    currents_a=(10.0, 10.0, 10.0),
    voltage_v=230.0,
    soc_pct=41.0,
)
MESSAGES = {
    "1.6": {"connectorId": 1, "meterValue": [words16.meter_value(SAMPLE)]},
    "2.0.1": {"evseId": 1, "meterValue": [words201.meter_value(SAMPLE)]},
}


def spoken(version: str, *traits: Entry) -> list[Json]:
    payload = distortion(compose(traits))(MESSAGES[version])
    values: list[Json] = payload["meterValue"][0]["sampledValue"]
    return values


@pytest.mark.parametrize("version", MESSAGES)
def test_good_words_are_left_alone(version: str) -> None:
    assert distortion(compose([]))(MESSAGES[version]) is MESSAGES[version]


@pytest.mark.parametrize("version", MESSAGES)
def test_energy_only_in_noisy_kwh(version: str) -> None:
    (sample,) = spoken(version, "energy-only-kwh")
    assert sample["measurand"] == "Energy.Active.Import.Register"
    unit = sample["unit"] if version == "1.6" else sample["unitOfMeasure"]["unit"]
    assert unit == "kWh"
    assert len(str(sample["value"])) > 12
    assert float(sample["value"]) == pytest.approx(0.4502, abs=1e-4)


@pytest.mark.parametrize("version", MESSAGES)
def test_dirty_samples_break_the_schema_beside_good_ones(version: str) -> None:
    distort = distortion(compose(["dirty-samples"]))
    check_call(version, "MeterValues", MESSAGES[version])
    dirty = distort(MESSAGES[version])
    with pytest.raises(Exception, match=r"50\.01|vendorQuality|Hz"):
        check_call(version, "MeterValues", dirty)
    good = MESSAGES[version]["meterValue"][0]["sampledValue"]  # type: ignore[index]  # of JSON
    assert dirty["meterValue"][0]["sampledValue"][:-1] == good


def test_only_every_so_many_are_dirty() -> None:
    distort = distortion(compose([{"dirty-samples": {"every": 3}}]))
    sizes = [len(distort(MESSAGES["1.6"])["meterValue"][0]["sampledValue"]) for _ in range(6)]
    assert [size - min(sizes) for size in sizes] == [0, 0, 1, 0, 0, 1]


def manners(*traits: Entry) -> tuple[Manners, list[tuple[str, Json]]]:
    asked: list[tuple[str, Json]] = []

    def answer(action: str, payload: Json) -> Json:
        asked.append((action, payload))
        return {"status": "Accepted", "getVariableResult": [{"attributeValue": "7", "x": 1}]}

    return Manners(answer, compose(traits), lambda: NOON), asked


@pytest.mark.parametrize("action", ["SetChargingProfile", "ClearChargingProfile"])
def test_no_profiles(action: str) -> None:
    polite, asked = manners("no-profiles")
    with pytest.raises(CallError) as refused:
        polite.answer(action, {})
    assert refused.value.code == "NotImplemented"
    polite.answer("RemoteStartTransaction", {"idTag": "a", "chargingProfile": {}})
    assert asked == [("RemoteStartTransaction", {"idTag": "a"})]


def test_no_profiles_and_no_word_of_them_in_the_settings_of_1_6() -> None:
    bench, levels = ChargerBench("1.6", "no-profiles"), "ChargeProfileMaxStackLevel"
    found = bench.ask("GetConfiguration")["configurationKey"]
    values = {entry["key"]: entry.get("value") for entry in found}
    assert levels not in values
    assert "RemoteTrigger" in values["SupportedFeatureProfiles"]
    assert "SmartCharging" not in values["SupportedFeatureProfiles"]
    assert bench.ask("GetConfiguration", {"key": [levels]})["unknownKey"] == [levels]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_no_profiles_and_no_word_of_them_in_the_variables(version: str) -> None:
    asked = {"component": {"name": "SmartChargingCtrlr"}, "variable": {"name": "RateUnit"}}
    for traits, status in ((["no-profiles"], "UnknownComponent"), ([], "Accepted")):
        answer = ChargerBench(version, *traits).ask("GetVariables", {"getVariableData": [asked]})
        assert answer["getVariableResult"][0]["attributeStatus"] == status


@pytest.mark.parametrize(("how", "expected"), [("silent", None), ("idle", {"status": "Accepted"})])
def test_ignores_trigger(how: str, expected: Json | None) -> None:
    polite, asked = manners({"ignores-trigger": how})
    assert polite.answer("TriggerMessage", {"requestedMessage": "BootNotification"}) == expected
    assert not asked


def test_deaf_until_reconnected() -> None:
    polite, _ = manners({"deaf": {"after_calls": 2}})
    polite.connected()
    assert [polite.answer("Reset", {}) is None for _ in range(4)] == [False, False, True, True]
    polite.connected()
    assert all(polite.answer("Reset", {}) is not None for _ in range(4))


@pytest.mark.parametrize("place", [{"connectorId": 1}, {"evseId": 1}])
def test_a_composite_schedule_without_end_or_substance(place: Json) -> None:
    polite, _ = manners("composite-empty")
    answered = polite.answer("GetCompositeSchedule", {**place, "duration": 60})
    assert answered is not None
    schedule = answered.get("chargingSchedule") or answered["schedule"]
    assert answered["status"] == "Accepted"
    assert schedule["duration"] == 8_638_204_776_048
    assert schedule["chargingSchedulePeriod"] == []
    with pytest.raises(OverflowError):
        NOON + timedelta(seconds=schedule["duration"])


@pytest.mark.parametrize(("how", "status"), [("rejected", "Rejected"), ("nothing", "Accepted")])
def test_other_empty_composites(how: str, status: str) -> None:
    polite, _ = manners({"composite-empty": how})
    assert polite.answer("GetCompositeSchedule", {"connectorId": 1}) == {"status": status}


def test_a_station_that_ignores_reads_out_no_values() -> None:
    polite, _ = manners("accepts-and-ignores")
    answered = polite.answer("GetVariables", {})
    assert answered is not None
    assert answered["getVariableResult"] == [{"x": 1}]


def test_bad_frames_are_of_every_kind_and_repeatable() -> None:
    frames = list(itertools.islice(bad_frames(random.Random("a")), 6))
    kinds = []
    for frame in frames:
        try:
            parsed: list[Any] = json.loads(frame)
        except ValueError:
            kinds.append("truncated")
        else:
            kinds.append("short" if len(parsed) == 3 else f"type {parsed[0]}")
    assert sorted(kinds[:3]) == sorted(kinds[3:]) == ["short", "truncated", "type 6"]
    again = list(itertools.islice(bad_frames(random.Random("a")), 6))
    assert [len(frame) for frame in again] == [len(frame) for frame in frames]


def test_offered_subprotocols() -> None:
    assert offered("ocpp1.6", "right") == ["ocpp1.6"]
    assert offered("ocpp1.6", "misspelt") == ["OCPP1.6"]
    assert offered("ocpp1.6", "unknown") == ["soap"]
    assert offered("ocpp1.6", "none") is None


def test_gaps_grow() -> None:
    waits = list(gaps(10))
    assert waits == sorted(waits)
    assert waits[0] == pytest.approx(0.4)
    assert waits[-1] == pytest.approx(6.8)
    assert list(gaps(1)) == [pytest.approx(0.4)]
    assert not list(gaps(0))


def metered(second: int) -> Metered:
    at = NOON + timedelta(seconds=second)
    return Metered(at=at, evse_id=1, transaction=None, status=Status.CHARGING, sample=SAMPLE)


def test_samples_of_an_outage_are_kept_apart_and_come_out_of_order() -> None:
    outbox = Outbox(keeps_samples=True)
    events = [metered(second) for second in range(20)]
    for event in events:
        outbox.put(event)
    outbox.keep_durable()
    assert outbox.waiting == ()
    late = outbox.take_late(random.Random("a"))
    assert sorted(late, key=lambda event: event.at) == events
    assert late[0].at > late[1].at or late[0] is events[1]
    assert outbox.take_late(random.Random("a")) == []


def test_samples_of_an_outage_are_lost_otherwise() -> None:
    outbox = Outbox()
    outbox.put(metered(0))
    outbox.keep_durable()
    assert outbox.take_late(random.Random("a")) == []
