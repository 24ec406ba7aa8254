"""Limits of others: the lowest counts, in its own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from site_agent.devices.ocpp.evse.ceilings import TOLD, Ceiling, Ceilings
from site_agent.devices.ocpp.versions.v201.outer_limits import ceilings
from site_agent.devices.ocpp.wire.frames import CallFaultError
from site_agent.domain.device import ChargerSpec

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SPEC = ChargerSpec(evse_id="evse-1", node="pcc")


def later(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def steady(limit_a: float) -> list[Ceiling]:
    return [Ceiling(steps=((NOON, limit_a),))]


def test_the_lowest_counts_and_goes_with_its_source() -> None:
    held = Ceilings()
    assert held.at(NOON) is None
    held.put("EMS", steady(10.0))
    held.put("SO", steady(8.0))
    assert held.at(NOON) == 8.0
    held.put("SO", steady(-3.0))
    assert held.at(NOON) == 0.0
    held.drop("SO")
    held.drop("nobody")
    assert held.at(NOON) == 10.0
    assert held.at(later(-1)) is None


def test_sources_have_an_end() -> None:
    held = Ceilings()
    for number in range(100):
        held.put(str(number), steady(float(number)))
    assert len(held.sources) == 16
    assert held.at(NOON) == 84.0


def schedule(**changes: Any) -> dict[str, Any]:
    return {
        "id": 1,
        "chargingRateUnit": "W",
        "startSchedule": "2026-01-05T12:00:00Z",
        "duration": 600,
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 6900},
            {"startPeriod": 300, "limit": 4140},
        ],
        **changes,
    }


def test_a_schedule_is_followed_in_time_and_ends() -> None:
    held = Ceilings()
    held.put("EMS", ceilings({"chargingSchedule": [schedule()]}, SPEC, NOON))
    seen = [held.at(later(s)) for s in (-1, 0, 299, 300, 599, 600)]
    assert seen == [None, 10.0, 10.0, 6.0, 6.0, None]


def test_a_station_limit_is_shared_evenly() -> None:
    [found] = ceilings({"chargingSchedule": [schedule()]}, SPEC, NOON, shared_by=2)
    assert found.at(NOON) == 5.0


@pytest.mark.parametrize(
    "bad",
    [
        {"chargingRateUnit": "kW"},
        {"chargingSchedulePeriod": [{"startPeriod": 0}]},
        {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": "16"}]},
        {"startSchedule": "soon"},
        {"startSchedule": "9999-12-31T23:59:00Z"},
        {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1}] * 2000},
    ],
)
def test_a_limit_that_cannot_be_read_is_told_to_the_charger(bad: dict[str, Any]) -> None:
    with pytest.raises(CallFaultError):
        ceilings({"chargingSchedule": [schedule(**bad)]}, SPEC, NOON)


def test_too_many_schedules() -> None:
    with pytest.raises(CallFaultError):
        ceilings({"chargingSchedule": [schedule()] * 5}, SPEC, NOON)


def test_a_charger_that_tells_of_many_pushes_out_only_its_own() -> None:
    held = Ceilings()
    held.put("cloud CSMS", steady(7.0))
    for number in range(40):
        held.put(f"{TOLD}{number}", steady(20.0))
    assert held.at(NOON) == 7.0
    assert len(held.sources) == 16
    assert f"{TOLD}39" in held.sources
