"""`gridyard forecast`: the ranking on a measured building, import, export, and today's forecast."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from contracts.clock import SystemClock
from gridyard.cli import app
from site_agent.domain.forecast.averaging import quarter_of
from site_agent.domain.horizon import QUARTER

RUN = CliRunner()
OFFICE = Path(__file__).parents[3] / "captures" / "lbnl_office" / "load.csv.gz"
OF_OFFICE = ("--data", OFFICE, "--zone", "America/Los_Angeles", "--holiday", "09 mon 1")
SITE = """
site_id: depot
data: {data}
time_zone: Asia/Kolkata  # without daylight saving: the past looks the same on every day of the year
contract_limit_w: 50000
max_building_w: 30000
circuit: {{limit_a: 100}}
meter: {{host: 127.0.0.1}}
"""


def run(*words: object) -> Result:
    return RUN.invoke(app, ["forecast", *map(str, words)])


def told(*words: object) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(SITE.format(data=tmp_path / "data"))
    return path


@pytest.fixture
def past(tmp_path: Path) -> Path:
    """Thirty days up to now: 12 kW from 6:00 to 20:00 UTC, else 3 kW."""
    until = quarter_of(SystemClock().now())
    lines = ["start,load_kw,outdoor_c"]
    for i in range(96 * 30):
        start = until - (96 * 30 - i) * QUARTER
        lines.append(f"{start.isoformat()},{12 if 6 <= start.hour < 20 else 3},15")
    path = tmp_path / "past.csv"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.row("site:E13")
def test_on_a_measured_office_like_days_and_temperature_beat_naive_forecasts() -> None:
    (found,) = told("backtest", *OF_OFFICE, "--days", 6)
    miss = {row["method"]: row["nmae_pct"] for row in found["methods"]}
    assert found["days"] == 6
    assert found["unknown_pct"] == 13.6
    assert miss["similar days"] < 15.0
    assert miss["time of week and temperature, measured"] < miss["similar days"]
    assert miss["similar days"] < 0.7 * miss["seasonal naive, 7 days"]
    for row in found["methods"]:
        assert row["covered_pct"] > 60.0


def test_pv_of_the_next_hours_is_better_from_the_sun() -> None:
    (found,) = told("backtest", "--sky", 1, "--days", 8, "--at", 10, "--hours", 3)
    miss = {row["method"]: row["nmae_pct"] for row in found["methods"]}
    assert found["asked"] == "3 h ahead at 10 h"
    assert miss["clear sky and recent clearness"] == min(miss.values())


def test_a_table_for_people() -> None:
    result = run("backtest", *OF_OFFICE, "--days", 2)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("load, day ahead at midnight: 2 whole days 2013-09-25 .. 2013-09-26")
    assert lines[1].split()[:3] == ["method", "nMAE", "%"]
    assert len(lines) == 7


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "say what to test on"),
        (("--data", OFFICE, "--sky", 1), "say what to test on"),
        (("--data", "nothing.csv"), "nothing.csv: cannot be read"),
        (("--data", OFFICE, "--zone", "Mars/Base"), "--zone or --holiday"),
        (("--data", OFFICE, "--holiday", "someday"), "is no holiday: write"),
    ],
)
def test_what_cannot_be_tested_is_said_in_a_sentence(words: tuple[object, ...], said: str) -> None:
    result = run("backtest", *words)
    assert result.exit_code == 3
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_past_data_goes_in_is_forecast_from_and_comes_out(
    site: Path, past: Path, tmp_path: Path
) -> None:
    load, outdoor = told("import", past, "--site", site)
    assert (load["series"], load["stored"]) == ("load_w", 2880)
    assert (outdoor["series"], outdoor["stored"]) == ("outdoor_c", 2880)
    found = told("show", "--site", site, "--hours", 24)
    assert found["load"]["method"] == "similar days"
    assert found["unusual"] == []
    middle = sorted(hour["p50_w"] for hour in found["load"]["hours"])
    assert (middle[0], middle[-1]) == (3_000, 12_000)
    assert found["pv"]["why"] == "there is no PV here"
    out = tmp_path / "out.csv"
    assert run("export", "--site", site, "--to", out).exit_code == 0
    assert len(out.read_text().splitlines()) == 2881
    again = run("export", "--site", site, "--to", out)
    assert again.exit_code == 3
    assert "cannot be written" in again.stderr
    assert run("import", out, "--site", site).exit_code == 0


def test_the_forecast_is_told_in_local_time_and_kilowatts(site: Path, past: Path) -> None:
    assert run("import", past, "--site", site).exit_code == 0
    result = run("show", "--site", site, "--hours", 3)
    first, _, _, _, hour, *_ = result.stdout.splitlines()
    assert first.startswith("building: similar days: ")
    assert hour.split()[0].endswith("+05:30")
    assert hour.split()[2] in ("3.0", "12.0")


def test_a_site_can_be_tested_on_its_own_history(site: Path, past: Path) -> None:
    assert run("import", past, "--site", site).exit_code == 0
    (found,) = told("backtest", "--site", site, "--days", 2)
    assert found["methods"][0]["nmae_pct"] < 1.0


def test_a_site_without_history_says_what_to_do(site: Path) -> None:
    for command in ("show", "export", "backtest"):
        result = run(command, "--site", site)
        assert result.exit_code == 3
        assert "no history yet: run the agent, or import past data first" in result.stderr


def test_too_little_history_is_no_backtest(site: Path, tmp_path: Path) -> None:
    start = quarter_of(SystemClock().now()) - timedelta(days=5)
    rows = "\n".join(f"{(start + i * QUARTER).isoformat()},1" for i in range(96 * 4))
    few = tmp_path / "few.csv"
    few.write_text(f"start,load_kw\n{rows}\n")
    assert run("import", few, "--site", site).exit_code == 0
    result = run("backtest", "--site", site)
    assert result.exit_code == 3
    assert "too little history" in result.stderr
