"""Scenarios, sessions and events that people write."""

from pathlib import Path

import pytest
import yaml

from contracts.errors import ConfigError
from gridyard.simulate import scenario, sessions
from gridyard.simulate.setup import Inputs, strategy_named
from support.simulated import case, group, run


def test_what_comes_with_gridyard_is_right() -> None:
    for name in scenario.known():
        assert scenario.read(name).settings.name == name
    reference = scenario.read("reference")
    assert sum(one.count for one in reference.settings.fleet) == 60
    assert len(reference.site.chargers) == 48
    assert len(reference.direct) == 8
    assert reference.site.contract_limit_w == 300_000


def test_an_unknown_scenario_is_answered_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="reference"):
        scenario.read("nowhere")


def test_an_unknown_strategy_is_answered_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="first-come"):
        strategy_named("luck")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"dc": ["p99"]}, "p99"),
        ({"fleet": [group(arrives=["25:00", "18:00"])]}, "HH:MM"),
        ({"fleet": [group(arrival_soc_pct=[50, 20])]}, "ascends"),
        ({"events": [{"at": "19:00", "kind": "charger_offline", "for_min": 5}]}, "evse"),
        ({"pv": [{"id": "roof", "rated_w": 1000, "sky": "sun"}]}, "place"),
    ],
)
def test_faults_are_named(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        case(tmp_path, **changes)  # type: ignore[arg-type]  # any setting


def sessions_file(folder: Path, *rows: str) -> Path:
    path = folder / "sessions.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_sessions_replace_the_fleet(tmp_path: Path) -> None:
    of = case(tmp_path)
    path = sessions_file(
        tmp_path,
        "vehicle_id,arrival,departure,required_kwh,evse_id,max_ac_kw",
        "a,2026-03-03T18:30:00,2026-03-03T22:00:00,12,p02,11",
        "b,2026-03-03T17:30:00+00:00,2026-03-03T23:00:00+01:00,5,,11",
        "early,2026-03-03T12:00:00,2026-03-03T13:00:00,12,p02,11",
    )
    visits = sessions.read(path, of)
    assert [one.visit_id for one in visits] == ["a", "b"]
    assert visits[0].required_wh == pytest.approx(12_000)
    result = run(of, visits=visits)
    assert result.all_ready
    assert {(stay.vehicle_id, stay.evse_id) for stay in result.stays} >= {("a", "p02")}


def test_acn_columns_are_understood(tmp_path: Path) -> None:
    path = sessions_file(
        tmp_path,
        "arrival,departure,requested_energy,station_id,session_id",
        "2026-03-03 18:30:00+01:00,2026-03-03 22:00:00+01:00,9.5,elsewhere,s1",
    )
    (visit,) = sessions.read(path, case(tmp_path))
    assert visit.visit_id == "s1"
    assert visit.evse_id is None


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a,2026-03-03T20:00:00,2026-03-03T19:00:00,12", "after arrival"),
        ("a,yesterday,2026-03-03T19:00:00,12", "sessions.csv:2"),
        ("a,2026-03-03T18:30:00,2026-03-03T19:00:00,lots", "could not convert"),
        ("a,2026-03-03T18:30:00,2026-03-03T19:00:00,", "required_kwh"),
        ("a,2026-03-03T18:30:00,2026-03-03T19:00:00,-4", "not between"),
        ("a,2020-03-03T18:30:00,2020-03-03T19:00:00,4", "no session"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, row: str, says: str) -> None:
    path = sessions_file(tmp_path, "vehicle_id,arrival,departure,required_kwh", row)
    with pytest.raises(ConfigError, match=says):
        sessions.read(path, case(tmp_path))


def test_events_replace_those_of_the_scenario(tmp_path: Path) -> None:
    case(tmp_path)
    events = tmp_path / "events.yaml"
    event = {"at": "19:30", "kind": "import_limit", "for_min": 30, "value_w": 9_000}
    events.write_text(yaml.safe_dump({"events": [event]}))
    inputs = Inputs(scenario=str(tmp_path / "small.yaml"), events=events)
    assert inputs.case().settings.events[0].value_w == 9_000


def test_the_fleet_comes_every_day(tmp_path: Path) -> None:
    case(tmp_path)
    inputs = Inputs(scenario=str(tmp_path / "small.yaml"), days=3)
    of, night = inputs.night(1)
    assert of.settings.hours == 72
    assert len(night.visits) == 9
    assert len({one.visit_id for one in night.visits}) == 9
    days = {one.arrives.date() for one in night.visits}
    assert len(days) == 3
    result = run(of, visits=night.visits)
    assert len(result.left) == 9
    assert result.all_ready
