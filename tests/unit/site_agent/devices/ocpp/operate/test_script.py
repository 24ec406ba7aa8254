"""A recording taken apart, and what counts as a difference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from site_agent.devices.ocpp.operate.script import differences, plain, scenes
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.wire.frames import CallRefusedError
from site_agent.devices.ocpp.wire.trace import Direction, Frame

AT = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def told(*lines: str) -> list[Frame]:
    """`<` from the charger, `>` to it, `-` of the connection."""
    ways = {"<": Direction.IN, ">": Direction.OUT, "-": Direction.LINK}
    return [Frame(AT, ways[line[0]], line[1:]) for line in lines]


def test_questions_find_their_answers() -> None:
    (scene,) = scenes(
        told(
            "-open ocpp1.6",
            '<[2,"a","Heartbeat",{}]',
            '>[2,"b","Reset",{"type":"Soft"}]',
            '>[3,"a",{"currentTime":"x"}]',
            '<[4,"b","NotSupported","no",{}]',
            "<nonsense",
            "-closed 1000",
        )
    )
    assert scene.whole
    assert scene.version is Version.V16
    heartbeat, nonsense = scene.lines
    assert heartbeat.answer == {"currentTime": "x"}
    assert nonsense.call is None
    assert (heartbeat.awaits, nonsense.awaits) == (0, 1)
    assert plain(scene.asked[0].answer) == {"CALLERROR": "NotSupported"}


def test_what_is_asked_long_after_is_no_part_of_setting_up() -> None:
    frames = [
        Frame(AT + timedelta(seconds=after_s), Direction.OUT, '[2,"b","GetConfiguration",{}]')
        for after_s in (0, 5, 60)
    ]
    (scene,) = scenes(frames)
    assert [asked.late for asked in scene.asked] == [False, False, True]


def test_each_connection_is_a_scene() -> None:
    found = scenes(
        told(
            '<[2,"a","Heartbeat",{}]',
            "-closed 1006",
            "-open ocpp9",
            "-open ocpp2.0.1",
            '<[2,"a","Heartbeat",{}]',
        )
    )
    assert [(scene.whole, scene.version) for scene in found] == [
        (False, None),
        (True, Version.V201),
    ]


@pytest.mark.parametrize(
    ("then", "now", "where"),
    [
        ({"status": "Accepted"}, {"status": "Accepted"}, []),
        ({"currentTime": "1", "transactionId": 4}, {"currentTime": "2", "transactionId": 5}, []),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, ["/a/b/1: 2 then, 3 now"]),
        ({"a": [1]}, {"a": [1, 2]}, ["/a: [1] then, [1,2] now"]),
        ({"a": 1}, {}, ["/a: 1 then, nothing now"]),
        ({}, {"CALLERROR": "X"}, ['/CALLERROR: nothing then, "X" now']),
    ],
)
def test_differences(then: Any, now: Any, where: list[str]) -> None:
    assert list(differences(then, now)) == where


def test_a_refusal_is_compared_by_its_code() -> None:
    assert plain(CallRefusedError("X", "in other words")) == {"CALLERROR": "X"}
