"""Settings of vehicles, drivers, bays and cards: what they mean, and which are refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from contracts.config import loads
from contracts.errors import ConfigError
from site_agent.config import SiteSettings
from site_agent.domain.fleet.access import Offline
from site_agent.domain.fleet.identity import Presented
from support.site import NOON

SITE = """
site_id: depot-1
data: data
contract_limit_w: 100000
max_building_w: 40000
circuit: {limit_a: 250}
meter: {host: 192.0.2.1}
chargers: [{id: b1}, {id: b2}]
"""
STAY = {"in_hours": 8, "required_wh": 10000}


def load(**changes: Any) -> SiteSettings:
    text = yaml.safe_dump(yaml.safe_load(SITE) | changes)
    return loads(text, SiteSettings, name="site.yaml")


def van(name: str = "v", **facts: Any) -> dict[str, Any]:
    return {"vehicle_id": name, **STAY, **facts}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fleet": [van("v", id_tags=["A"]), van("w", id_tags=["a"])]}, "id tag 'a' is used 2"),
        ({"fleet": [van(id_tags=["A", "a"])]}, "id tag 'a' is used 2 times"),
        (
            {"fleet": [van(id_tags=["A"])], "drivers": [{"driver_id": "d", "id_tags": ["A"]}]},
            "id tag 'a' is used 2 times",
        ),
        ({"fleet": [van(id_tags=["A"])], "access": {"blocked": ["a"]}}, "id tag 'a' is used 2"),
        (
            {
                "fleet": [
                    van("v", emaids=["DE8AAC12345678"]),
                    van("w", emaids=["DE-8AA-C12345678-9"]),
                ]
            },
            "contract 'DE8AAC12345678' is used 2 times",
        ),
        (
            {
                "fleet": [
                    van("v", evccids=["02005E100001"]),
                    van("w", evccids=["02:00:5e:10:00:01"]),
                ]
            },
            "EVCCID '02005E100001' is used 2 times",
        ),
        (
            {"fleet": [van("v", vin="WVWZZZ1JZ3W386752"), van("w", vin="wvwzzz1jz3w386752")]},
            "VIN 'WVWZZZ1JZ3W386752' is used 2 times",
        ),
        ({"drivers": [{"driver_id": "d"}, {"driver_id": "d"}]}, "driver 'd' is used 2 times"),
        ({"drivers": [{"driver_id": "d", "vehicle": "x"}]}, "'d' drives 'x', which there is none"),
        ({"bays": {"b1": "x"}}, "bay 'b1' is of 'x', which there is none of"),
        ({"fleet": [van()], "bays": {"b9": "v"}}, "EVSE 'b9' is named, which there is none of"),
        ({"strangers": {"admit_at": ["b9"]}}, "EVSE 'b9' is named, which there is none of"),
        ({"strangers": {"without_card_at": ["b9"]}}, "EVSE 'b9' is named"),
        ({"fleet": [van(id_tags=[{"tag": "A", "evses": ["b9"]}])]}, "EVSE 'b9' is named"),
        ({"fleet": [van(vin="WVWZZZ1JZ3W38675")]}, "fleet.0.vin"),
        ({"fleet": [van(vin="IVWZZZ1JZ3W386752")]}, "fleet.0.vin"),
        ({"fleet": [van(emaids=["nonsense"])]}, "fleet.0.emaids.0"),
        ({"fleet": [van(evccids=["02:00"])]}, "fleet.0.evccids.0"),
        ({"fleet": [van(id_tags=[" A"])]}, "fleet.0.id_tags.0"),
        ({"fleet": [van(id_tags=["x" * 37])]}, "fleet.0.id_tags.0"),
        ({"fleet": [van(id_tags=[1234])]}, "put id tags in quotes"),
        ({"fleet": [van(id_tags=[{"tag": "A", "group": "g" * 21}])]}, "fleet.0.id_tags.0.group"),
        (
            {"fleet": [van(id_tags=[{"tag": "A", "valid_until": "2026-01-06T12:00:00"}])]},
            "should have timezone info",
        ),
        ({"access": {"offline": "maybe"}}, "access.offline"),
    ],
)
def test_what_is_unclear_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=r"site\.yaml") as raised:
        load(**changes)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "offline"),
    [
        ({}, Offline.ANYONE),
        ({"strangers": {"admit": False}}, Offline.LIST),
        ({"strangers": {"admit_at": ["b1"]}}, Offline.LIST),
        ({"access": {"offline": "nobody"}}, Offline.NOBODY),
        ({"strangers": {"admit": False}, "access": {"offline": "anyone"}}, Offline.ANYONE),
    ],
)
def test_offline_follows_the_rule_for_strangers(changes: dict[str, Any], offline: Offline) -> None:
    assert load(**changes).access_rules().offline is offline


def test_a_card_may_have_a_group_of_its_own() -> None:
    cards = ["A", {"tag": "B", "group": "other"}]
    rules = load(fleet=[van(id_tags=cards, group="vans")]).access_rules()
    groups = [rules.verdict(Presented(token=tag), ("b1",), NOON).group for tag in "AB"]
    assert groups == ["vans", "other"]


def test_a_vehicle_needs_no_card() -> None:
    settings = load(fleet=[van(vin="WVWZZZ1JZ3W386752")])
    found = settings.access_rules().identify(Presented(vin="WVWZZZ1JZ3W386752"), "b1")
    assert found.vehicle in settings.vehicles()
