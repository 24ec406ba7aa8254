"""Maps: those that come with the agent, and those that are refused with a clear word."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from contracts.errors import ConfigError
from site_agent.devices.mqtt.library import load_map, own_maps

METER = """\
map: 1
id: test.meter
nature: meter
names: [portal]
points:
  active_power: {topic: "N/{portal}/grid/power", pointer: /value, unit: kW, required: true}
"""
CONTROL = """\
lapse: commanded
controls:
  power:
    topics: [cmd]
    payload: {v: $value, id: $id, valid: $valid_for_s}
    confirm: {by: answer, topic: ack, id: /id, accepted: /ok}
"""


def test_a_map() -> None:
    topic_map = load_map(yaml.safe_load(METER))
    assert topic_map.read_topics() == ["N/{portal}/grid/power"]
    assert topic_map.written_topics() == []
    assert load_map(yaml.safe_load(METER + CONTROL)).lapse == "commanded"


def test_a_map_within_the_settings() -> None:
    """Its numbers are numbers already, however small; a date is as much a mistake as in a file."""
    small = METER.replace("unit: kW", "scale: 0.00001")
    assert load_map(yaml.safe_load(small)).points["active_power"].scale == 1e-5
    with pytest.raises(ConfigError, match="neither text nor number"):
        load_map(yaml.safe_load(METER + "about: 2026-01-05"))


@pytest.mark.parametrize("name", own_maps())
def test_maps_that_come_with_the_agent(name: str) -> None:
    topic_map = load_map(name)
    assert topic_map.id == name
    assert topic_map.about
    assert topic_map.source or name.startswith("gridyard."), "a foreign map cites what it is from"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param("map: 1|map: 2", "map", id="version"),
        pytest.param("nature: meter|nature: toaster", "nature", id="nature"),
        pytest.param("nature: meter|nature: meter\nextra: 1", "extra", id="unknown key"),
        pytest.param("active_power|activ_power", "no 'activ_power'", id="unknown point"),
        pytest.param("unit: kW|unit: kWh", "kWh", id="a unit of something else"),
        pytest.param("unit: kW|scale: '2'", "no quotes", id="a number in quotes"),
        pytest.param("unit: kW|scale: -2e6", "no quotes", id="what YAML reads as text"),
        pytest.param("unit: kW|max_age_s: .inf", "neither text nor number", id="infinite"),
        pytest.param("unit: kW|max_age_s: 0", "max_age_s", id="no age"),
        pytest.param("pointer: /value|pointer: value", "pointer", id="no pointer"),
        pytest.param("grid/power|grid/#", "not allowed", id="everything"),
        pytest.param("grid/power|+/+", "too many wildcards", id="two wildcards"),
        pytest.param("grid/power|grid/{instance}", "instance", id="unknown placeholder"),
        pytest.param("required: true|required: false", "required", id="nothing required"),
        pytest.param("names: [portal]|names: *a", "aliases", id="an alias"),
        pytest.param("names: [portal]|names: !!python/object:os.x []", "tags", id="a tag"),
        pytest.param("names: [portal]|names: [portal]\nid: twice", "twice", id="a key twice"),
    ],
)
def test_what_is_refused(tmp_path: Path, change: str, complaint: str) -> None:
    path = tmp_path / "map.yaml"
    before, _, after = change.partition("|")
    assert before in METER
    path.write_text(METER.replace(before, after))
    with pytest.raises(ConfigError, match=complaint) as error:
        load_map(str(path))
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param("lapse: commanded\n|", "lapse", id="lapse not declared"),
        pytest.param("lapse: commanded|lapse: none", "valid_for_s", id="lapse against payload"),
        pytest.param("lapse: commanded|lapse: none", "release", id="nothing ends it"),
        pytest.param(", valid: $valid_for_s|", "commanded", id="payload against lapse"),
        pytest.param("v: $value, |", r"\$value", id="no value"),
        pytest.param("id: $id, |", r"\$id", id="no id to answer"),
        pytest.param("$value|$volume", "volume", id="unknown variable"),
        pytest.param("$value|x$value", "variables", id="a dollar within text"),
        pytest.param("by: answer|by: hope", "confirm", id="no confirmation"),
        pytest.param("topics: [cmd]|topics: [cmd/+]", "wildcards", id="told to many"),
        pytest.param("  power:|  torque:", "torque", id="unknown control"),
    ],
)
def test_controls_that_are_refused(tmp_path: Path, change: str, complaint: str) -> None:
    path = tmp_path / "map.yaml"
    before, _, after = change.partition("|")
    assert before in CONTROL
    path.write_text(METER + CONTROL.replace(before, after))
    with pytest.raises(ConfigError, match=complaint):
        load_map(str(path))


def test_a_state_for_every_topic_told() -> None:
    text = METER + CONTROL.replace(
        "confirm: {by: answer, topic: ack, id: /id, accepted: /ok}",
        "confirm: {by: state, topics: [a, b]}",
    )
    with pytest.raises(ConfigError, match=r"confirm\.topics"):
        load_map(yaml.safe_load(text))


@pytest.mark.parametrize(
    "name", ["nothing", "../maps/gridyard.meter", "/etc/passwd", "no/such.yaml"]
)
def test_there_is_no_such_map(name: str) -> None:
    with pytest.raises(ConfigError):
        load_map(name)


def test_yaml_bombs(tmp_path: Path) -> None:
    path = tmp_path / "bomb.yaml"
    for text in (
        "a: &a [x]\nb: [*a, *a]",
        "[" * 60_000,
        "x: " + "y" * 70_000,
        "\x00",
        "? [a]\n: b",
    ):
        path.write_text(text)
        with pytest.raises(ConfigError):
            load_map(str(path))
