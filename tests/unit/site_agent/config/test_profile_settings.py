"""Settings of devices that a profile describes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from site_agent.config import SiteSettings
from site_agent.config.devices import ProfileChargerSettings
from site_agent.devices.ocpp_stations import stations
from site_agent.devices.writer import written

WHERE = {"kind": "profile", "host": "192.0.2.9"}
METER = {**WHERE, "profile": "abb.b23"}
CHARGER = {**WHERE, "profile": "alfen.ng9xx", "id": "ac"}
BATTERY = {**WHERE, "profile": "sungrow.sh", "id": "rack", "unit": 4}
CELLS = {"capacity_wh": 9, "max_charge_w": 5, "max_discharge_w": 6}


def site(**more: object) -> SiteSettings:
    facts: Mapping[str, object] = {
        "site_id": "depot-1",
        "data": "data",
        "contract_limit_w": 50_000,
        "max_building_w": 10_000,
        "circuit": {"limit_a": 100},
        "meter": METER,
    }
    return SiteSettings.model_validate({**facts, **more})


def test_a_charger_is_of_ocpp_unless_it_says_otherwise() -> None:
    one = site(chargers=[{"id": "c1"}, CHARGER])
    assert [charger.evse_id for charger in one.model().chargers] == ["c1", "ac"]
    assert [charger.id for charger in one.ocpp_chargers] == ["c1"]
    assert [station.charge_point_id for station in stations(one)] == ["c1"]
    assert isinstance(one.chargers[1], ProfileChargerSettings)


def test_a_unit_that_is_not_said_is_the_profiles() -> None:
    (battery,) = site(batteries=[BATTERY | CELLS]).batteries
    meter = site().meter
    assert battery.kind == meter.kind == "profile"
    assert (battery.own_unit, meter.own_unit) == (4, None)


def test_devices_that_are_written_have_one_writer() -> None:
    one = site(chargers=[CHARGER], batteries=[BATTERY | CELLS])
    assert written(one) == {"192.0.2.9:502/1", "192.0.2.9:502/4"}
    victron = {**WHERE, "profile": "victron.multi", "id": "multi"}
    assert written(site(batteries=[victron | CELLS])) == {"192.0.2.9:502/227"}


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"chargers": [{**CHARGER, "versions": ["ocpp1.6"]}]}, "versions"),
        ({"chargers": [{**CHARGER, "fail_safe_current_a": 3}]}, "fail_safe_current_a must be"),
        ({"chargers": [{**CHARGER, "profile": ""}]}, "profile"),
        ({"chargers": [CHARGER, {**CHARGER, "host": "192.0.2.8"}]}, "used 2 times"),
        ({"batteries": [BATTERY | CELLS | {"lease_s": 30}]}, "how long setpoints last"),
        ({"batteries": [BATTERY | CELLS | {"id": "ac"}], "chargers": [CHARGER]}, "used 2 times"),
        ({"sensors": [{**METER, "id": "ac"}], "chargers": [CHARGER]}, "used 2 times"),
        ({"sensors": [{"id": "s", "kind": "sunspec", "host": "192.0.2.9"}]}, "profile"),
    ],
)
def test_mistakes_are_refused(changes: Mapping[str, object], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        site(**changes)
