"""Sessions in a CSV file, and how good habits are on them."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gridyard.cli import app

RUN = CliRunner()
HEAD = "arrival,departure,energy_kwh,evse,vehicle\n"
FIRST = date(2026, 6, 1)  # a Monday


def told(path: Path, *words: object, zone: str = "Europe/Berlin") -> Any:
    given = ["forecast", "backtest", "--sessions", path, "--zone", zone, "--json", *words]
    result = RUN.invoke(app, [*map(str, given)])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def workdays(count: int) -> list[date]:
    days = (FIRST + timedelta(days=i) for i in range(count))
    return [day for day in days if day.weekday() < 5]


def row(day: date, clock: str, vehicle: str, kwh: float) -> str:
    arrival = datetime.fromisoformat(f"{day}T{clock}")
    return f"{arrival},{arrival + timedelta(hours=9)},{kwh},bay,{vehicle}\n"


@pytest.fixture
def steady(tmp_path: Path) -> Path:
    """Two vans on every workday, one on Mondays alone."""
    rows = [row(day, "18:00", "van-1", 20.0) for day in workdays(60)]
    rows += [row(day, "19:30", "van-2", 40.0) for day in workdays(60)]
    rows += [row(day, "20:00", "van-3", 10.0) for day in workdays(60) if day.weekday() == 0]
    path = tmp_path / "sessions.csv"
    path.write_text(HEAD + "".join(rows))
    return path


@pytest.mark.row("site:E13")
def test_habits_are_judged_by_what_then_came(steady: Path) -> None:
    found = told(steady, "--days", 14)
    assert found["days"] == 14
    assert found["stays"] == 22
    assert found["arrival_median_h"] == found["arrival_p90_h"] == 0.0
    assert found["arrivals_nmae_pct"] < 20.0  # only van-3's days are not told by their kind
    assert found["energy_bias_pct"] == pytest.approx(0.0, abs=2.0)
    assert found["brier"] < 0.1


def test_the_table_compares_with_a_week_before(steady: Path) -> None:
    words = ["forecast", "backtest", "--sessions", str(steady), "--days", "7"]
    result = RUN.invoke(app, words)
    assert "as a week before: 0.0 %" in result.stdout
    assert "nine of ten within 0.0 h" in result.stdout


def test_published_sessions_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "acn.csv"
    lines = [
        f"{day} 08:00:00-07:00,{day} 17:00:00-07:00,9,8.5,AG-1F11,s,{day} 16:00:00-07:00,True\n"
        for day in workdays(45)
    ]
    path.write_text(
        "arrival,departure,requested_energy (kWh),delivered_energy (kWh),station_id,session_id,"
        "estimated_departure,claimed\n" + "".join(lines)
    )
    found = told(path, zone="America/Los_Angeles")
    assert found["arrivals_nmae_pct"] == found["energy_bias_pct"] == 0.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("arrival,departure\n", "columns arrival, departure, energy_kwh and evse are needed"),
        (HEAD + "now,then,1,bay,van\n", "line 2: Invalid isoformat string"),
        (HEAD + "2026-06-01T18:00,2026-06-01T17:00,1,bay,van\n", "departs before it arrives"),
        (HEAD + "2026-06-01T18:00,2026-06-01T19:00,-1,bay,van\n", "-1 kWh is out of any range"),
        (HEAD + "2026-06-01T18:00,2026-06-01T19:00,,bay,van\n", "line 2: could not convert"),
        (HEAD + "2026-06-01T18:00,2026-06-01T19:00,1,bay,van\n", "habits need 30 days"),
        (HEAD, "too few sessions"),
    ],
)
def test_what_makes_no_sense_is_said(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "sessions.csv"
    path.write_text(text)
    result = RUN.invoke(app, ["forecast", "backtest", "--sessions", str(path)])
    assert result.exit_code == 3
    assert words in result.stderr
