"""Tariff files: ours, acnportal's, those that come with the agent, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.config import loads
from contracts.errors import ConfigError
from site_agent.config.tariff import TariffSettings
from site_agent.config.tariff_files import load_tariff, shipped
from site_agent.domain.horizon import Horizon

PLAIN = """
name: plain
currency: EUR
time_zone: Europe/Berlin
energy: [{name: all, prices: [{at: "00:00", per_kwh: 0.2}]}]
"""
WINTERS = ("Winter-Weekday", "Winter-Weekend")


def acn(**masks: str) -> str:
    """PG&E's A-10 in the shape of acnportal; its winter schedules hold on the days told."""
    season = {"effective_start": "11-01", "effective_end": "4-30", "demand_charge": 11.66}
    summer = {"effective_start": "05-01", "effective_end": "10-31", "demand_charge": 19.99}
    whole = {"times": [0], "tariffs": [0.13]}
    day = {"times": [0, 8.5, 21.5], "tariffs": [0.13, 0.15, 0.13]}
    schedule = [
        {"id": "Summer", "dow_mask": "ALL", **summer, **day},
        {"id": WINTERS[0], "dow_mask": masks.get("weekday", "WEEKDAYS"), **season, **day},
        {"id": WINTERS[1], "dow_mask": masks.get("weekend", "WEEKENDS"), **season, **whole},
    ]
    return json.dumps({"name": "A-10", "effective": "2019", "link": "-", "schedule": schedule})


@pytest.mark.row("site:U8")
@pytest.mark.parametrize("name", [name for name, _ in shipped()])
def test_a_tariff_that_comes_with_the_agent_can_be_read(name: str) -> None:
    of = load_tariff(name).tariff()
    year = Horizon(start=datetime(2026, 1, 1, tzinfo=UTC), count=365 * 96)
    price = of.import_per_kwh(year)
    assert 0.0 < price.min() < price.max() < 1.0
    assert of.demand or name == "sce-tou-ev-8-2019"


def test_acnportals_json_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a10.json"
    file.write_text(acn())
    of = load_tariff(file)
    assert [one.per_kw for one in of.demand] == [19.99, 11.66]
    monday = Horizon(start=datetime(2026, 1, 5, 17, 0, tzinfo=UTC), count=1)
    assert of.tariff().import_per_kwh(monday)[0] == 0.15, "9:00 in California"


def test_acnportals_defect_is_refused_and_named(tmp_path: Path) -> None:
    file = tmp_path / "a10.json"
    file.write_text(acn(weekday="ALL", weekend="ALL"))
    with pytest.raises(ConfigError) as refused:
        load_tariff(file)
    assert "'Winter-Weekday' and 'Winter-Weekend' all hold on Monday 01-01" in str(refused.value)
    assert "set their days or seasons apart" in str(refused.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("currency: euro", "currency"),
        ("time_zone: Mars/Base", "is no time zone"),
        ('holidays: ["13-40"]', "is no holiday"),
        ("demand_interval_min: 7", "demand_interval_min"),
        ("demand: [{name: a, per_kw: -1}]", "per_kw"),
        ("demand: [{name: a, per_kw: 1}, {name: a, per_kw: 2}]", "the same name"),
        ("demand: [{name: a, per_kw: 1, from: 17:00}]", "in quotes"),
        ("export: {per_kwh: 0.1, share_of_import: 0.5}", "only one of them"),
        ('energy: [{name: a, prices: [{at: "01:00", per_kwh: 1}]}]', "first price is at 00:00"),
        (
            'energy: [{name: a, prices: [{at: "00:00", per_kwh: 1}, {at: "00:00", per_kwh: 2}]}]',
            "times of prices ascend",
        ),
        (
            'energy: [{name: a, days: weekdays, prices: [{at: "00:00", per_kwh: 1}]}]',
            "no schedule holds on Saturday",
        ),
        ("surprise: 1", "surprise"),
    ],
)
def test_a_mistake_is_named(more: str, said: str) -> None:
    key = more.split(":", maxsplit=1)[0]
    kept = "\n".join(line for line in PLAIN.splitlines() if not line.startswith(f"{key}:"))
    with pytest.raises(ConfigError, match=said):
        loads(f"{kept}\n{more}", TariffSettings, name="tariff.yaml")


@pytest.mark.parametrize("name", ["nobody-2019", "missing.yaml", "missing.json"])
def test_a_tariff_there_is_none_of_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        load_tariff(name)
