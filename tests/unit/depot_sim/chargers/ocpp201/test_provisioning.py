"""Variables, reports, network profiles and resets."""

from __future__ import annotations

from typing import Any

import pytest

from depot_sim.chargers.events import EndReason
from support.charger_bench import ChargerBench
from support.ocpp201_words import ACCEPTED, REJECTED, Json, variable


@pytest.mark.parametrize("base", ["FullInventory", "ConfigurationInventory"])
async def test_base_reports_come_in_parts(bench: ChargerBench, base: str) -> None:
    assert bench.ask("GetBaseReport", {"requestId": 4, "reportBase": base}) == ACCEPTED
    told = await bench.told("NotifyReport")
    assert [part["seqNo"] for part in told] == list(range(len(told)))
    assert [part["tbc"] for part in told] == [True] * (len(told) - 1) + [False]
    found = [entry for part in told for entry in part["reportData"]]
    writable = {entry["variableAttribute"][0]["mutability"] for entry in found}
    assert (writable == {"ReadWrite", "WriteOnly"}) == (base == "ConfigurationInventory")
    names = {(e["component"]["name"], e["variable"]["name"]) for e in found}
    assert ("OCPPCommCtrlr", "HeartbeatInterval") in names
    assert not any(
        "value" in entry["variableAttribute"][0]
        for entry in found
        if entry["variable"]["name"] == "BasicAuthPassword"
    )


async def test_reports_of_a_selection(bench: ChargerBench) -> None:
    def report(**changes: Any) -> Json:
        return bench.ask("GetReport", {"requestId": 5, **changes})

    assert report(componentVariable=[{"component": {"name": "EVSE"}}]) == ACCEPTED
    (part,) = await bench.told("NotifyReport")
    assert {e["component"]["evse"]["id"] for e in part["reportData"]} == {1, 2}
    assert report(componentVariable=[variable("EVSE", "Power", evse=2)]) == ACCEPTED
    (part,) = await bench.told("NotifyReport")
    assert len(part["reportData"]) == 1
    assert report(componentCriteria=["Problem"]) == {"status": "EmptyResultSet"}
    off = {"evse": {"id": 1}, "operationalStatus": "Inoperative"}
    assert bench.ask("ChangeAvailability", off) == ACCEPTED
    only_evses = [{"component": {"name": "EVSE"}}]
    report(componentCriteria=["Available"], componentVariable=only_evses)
    (part,) = await bench.told("NotifyReport")
    assert {e["component"]["evse"]["id"] for e in part["reportData"]} == {2}
    summary = {"requestId": 6, "reportBase": "SummaryInventory"}
    assert bench.ask("GetBaseReport", summary) == {"status": "NotSupported"}


async def test_variables_are_read_and_set(bench: ChargerBench) -> None:
    changes = [
        ("OCPPCommCtrlr", "HeartbeatInterval", "60", "Accepted"),
        ("OCPPCommCtrlr", "HeartbeatInterval", "soon", "Rejected"),
        ("AuthCtrlr", "LocalPreAuthorize", "true", "Accepted"),
        ("SmartChargingCtrlr", "RateUnit", "A", "Rejected"),
        ("SmartChargingCtrlr", "Nonsense", "A", "UnknownVariable"),
        ("Nonsense", "RateUnit", "A", "UnknownComponent"),
        ("SecurityCtrlr", "BasicAuthPassword", "0123456789abcdef", "Accepted"),
    ]
    asked = [variable(c, n, attributeValue=value) for c, n, value, _ in changes]
    answer = bench.ask("SetVariables", {"setVariableData": asked})
    assert [r["attributeStatus"] for r in answer["setVariableResult"]] == [c[3] for c in changes]
    wanted = [
        variable("OCPPCommCtrlr", "HeartbeatInterval"),
        variable("OCPPCommCtrlr", "HeartbeatInterval", attributeType="MaxSet"),
        variable("SecurityCtrlr", "BasicAuthPassword"),
        variable("EVSE", "Power", evse=1),
        variable("EVSE", "Power", evse=7),
    ]
    read = bench.ask("GetVariables", {"getVariableData": wanted})["getVariableResult"]
    assert [(r["attributeStatus"], r.get("attributeValue")) for r in read] == [
        ("Accepted", "60"),
        ("NotSupportedAttributeType", None),
        ("Rejected", None),
        ("Accepted", "0.0"),
        ("UnknownComponent", None),
    ]


async def test_network_profiles_are_noted(bench: ChargerBench) -> None:
    data: Json = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://csms.invalid/ocpp",
        "messageTimeout": 30,
        "securityProfile": 2,
        "ocppInterface": "Wired0",
    }
    good: Json = {"configurationSlot": 1, "connectionData": data}
    assert bench.ask("SetNetworkProfile", good) == ACCEPTED
    assert bench.ask("SetNetworkProfile", good | {"configurationSlot": 9}) == REJECTED
    bench.station.settings.security_profile = 3
    assert bench.ask("SetNetworkProfile", good) == REJECTED


async def test_reset_waits_or_not(bench: ChargerBench) -> None:
    await bench.charging()
    assert bench.ask("Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
    bench.pass_time(10)
    assert not bench.resets
    assert bench.ask("Reset", {"type": "Immediate", "evseId": 9}) == REJECTED
    assert bench.ask("Reset", {"type": "Immediate", "evseId": 1}) == ACCEPTED
    ended = [e for e in await bench.told("TransactionEvent") if e["eventType"] == "Ended"]
    assert [e["transactionInfo"]["stoppedReason"] for e in ended] == ["ImmediateReset"]
    bench.pass_time(3)
    assert bench.resets == [EndReason.RESET]
    assert bench.ask("Reset", {"type": "Immediate"}) == ACCEPTED
    assert len(bench.resets) == 2


async def test_a_reset_that_waits_comes_once_or_not_at_all(bench: ChargerBench) -> None:
    ref = await bench.charging()
    for _ in range(3):
        assert bench.ask("Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
    bench.ask("RequestStopTransaction", {"transactionId": ref})
    bench.pass_time(5)
    assert len(bench.resets) == 1
    bench.station.unplug(1, bench.now)
    await bench.charging()
    assert bench.ask("Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
    assert bench.ask("Reset", {"type": "Immediate"}) == ACCEPTED
    bench.station.unplug(1, bench.now)
    bench.pass_time(5)
    assert len(bench.resets) == 2
