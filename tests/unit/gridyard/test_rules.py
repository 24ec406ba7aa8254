"""`gridyard rules`: what a site's rules mean, what is wrong with them, which hold when."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gridyard.cli import app

SITE = """
site_id: depot-6
data: data
time_zone: Europe/Berlin
contract_limit_w: 300000
max_building_w: 50000
circuit: {limit_a: 500}
meter: {host: 127.0.0.1}
"""
RULES = """
rules:
  - name: evening peak
    when: {time: "16:00-21:00", days: weekdays}
    then: {vehicles: wait}
  - name: dear
    when: {price_above: 0.3}
    then: {import_below_w: 100000}
"""
TARIFF = "tariff: sce-tou-ev-8-2019\n"
SHADOWED = """
  - name: late
    when: {time: "17:00-18:00", days: [mon]}
    then: {vehicles: charge now}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(SITE + RULES)
    return path


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["rules", *(str(word) for word in words)])
    return result.exit_code, result.output


def test_rules_are_said_back(site: Path) -> None:
    site.write_text(SITE + TARIFF + RULES)
    code, told = run("check", site, "--strict")
    assert code == 0
    assert told.splitlines() == [
        "1. evening peak: between 16:00 and 21:00 on weekdays, vehicles wait as long as they stay "
        "on time",
        "2. dear: while the price is above 0.3 per kWh, the site stays below 100 kW unless "
        "vehicles would be late",
        "2 rules, 0 warnings",
    ]


def test_a_warning_fails_only_a_strict_check(site: Path) -> None:
    site.write_text(SITE + TARIFF + RULES + SHADOWED)
    assert run("check", site)[0] == 0
    code, told = run("check", site, "--strict", "--json")
    assert code == 1
    found = json.loads(told[: told.rindex("}") + 1])
    assert found["warnings"] == [
        {"rule": "late", "words": "never counts: 'evening peak' always decides before it"}
    ]


def test_a_site_without_rules_is_told_the_default_ones(site: Path) -> None:
    site.write_text(SITE)
    _, told = run("check", site)
    assert told.startswith("no rules in these settings")
    assert "5. in between, the battery takes nothing from the grid" in told


@pytest.mark.row("site:E9")
def test_what_holds_at_a_time_is_explained(site: Path) -> None:
    _, told = run("explain", site, "--at", "2026-07-01T17:30", "--json")
    first, second = json.loads(told)["rules"]
    assert (first["state"], first["why"]) == ("holds", "")
    assert (second["state"], second["why"]) == ("cannot be told", "the price is not known")
    _, told = run("explain", site, "--at", "2026-07-01T19:30:00Z", "--price", 0.2)
    assert told.splitlines()[0] == "depot-6 at 2026-07-01T21:30:00+02:00", "the site's own zone"
    assert "1. evening peak: does not hold (it is not the time)" in told
    assert "2. dear: does not hold (the price is too low)" in told


def test_the_price_is_the_tariffs_where_none_is_supposed(site: Path) -> None:
    site.write_text(SITE + RULES + TARIFF)
    _, told = run("explain", site, "--at", "2026-07-01T18:00", "--json")
    assert json.loads(told)["rules"][1]["state"] != "cannot be told"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--at", "noon"], "'noon' is no time such as"),
        (["--mode", "turbo"], "'turbo' is none of island"),
        (["--level", "steep"], "'steep' is none of low"),
    ],
)
def test_a_mistake_is_explained(site: Path, words: list[str], why: str) -> None:
    code, told = run("explain", site, *words)
    assert code == 3
    assert why in told


def test_a_rule_nobody_understands_is_named_by_line(site: Path) -> None:
    site.write_text(SITE + RULES.replace("vehicles: wait", "vehicles: later"))
    code, told = run("check", site)
    assert code == 3
    assert "site.yaml:13: rules.0.then" in told.replace("\n", "")
