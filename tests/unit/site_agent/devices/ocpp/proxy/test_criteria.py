"""Which of two profiles the cloud means: 1 is a default at EVSE 1, 2 the station's maximum."""

from __future__ import annotations

import pytest

from site_agent.devices.ocpp.proxy import criteria, reading
from site_agent.devices.ocpp.proxy.profile_book import Kept
from site_agent.devices.ocpp.wire.frames import Json

pytestmark = pytest.mark.row("safety:S7")


def kept(number: int, evse: int, level: int, purpose: str) -> Kept:
    periods = [{"startPeriod": 0, "limit": 10}]
    wire: Json = {
        "id": number,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [{"chargingRateUnit": "A", "chargingSchedulePeriod": periods}],
    }
    return Kept(profile=reading.read(evse, wire, None), wire=wire)


KEPT = (kept(1, 1, 3, "TxDefaultProfile"), kept(2, 0, 0, "ChargingStationMaxProfile"))
BOTH = [1, 2]


def numbers(matches: criteria.Matches) -> list[int]:
    return [one.profile.profile_id for one in KEPT if matches(one)]


@pytest.mark.parametrize(
    ("where", "meant"),
    [
        ({}, BOTH),
        ({"connectorId": 1}, [1]),
        ({"connectorId": 0}, [2]),
        ({"stackLevel": 0}, [2]),
        ({"chargingProfilePurpose": "TxDefaultProfile"}, [1]),
        ({"chargingProfilePurpose": "TxProfile"}, []),
        ({"stackLevel": 3, "connectorId": 0}, []),
    ],
)
def test_cleared_is_what_all_criteria_name(where: Json, meant: list[int]) -> None:
    assert numbers(criteria.to_clear(where, version_16=True)) == meant
    newer = {"evseId" if key == "connectorId" else key: value for key, value in where.items()}
    order: Json = {"chargingProfileCriteria": newer}
    assert numbers(criteria.to_clear(order, version_16=False)) == meant


def test_cleared_is_one_by_its_number() -> None:
    assert numbers(criteria.to_clear({"id": 2}, version_16=True)) == [2]
    assert numbers(criteria.to_clear({"chargingProfileId": 2}, version_16=False)) == [2]


@pytest.mark.parametrize(
    ("order", "meant"),
    [
        ({}, BOTH),
        ({"evseId": 0}, [2]),
        ({"chargingProfile": {"stackLevel": 3}}, [1]),
        ({"chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}}, [1]),
        ({"chargingProfile": {"chargingProfileId": [2, 9]}}, [2]),
        ({"chargingProfile": {"chargingLimitSource": ["CSO", "EMS"]}}, BOTH),
        ({"chargingProfile": {"chargingLimitSource": ["EMS"]}}, []),
    ],
)
def test_reported_is_what_all_criteria_name(order: Json, meant: list[int]) -> None:
    assert numbers(criteria.to_report(order)) == meant
