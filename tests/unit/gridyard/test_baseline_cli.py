"""`gridyard baseline`: methods by name, an event of a file, fairness of a file and of a site."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from contracts.series import StepSeries
from contracts.site_link import points
from contracts.time import Interval
from gateway.domain.measure.presets import PRESETS
from gridyard.cli import app
from support.gateway_web import World
from support.served_gateway import filled, served

RUN = CliRunner()
OFFICE = Path(__file__).parents[2] / "captures" / "lbnl_office" / "load.csv.gz"
OF_OFFICE = ("--csv", OFFICE, "--zone", "America/Los_Angeles", "--holiday", "09 mon 1")
EVENT = "2013-09-23T14:00/2013-09-23T16:00"


def run(*words: object) -> Result:
    return RUN.invoke(app, ["baseline", *map(str, words)])


def told(*words: object) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_every_method_says_where_it_comes_from_and_what_is_to_be_checked() -> None:
    found = told("methods")
    assert [one["method"] for one in found] == list(PRESETS)
    for one in found:
        assert one["method"].endswith("-type")
        assert one["rule"]
        assert one["source"]
        assert one["read"]
        assert one["check"]
    shown = run("methods").stdout
    assert "after   PJM, economic demand response (not certified against it)" in shown


@pytest.mark.row("mv:M2")
def test_one_event_of_a_file_with_its_days_and_intervals() -> None:
    found = told("run", *OF_OFFICE, "--method", "10-in-10-type", "--event", EVENT)
    assert found["delivered_mean_w"] == pytest.approx(1673.3672706904845, rel=1e-9)
    assert len(found["intervals"]) == 8
    assert found["intervals"][0]["start"] == "2013-09-23T21:00:00+00:00"
    assert {"day": "2013-09-12", "used": False, "reason": "no data"} in found["days"]
    assert sum(one["used"] for one in found["days"]) == 10
    assert found["adjustment"]["value"] == pytest.approx(1.0178, abs=1e-4)
    assert len(found["inputs_hash"]) == 64
    shown = run("run", *OF_OFFICE, "-m", "10-in-10-type", "--event", "2013-09-23T14:00/PT2H").stdout
    assert "2013-09-23 14:00     16.644     15.870      0.774" in shown
    assert "  not 2013-09-02: holiday" in shown
    assert shown.endswith("mean delivered: 1.673 kW\n")


def test_another_event_is_named_and_its_day_is_not_used() -> None:
    other = ("--other-event", "2013-09-20T10:00/PT1H")
    found = told("run", *OF_OFFICE, "-m", "10-in-10-type", "--event", EVENT, *other)
    assert found["days"][2] == {
        "day": "2013-09-20",
        "used": False,
        "reason": "day of another event",
    }


def test_a_level_and_a_control_group_are_given_besides() -> None:
    level = told("run", *OF_OFFICE, "-m", "firm-level-type", "--event", EVENT, "--level-kw", 14)
    assert {one["baseline_w"] for one in level["intervals"]} == {14_000.0}
    group = [word for _ in range(3) for word in ("--control", OFFICE)]
    found = told("run", *OF_OFFICE, "-m", "control-group-type", "--event", EVENT, *group)
    assert found["delivered_mean_w"] == pytest.approx(0.0, abs=1e-6)
    assert [one["used"] for one in found["controls"]] == [True] * 3


def test_without_a_baseline_the_reason_is_told_and_the_command_fails() -> None:
    early = run("run", *OF_OFFICE, "-m", "10-in-10-type", "--event", "2013-08-02T14:00/PT2H")
    assert early.exit_code == 1
    assert "1 usable days, at least 3 needed" in early.stderr
    assert "no baseline" in early.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--method", "best", "--event", EVENT), "no baseline method 'best'"),
        (("-m", "10-in-10-type", "--event", "yesterday"), "write START/END"),
        (("-m", "10-in-10-type", "--event", "2013-09-23T14:00/P9D"), "no longer than two days"),
        (("-m", "10-in-10-type", "--event", "2013-09-23T14:00/2013-09-23T13:00"), "must last"),
        (("-m", "firm-level-type", "--event", EVENT), "firm-level-type needs level"),
        (("-m", "10-in-10-type", "--event", EVENT, "--level-kw", "3"), "takes no level"),
        (("-m", "10-in-10-type", "--event", EVENT, "--holiday", "someday"), "is no holiday"),
        (("-m", "10-in-10-type", "--event", EVENT, "--zone", "Mars/Base"), "is no time zone"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(words: tuple[str, ...], said: str) -> None:
    result = run("run", *OF_OFFICE, *words)
    assert result.exit_code == 3, result.output
    assert said in result.stderr


def test_a_file_without_load_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pv.csv"
    path.write_text("start,pv_kw\n2026-01-01T00:00,1\n2026-01-01T00:15,1\n")
    result = run("run", "--csv", path, "-m", "10-in-10-type", "--event", EVENT)
    assert result.exit_code == 3
    assert "no load in it" in result.stderr


def test_fairness_of_a_file() -> None:
    found = {one["method"]: one for one in told("fair", *OF_OFFICE, "--other-event", EVENT)}
    usual, worst = found["10-in-10-type"], found["3-plus-2-type"]
    assert usual["days_judged"] == worst["days_judged"] == 22
    assert usual["bias_pct"] == pytest.approx(-0.9, abs=0.1)
    assert worst["bias_pct"] == pytest.approx(-39.5, abs=0.1)
    assert usual["over_pct"] + usual["under_pct"] == pytest.approx(100.0)
    lines = run("fair", *OF_OFFICE, "-m", "3-plus-2-type", "-m", "10-in-10-type").stdout.split("\n")
    assert lines[1].startswith("10-in-10-type")
    assert lines[2].startswith("3-plus-2-type")


def test_why_no_day_could_be_judged(tmp_path: Path) -> None:
    bare = tmp_path / "load.csv"
    bare.write_text("start,load_kw\n2026-03-02T00:00:00Z,5\n2026-03-02T01:00:00Z,5\n")
    answer = run("fair", "--csv", bare, "-m", "10-in-10-type")
    assert answer.exit_code == 0, answer.output
    assert "no day could be judged: no data; other hours may have data" in answer.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name a site of a running gateway, or a file"),
        (("depot", *OF_OFFICE), "name a site of a running gateway, or a file"),
        ((*OF_OFFICE, "--at", "noon"), "is no time of day"),
    ],
)
def test_fairness_needs_one_place_and_a_time(words: tuple[object, ...], said: str) -> None:
    result = run("fair", *words)
    assert result.exit_code == 3
    assert said in result.stderr


async def measured() -> World:
    """Fifty days of a depot that draws one kilowatt more each hour, and 30 kW more on Fridays."""
    world = await filled()
    begins = datetime(2026, 10, 1, 7, tzinfo=UTC)
    quarters = Interval.lasting(begins, timedelta(days=50)).split(timedelta(minutes=15))
    steps = StepSeries.of(
        (one, 1_000.0 * one.start.hour + 30_000.0 * (one.start.weekday() == 4)) for one in quarters
    )
    await world.telemetry.insert_history("harbor", points.PCC_POWER_W, steps, "synthetic")
    return world


def test_fairness_of_a_site_of_a_running_gateway() -> None:
    with served(measured) as url:
        words = ("fair", "harbor", "--gateway", url, "--at", "06:00", "--hours", 2, "--days", 10)
        found = told(*words, "-m", "meter-before-type", "-m", "10-in-10-unadjusted-type")
        assert {one["days_judged"] for one in found} == {10}
        before, days = found
        assert before["bias_pct"] < 0
        assert before["over_pct"] == 0.0
        assert days["cvrmse_pct"] > 0
        assert "10-in-10-unadjusted-type" in run(*words).stdout
        assert len(told(*words)) > 10
        unknown = run("fair", "nowhere", "--gateway", url)
        assert unknown.exit_code == 1
        assert "There is no site 'nowhere'" in unknown.stderr
        program = run("fair", "harbor", "--gateway", url, "--program", "none")
        assert "There is no program 'none'" in program.stderr


def test_without_a_gateway_that_is_said() -> None:
    result = run("fair", "harbor", "--gateway", "http://127.0.0.1:9")
    assert result.exit_code == 1
    assert "no gateway answers" in result.stderr
