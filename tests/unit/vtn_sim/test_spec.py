from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import vtn_sim
from contracts.config import load, loads
from contracts.errors import ConfigError
from vtn_sim.config import ScenarioEvent, VtnSettings
from vtn_sim.spec import EventSpec

FILES = "cert_file: c\nkey_file: k\nca_file: a\n"


def signal(**content: Any) -> dict[str, Any]:
    return {"intervals": [{"duration_s": 60, "value": 1.0}], **content}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"signals": []}, "at least 1"),
        ({"signals": [signal(name="SIMPLE")]}, "SIMPLE comes with type level"),
        ({"signals": [signal(type="price")]}, "delta or setpoint"),
        (
            {
                "signals": [
                    {
                        "name": "SIMPLE",
                        "type": "level",
                        "intervals": [{"duration_s": 60, "value": 4}],
                    }
                ]
            },
            "0, 1, 2 or 3",
        ),
        ({"signals": [signal()], "duration_s": 61}, "intervals last"),
        ({"signals": [signal(), signal(intervals=[{"duration_s": 1, "value": 1}])]}, "intervals"),
        ({"signals": [signal(intervals=[{"duration_s": 1, "value": float("nan")}])]}, "finite"),
        ({"signals": [signal(intervals=[{"duration_s": -1, "value": 1}])]}, "greater"),
        ({"signals": [signal()], "surprise": 1}, "Extra"),
    ],
)
def test_mistakes_are_named(content: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        EventSpec.model_validate(content)


def test_an_event_lasts_as_long_as_its_signals_unless_told() -> None:
    assert EventSpec.model_validate({"signals": [signal()]}).duration.total_seconds() == 60
    endless = EventSpec.model_validate({"signals": [signal()], "duration_s": 0})
    assert endless.duration.total_seconds() == 0


def test_a_scenario_cannot_announce_the_past() -> None:
    with pytest.raises(ValidationError, match="before it is announced"):
        ScenarioEvent.model_validate(
            {"signals": [signal()], "notice_after_s": 10, "start_after_s": 5}
        )


def test_the_example_scenario_is_valid() -> None:
    path = Path(vtn_sim.__file__).parent / "scenarios" / "first_light.yaml"
    settings = load(path, VtnSettings)
    (event,) = settings.scenario
    assert [i.value for i in event.signals[0].intervals] == [-120.0, -80.0]
    assert event.duration.total_seconds() == 120


def test_a_mistake_in_a_file_is_named_by_line() -> None:
    with pytest.raises(ConfigError, match=r"f.yaml:5: vens.0.name"):
        loads(FILES + "vens:\n  - {ven_id: x, name: ''}\n", VtnSettings, name="f.yaml")
