"""Whatever the schema allows is answered by the schema; nothing a peer sends is a crash."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from depot_sim.physics.evse import Evse
from support.charger_bench import ChargerBench
from support.schema_values import payloads

FOLDERS = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}
WORDS = {"1.6": "", "2.0.1": "Request", "2.1": "Request"}


def bench_of(version: str) -> ChargerBench:
    return ChargerBench(version, evse=Evse(rated_a=32, bidirectional=version == "2.1"))


@pytest.mark.parametrize("version", FOLDERS)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_sequence_of_calls_is_answered(version: str, data: st.DataObject) -> None:
    bench = bench_of(version)
    bench.plug(max_discharge_w=5000)
    asyncio.run(bench.told())
    actions = st.sampled_from(sorted(bench.dialect.actions))
    for action in data.draw(st.lists(actions, min_size=1, max_size=8)):
        payload = data.draw(payloads(FOLDERS[version], action + WORDS[version]), label=action)
        assert bench.answer(action, payload) != "InternalError"
        bench.pass_time(1)
    asyncio.run(bench.told())


@pytest.mark.parametrize("version", FOLDERS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_schedule_is_taken_or_refused(version: str, data: st.DataObject) -> None:
    """Any schedule in a profile that is otherwise acceptable, and what follows from it."""
    bench, place = bench_of(version), "connectorId" if version == "1.6" else "evseId"
    message = "SetChargingProfile" + WORDS[version]
    payload = data.draw(payloads(FOLDERS[version], message))
    profile = payload.get("csChargingProfiles") or payload["chargingProfile"]
    payload[place] = 1
    profile |= {"stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile"}
    schedules = profile["chargingSchedule"]
    for schedule in [schedules] if version == "1.6" else schedules:
        for period in schedule["chargingSchedulePeriod"][:1]:
            period["startPeriod"] = 0
    assert bench.answer("SetChargingProfile", payload) != "InternalError"
    bench.plug()
    for duration_s in (0, 600, 2**31, 2**62):
        asked = {place: 1, "duration": duration_s}
        assert bench.answer("GetCompositeSchedule", asked) != "InternalError"
    bench.pass_time(2)
    asyncio.run(bench.told())


@pytest.mark.parametrize("limit", [float("inf"), float("nan"), 10**400, -(10**400)])
def test_a_limit_that_is_no_current_is_refused(limit: float) -> None:
    bench = bench_of("2.1")
    period = {"startPeriod": 0, "limit": limit}
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [period]}
    profile = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
    }
    asked = {"evseId": 1, "chargingProfile": profile}
    assert bench.answer("SetChargingProfile", asked) is not None
    assert not bench.station.profiles


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59-10:00"]
)
def test_the_ends_of_the_calendar(moment: str) -> None:
    bench = bench_of("2.0.1")
    firmware = {"location": "https://a.invalid/b", "retrieveDateTime": moment}
    update = {"requestId": 1, "firmware": firmware}
    assert bench.answer("UpdateFirmware", update) != "InternalError"
    token = {"idToken": "A", "type": "Central"}
    reservation = {"id": 1, "evseId": 1, "expiryDateTime": moment, "idToken": token}
    assert bench.answer("ReserveNow", reservation) != "InternalError"
