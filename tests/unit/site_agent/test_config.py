"""Settings: what they mean, and which sites they refuse."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from contracts.config import loads
from contracts.errors import ConfigError
from site_agent import config
from site_agent.config import SiteSettings
from site_agent.devices.ocpp_stations import stations
from site_agent.domain.fleet.agreed import Departure, LeavesAfter, LeavesAt, LeavesDaily
from site_agent.domain.fleet.identity import Presented

SITE = """
site_id: depot-1
data: data
time_zone: Europe/Berlin
contract_limit_w: 100000
max_building_w: 40000
circuit:
  limit_a: 250
  nodes:
    - {id: row, limit_a: 63}
    - {id: board, parent: row, limit_a: 40}
meter: {host: 192.0.2.1}
chargers:
  - {id: c1, node: board}
  - {id: c2, charge_point_id: twin, connector: 1, node: row, max_current_a: 16}
  - {id: c3, charge_point_id: twin, connector: 2, phases: [2]}
batteries:
  - {id: b1, kind: sunspec, host: 192.0.2.2, capacity_wh: 9, max_charge_w: 5, max_discharge_w: 6}
  - {id: b2, kind: mqtt, capacity_wh: 9, max_charge_w: 5, max_discharge_w: 6}
pv:
  - {id: pv1, host: 192.0.2.3, rated_w: 10000}
fleet:
  - {vehicle_id: v1, id_tags: [A, B], departure: "06:30", required_soc_pct: 80, capacity_wh: 60000}
link: {servers: ["tls://gateway.example:4222"], credentials: keys}
"""


def site(**changes: object) -> str:
    return yaml.safe_dump({**yaml.safe_load(SITE), **changes})


def load(text: str) -> SiteSettings:
    return loads(text, SiteSettings, name="site.yaml")


def faults(text: str) -> str:
    with pytest.raises(ConfigError) as raised:
        load(text)
    return str(raised.value)


def test_the_example_is_a_site() -> None:
    example = Path(config.__file__).with_name("example.yaml")
    assert len(load(example.read_text()).chargers) == 6


def test_settings_become_the_model() -> None:
    model = load(SITE).model()
    assert [(n.node_id, n.parent, n.limit_a) for n in model.nodes] == [
        ("pcc", None, 250),
        ("row", "pcc", 63),
        ("board", "row", 40),
    ]
    assert [(c.evse_id, c.node, c.phases, c.max_current_a) for c in model.chargers] == [
        ("c1", "board", (1, 2, 3), 32),
        ("c2", "row", (1, 2, 3), 16),
        ("c3", "pcc", (2,), 32),
    ]
    assert [b.battery_id for b in model.batteries] == ["b1", "b2"]
    assert model.meter_max_age == timedelta(seconds=3)


def test_evses_of_one_charge_point_share_a_station() -> None:
    found = {s.charge_point_id: sorted(s.evses) for s in stations(load(SITE))}
    assert found == {"c1": [1], "twin": [1, 2]}


def test_id_tags_are_case_insensitive() -> None:
    settings = load(SITE)
    assert settings.vehicles()["v1"].target.soc_pct == 80
    for tag in ("A", "a", "b"):
        assert settings.access_rules().identify(Presented(token=tag), "c1").vehicle == "v1"


V = {"vehicle_id": "v", "id_tags": ["A"], "required_wh": 1000}


@pytest.mark.parametrize(
    ("facts", "leaves"),
    [
        ({"departure": "06:30"}, LeavesDaily(at=time(6, 30), zone=ZoneInfo("Europe/Berlin"))),
        (
            {"departure": "22:00", "time_zone": "America/New_York"},
            LeavesDaily(at=time(22, 0), zone=ZoneInfo("America/New_York")),
        ),
        (
            {"departure": "2026-03-01T06:00:00Z"},
            LeavesAt(instant=datetime(2026, 3, 1, 6, tzinfo=UTC)),
        ),
        ({"in_hours": 7.5}, LeavesAfter(stay=timedelta(hours=7.5))),
    ],
)
def test_departures(facts: dict[str, object], leaves: Departure) -> None:
    assert load(site(fleet=[V | facts])).vehicles()["v"].departure == leaves


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "give either departure or in_hours"),
        ({"departure": "06:30", "in_hours": 3}, "give either departure or in_hours"),
        ({"departure": "6.30"}, '"HH:MM" in quotes, or RFC 3339'),
        ({"departure": "2026-03-01T06:00:00"}, "has no offset: whose clock is that?"),
        ({"departure": "06:30", "time_zone": "Mars/Base"}, "no time zone"),
        ({"in_hours": 3, "required_soc_pct": 80}, "either required_soc_pct or required_wh"),
    ],
)
def test_unclear_vehicles_are_refused(facts: dict[str, object], words: str) -> None:
    assert words in faults(site(fleet=[V | facts]))


def test_a_departure_that_yaml_read_as_a_number_is_refused() -> None:
    assert "put clock times in quotes" in faults(SITE.replace('"06:30"', "22:00"))


def test_a_mistake_is_named_by_file_line_and_key() -> None:
    text = SITE.replace("max_current_a: 16", "max_current: 16")
    line = 1 + text.splitlines().index(next(x for x in text.splitlines() if "max_current:" in x))
    assert faults(text).startswith(f"site.yaml:{line}: chargers.1.ocpp.max_current: ")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"site_id": "Depot 1"}, "use 1-40 of a-z, 0-9 and '-'"),
        ({"pv": [{"id": "c1", "host": "h", "rated_w": 1}]}, "device id 'c1' is used 2 times"),
        ({"fleet": [V | {"in_hours": 1, "id_tags": ["A", "a"]}]}, "id tag 'a' is used 2 times"),
        ({"chargers": [{"id": "x", "node": "attic"}]}, "'x' hangs on node 'attic', which there"),
        (
            {"circuit": {"limit_a": 250, "nodes": [{"id": "n", "parent": "n", "limit_a": 9}]}},
            "circuit node 'n' hangs on itself",
        ),
        (
            {"circuit": {"limit_a": 250, "nodes": [{"id": "n", "parent": "m", "limit_a": 9}]}},
            "circuit node 'n' hangs on 'm', which there is none of",
        ),
        (
            {
                "chargers": [
                    {"id": "x", "charge_point_id": "t"},
                    {"id": "y", "charge_point_id": "t", "connector": 2, "tolerant": True},
                ]
            },
            "charge point 't' is described differently by its connectors",
        ),
        ({"chargers": [{"id": "x", "fail_safe_current_a": 3}]}, "must be 0 or from min_current_a"),
        ({"chargers": [{"id": "x", "min_current_a": 40}]}, "between 0 and max_current_a"),
        ({"chargers": [{"id": "x", "phases": [1, 1]}]}, "one to three different ones"),
        ({"ocpp": {"cert": "server.pem"}}, "cert and key belong together"),
        ({"ocpp": {"security_profile": 2}}, "security_profile 2 and 3 need cert and key"),
        (
            {"ocpp": {"security_profile": 3, "cert": "server.pem", "key": "server.key"}},
            "security_profile 3 needs client_ca",
        ),
        ({"ocpp": {"security_profile": 4}}, "security_profile"),
    ],
)
def test_what_does_not_hold_together_is_refused(changes: dict[str, object], words: str) -> None:
    assert words in faults(site(**changes))


class TestWithNoAgentAlive:
    def test_fail_safe_shares_must_fit_their_node(self) -> None:
        row = [{"id": f"c{n}", "node": "row", "fail_safe_current_a": 16} for n in range(4)]
        assert (
            "node 'row' carries 63 A a phase, but fail-safe shares and the largest building load "
            "come to 64.0 A: lower fail_safe_current_a"
        ) in faults(site(chargers=row, batteries=[], pv=[]))

    def test_and_the_contract_beside_the_largest_building(self) -> None:
        many = [{"id": f"c{n}", "fail_safe_current_a": 10} for n in range(9)]
        words = "the contract allows 100000 W, but fail-safe shares and the largest building load"
        assert words in faults(site(chargers=many))

    def test_a_battery_that_might_not_lapse_counts_with_its_charging_power(self) -> None:
        facts = {"id": "b", "kind": "mqtt", "capacity_wh": 1, "max_charge_w": 60000}
        facts |= {"max_discharge_w": 1}
        load(site(batteries=[facts]))
        assert "the contract allows" in faults(site(batteries=[facts | {"lapse": "unknown"}]))

    def test_one_device_must_not_overload_its_node(self) -> None:
        inverter = {"id": "p", "host": "h", "rated_w": 50000, "node": "row"}
        assert "'p' alone can overload node 'row' (63 A a phase)" in faults(site(pv=[inverter]))
