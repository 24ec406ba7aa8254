"""Recorded sessions: the bars that our sharing must hold, and what is refused as data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import pytest
from typer.testing import CliRunner

from contracts.errors import ConfigError
from gridyard.cli import app
from gridyard.study.days import COLUMNS, Day, read_days
from gridyard.study.optimum import optimum
from gridyard.study.rules import (
    earliest_deadline,
    first_come,
    least_laxity,
    ours,
    ours_with_roster,
    round_robin,
)
from gridyard.study.sessions import SAMPLE, Line, closed
from gridyard.study.sharing import Outcome, Rule, played

HEAD = ",".join(COLUMNS)


@pytest.fixture(scope="module")
def sample() -> Sequence[Day]:
    return read_days(SAMPLE)


def means(outcomes: Sequence[Outcome]) -> tuple[float, float]:
    energy, met = zip(*((one.energy_share, one.met_share) for one in outcomes), strict=True)
    return fmean(energy), fmean(met)


def test_the_sample_is_sixteen_weekdays_with_forty_sessions_and_more(sample: Sequence[Day]) -> None:
    assert len(sample) == 16
    assert all(day.date.weekday() < 5 and len(day.sessions) >= 40 for day in sample)
    assert "CC BY 4.0" in SAMPLE.read_text()


@pytest.mark.parametrize(("cap_a", "energy", "met"), [(300.0, 0.803, 0.750), (250.0, 0.689, 0.629)])
def test_the_yardstick_is_the_known_one(
    sample: Sequence[Day], cap_a: float, energy: float, met: float
) -> None:
    found = means([played(day, cap_a, earliest_deadline(day)) for day in sample])
    assert found == pytest.approx((energy, met), abs=0.002)


@pytest.mark.row("site:E2")
@pytest.mark.parametrize(("cap_a", "energy"), [(300.0, 0.80), (250.0, 0.685)])
def test_ours_beats_the_yardstick_when_not_all_can_be_served(
    sample: Sequence[Day], cap_a: float, energy: float
) -> None:
    some = sample[9:11]
    edf = means([played(day, cap_a, earliest_deadline(day)) for day in some])
    mine = means([played(day, cap_a, ours(day)) for day in some])
    assert mine[1] >= edf[1] + 0.05
    assert mine[0] >= min(edf[0], energy) - 0.005


@pytest.mark.row("site:E2")
def test_ours_serves_all_where_all_can_be_served(sample: Sequence[Day]) -> None:
    energy, met = means([played(day, 450.0, ours(day)) for day in sample[9:12]])
    assert energy >= 0.99
    assert met >= 0.99


@pytest.mark.row("site:E2")
def test_a_roster_closes_half_of_the_distance_to_the_optimum(sample: Sequence[Day]) -> None:
    day = sample[9]
    mine, known = (played(day, 250.0, rule(day)) for rule in (ours, ours_with_roster))
    best = optimum(day, 250.0)
    assert mine.met_share <= known.met_share <= best.met_share
    assert known.met_share - mine.met_share >= (best.met_share - mine.met_share) / 2


@pytest.mark.parametrize("rule", [first_come, earliest_deadline, least_laxity, round_robin, ours])
def test_no_rule_does_better_than_the_optimum(sample: Sequence[Day], rule: object) -> None:
    day = Day(date=sample[0].date, sessions=sample[0].sessions[:12])
    best, found = optimum(day, 60.0), played(day, 60.0, rule(day))  # type: ignore[operator]  # a rule
    assert found.met_share <= best.met_share
    assert best.met_share <= 1.0


def test_a_rule_that_gives_too_much_is_caught(sample: Sequence[Day]) -> None:
    greedy: Rule = lambda step, here, cap_a: {one.session.name: 32.0 for one in here}  # noqa: E731
    with pytest.raises(AssertionError, match="more than there is"):
        played(sample[0], 100.0, greedy)


def test_where_there_is_no_distance_nothing_is_closed() -> None:
    ways = ("ours", "ours with a roster", "optimum")
    lines = [Line(cap_a=9.0, way=way, energy_share=1.0, met_share=1.0) for way in ways]
    assert closed(lines, 9.0) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "first line must be", id="empty"),
        pytest.param("a,b\n1,2", "first line must be", id="other columns"),
        pytest.param(f"{HEAD}\n", "no sessions", id="no lines"),
        pytest.param(f"{HEAD}\n2019-05-01,x,y,1", "session 1 makes no sense", id="no times"),
        pytest.param(
            f"{HEAD}\n2019-05-01,2019-05-01T08:00,2019-05-01T09:00,1",
            "session 1 makes no sense",
            id="no zone",
        ),
        pytest.param(
            f"{HEAD}\n2019-05-01,2019-05-01T08:00Z,2019-05-01T07:00Z,1", "lasts -1.0 h", id="back"
        ),
        pytest.param(
            f"{HEAD}\n2019-05-01,2019-05-01T08:00Z,2019-05-01T09:00Z,nan", "nan Wh", id="nan"
        ),
        pytest.param(
            f"{HEAD}\n2019-05-01,2019-05-01T08:00Z", "session 1 makes no sense", id="short"
        ),
    ],
)
def test_data_that_make_no_sense_are_refused_with_the_line(
    tmp_path: Path, text: str, why: str
) -> None:
    path = tmp_path / "sessions.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=why):
        read_days(path)


class TestCommand:
    def test_it_prints_a_table_and_tells_of_its_progress(self, tmp_path: Path) -> None:
        path = tmp_path / "sessions.csv"
        rows = [
            "2019-05-01,2019-05-01T08:00Z,2019-05-01T10:00Z,9000",
            "2019-05-01,2019-05-01T08:30Z,2019-05-01T10:00Z,8000",
        ]
        path.write_text("\n".join(["# a remark", HEAD, *rows]))
        args = ["study", "sessions", "--data", str(path), "--caps", "64,32"]
        shown = CliRunner().invoke(app, args)
        assert shown.exit_code == 0, shown.output
        assert "14 of 14: 32 A, optimum: energy" in shown.stderr
        assert "optimum" in shown.stdout
        document = json.loads(CliRunner().invoke(app, [*args, "--json"]).stdout)
        assert document["days"] == 1
        assert len(document["lines"]) == 14
        assert {one["met_share"] for one in document["lines"] if one["cap_a"] == 64.0} == {1.0}

    @pytest.mark.parametrize("caps", ["", "x", "5", "nan", "300,,250", ",".join(["300"] * 11)])
    def test_limits_that_make_no_sense_are_refused(self, caps: str) -> None:
        shown = CliRunner().invoke(app, ["study", "sessions", "--caps", caps])
        assert shown.exit_code == 1
        assert "--caps" in shown.stderr

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        gone = str(tmp_path / "gone.csv")
        shown = CliRunner().invoke(app, ["study", "sessions", "--data", gone])
        assert shown.exit_code != 0
        assert "gone.csv" in shown.stderr
