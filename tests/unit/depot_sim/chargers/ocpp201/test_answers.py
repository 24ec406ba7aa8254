"""What is triggered, and what is refused in the right words."""

from __future__ import annotations

import pytest

from depot_sim.chargers.json_rpc import CallError
from support.charger_bench import ChargerBench
from support.ocpp201_words import ACCEPTED, REJECTED, variable


@pytest.mark.parametrize(
    "message",
    [
        "BootNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "StatusNotification",
    ],
)
async def test_everything_can_be_triggered(bench: ChargerBench, message: str) -> None:
    assert bench.ask("TriggerMessage", {"requestedMessage": message}) == ACCEPTED
    assert await bench.told(message)


async def test_monitoring_is_refused_in_the_right_words(bench: ChargerBench) -> None:
    monitor = {"value": 1.0, "type": "UpperThreshold", "severity": 3}
    asked = [variable("EVSE", "Power", evse=1) | monitor, variable("What", "Power") | monitor]
    answer = bench.ask("SetVariableMonitoring", {"setMonitoringData": asked})
    statuses = [result["status"] for result in answer["setMonitoringResult"]]
    assert statuses == ["UnsupportedMonitorType", "UnknownComponent"]
    cleared = bench.ask("ClearVariableMonitoring", {"id": [1]})
    assert cleared == {"clearMonitoringResult": [{"status": "NotFound", "id": 1}]}
    assert bench.ask("SetMonitoringBase", {"monitoringBase": "All"}) == ACCEPTED
    assert bench.ask("SetMonitoringLevel", {"severity": 5}) == ACCEPTED
    assert bench.ask("SetMonitoringLevel", {"severity": 10}) == REJECTED
    assert bench.ask("GetMonitoringReport", {"requestId": 1}) == {"status": "EmptyResultSet"}


def test_a_station_without_display_says_so(bench: ChargerBench) -> None:
    with pytest.raises(CallError) as caught:
        bench.dialect.answer("GetDisplayMessages", {"requestId": 1})
    assert caught.value.code == "NotImplemented"
    transfer = {"vendorId": "somebody"}
    assert bench.ask("DataTransfer", transfer) == {"status": "UnknownVendorId"}
