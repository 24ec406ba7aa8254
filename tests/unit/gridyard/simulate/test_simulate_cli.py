"""The command line of `gridyard simulate`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from contracts.errors import ConfigError
from gridyard.cli import app
from gridyard.runner import Exit
from gridyard.simulate.cli import span_of
from support.simulated import case

runner = CliRunner()


@pytest.fixture
def small(tmp_path: Path) -> str:
    case(tmp_path)
    return str(tmp_path / "small.yaml")


def test_compares_strategies_and_writes_everything(small: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    files = ["--html", str(out / "page.html"), "--csv", str(out)]
    compared = ["simulate", small, "--compare", "uncontrolled,llf", "--json", *files]
    result = runner.invoke(app, compared)
    assert result.exit_code == 0, result.output
    runs = json.loads(result.stdout)
    assert [run["strategy"] for run in runs] == ["uncontrolled", "llf"]
    assert runs[1]["ready"] == runs[1]["vehicles"] == 3
    assert len(runs[1]["quarters_w"]) == 24
    page = (out / "page.html").read_text()
    assert page.count("<svg") == 4
    assert "http" not in page, "nothing from elsewhere"
    flows = (out / "small-1-llf-flows.csv").read_text().splitlines()
    assert flows[0] == "minute,import_w,building_w,pv_w,storage_w,charging_w"
    assert len(flows) > 300


def test_a_table_for_people_tells_local_time(small: str) -> None:
    result = runner.invoke(app, ["simulate", small])
    assert result.exit_code == 0
    assert "18:00 CET, limit 40 kW" in result.stdout
    assert "3/3" in result.stdout


def test_many_seeds_beside_the_oracle(small: str) -> None:
    result = runner.invoke(app, ["simulate", small, "--seeds", "1-2", "--jobs", "1", "--json"])
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [(row["seed"], row["feasible"], row["all_ready"]) for row in rows] == [
        (1, True, True),
        (2, True, True),
    ]


def test_the_yard_list_alone(small: str) -> None:
    result = runner.invoke(app, ["simulate", small, "--yard"])
    assert result.exit_code == 0
    assert "parking -> p01" in result.stdout
    document = runner.invoke(app, ["simulate", small, "--yard", "--json"]).stdout
    assert len(json.loads(document)["stays"]) == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "no scenario"),
        (["reference", "--strategy", "luck"], "no strategy"),
        (["reference", "--seeds", "9-1"], "ascending"),
        (["reference", "--sessions", "none.csv"], "cannot be read"),
    ],
)
def test_mistakes_end_with_a_sentence(arguments: list[str], says: str) -> None:
    result = runner.invoke(app, ["simulate", *arguments])
    assert result.exit_code == Exit.CONFIG
    assert says in result.stderr


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["portfolio", "--yard"], "--yard"),
        (["portfolio", "--months", "2"], "--months"),
        (["season", "--seeds", "1-3"], "--seeds"),
        (["reference", "--months", "2"], "--months"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(arguments: list[str], option: str) -> None:
    result = runner.invoke(app, ["simulate", *arguments])
    assert result.exit_code == 2
    assert f"{option} is of no use to" in result.output


def test_spans() -> None:
    assert list(span_of("3-5")) == [3, 4, 5]
    assert list(span_of("7")) == [7]
    with pytest.raises(ConfigError):
        span_of("1,2")
