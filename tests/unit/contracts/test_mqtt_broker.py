from pathlib import Path

import pytest

from contracts.errors import ConfigError
from contracts.mqtt_broker import MqttUser, mqtt_config, subjects_of


@pytest.mark.parametrize(
    ("topic_filter", "subjects"),
    [
        ("depot", ("depot",)),
        ("depot/bat-1/power", ("depot.bat-1.power",)),
        ("depot/+/power", ("depot.*.power",)),
        ("depot/#", ("depot", "depot.>")),
        ("+/cmd/#", ("*.cmd", "*.cmd.>")),
        ("#", (">",)),
    ],
)
def test_a_topic_filter_as_subjects(topic_filter: str, subjects: tuple[str, ...]) -> None:
    assert subjects_of(topic_filter) == subjects


@pytest.mark.parametrize(
    "topic_filter",
    ["", "/a", "a//b", "a/", "a.b", "a/b#", "a/#/b", "a+/b", "*", "a/>", "a b", "a\nb"],
)
def test_what_cannot_be_expressed_is_refused(topic_filter: str) -> None:
    with pytest.raises(ConfigError, match="topic filter"):
        subjects_of(topic_filter)


def test_a_direction_without_filters_is_closed() -> None:
    config = mqtt_config(
        store=Path("js"), users=[MqttUser(name="meter", password="p", publish=("m/#",))]
    )
    assert config["authorization"] == {
        "users": [
            {
                "user": "meter",
                "password": "p",
                "permissions": {
                    "publish": {"allow": ["m", "m.>"]},
                    "subscribe": {"deny": [">"]},
                },
            }
        ]
    }


def test_a_broker_without_users_is_refused() -> None:
    with pytest.raises(ConfigError, match="open to everyone"):
        mqtt_config(store=Path("js"), users=[])
