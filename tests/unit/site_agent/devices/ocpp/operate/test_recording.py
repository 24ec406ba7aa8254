"""Saving and loading a trace."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ProtocolError
from site_agent.devices.ocpp.operate.recording import entry, header, load
from site_agent.devices.ocpp.settings import StationConfig, Timing, Version
from site_agent.devices.ocpp.wire.trace import Direction, Frame
from site_agent.domain.device import ChargerSpec
from site_agent.domain.fleet.access import Offline

AT = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
STATION = StationConfig(
    charge_point_id="CP 1/ä",
    evses={2: ChargerSpec(evse_id="e", node="pcc", phases=(2,), max_current_a=16.0)},
    versions=(Version.V201,),
    password="never-saved",
)
HEAD = json.dumps(header(STATION, Timing(), Offline.LIST, "1.2.3", AT))


def test_a_recording_comes_back() -> None:
    frames = (
        Frame(AT, Direction.LINK, "open ocpp2.0.1"),
        Frame(AT, Direction.IN, '[2,"m","Heartbeat",{}]'),
        Frame(AT, Direction.OUT, "no JSON é"),
    )
    found = load([HEAD, *(json.dumps(entry(frame)) for frame in frames)])
    assert found.frames == frames
    assert found.agent == "1.2.3"
    assert found.offline is Offline.LIST
    assert found.station.charge_point_id == STATION.charge_point_id
    assert found.station.evses[2].phases == (2,)
    assert found.station.evses[2].max_current_a == 16.0
    assert found.timing.heartbeat_s == Timing().heartbeat_s
    assert "never-saved" not in HEAD


def test_a_password_is_not_saved() -> None:
    change = '[2,"m","ChangeConfiguration",{"key":"AuthorizationKey","value":"never-saved"}]'
    assert "never-saved" not in json.dumps(entry(Frame(AT, Direction.OUT, change)))


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "no trace saved"),
        (["{}"], "no trace saved"),
        (["no JSON"], "line 1: not JSON"),
        (["[]"], "line 1: no JSON object"),
        ([HEAD, "{}"], "line 2: at is missing"),
        (
            [HEAD, json.dumps({"at": "noon", "direction": "in", "text": ""})],
            "line 2: at is no time",
        ),
        ([HEAD, json.dumps({"at": AT.isoformat(), "direction": "up", "text": ""})], "line 2"),
        (
            [HEAD, json.dumps({"at": "0001-01-01T00:00+14:00", "direction": "in", "text": ""})],
            "line 2: at is no timestamp",
        ),
        ([HEAD.replace("ocpp2.0.1", "ocpp9")], "line 1"),
        ([HEAD.replace('"list"', '"perhaps"')], "line 1"),
        ([HEAD.replace('"evses": [', '"evses": [], "more": [')], "no evses"),
        ([HEAD, "[" * 100_000], "line 2: not JSON"),
        ([HEAD, "x" * 1_000_000], "line 2: too large"),
    ],
)
def test_what_is_no_recording_is_refused(lines: list[str], why: str) -> None:
    with pytest.raises(ProtocolError, match=why):
        load(lines)


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
    | st.sampled_from(["in", "ocpp1.6", AT.isoformat(), "0001-01-01T00:00:00+14:00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)  # fmt: skip
_FRAMES = st.fixed_dictionaries(dict.fromkeys(("at", "direction", "text"), _ANYTHING))
_HEAD: dict[str, Any] = json.loads(HEAD)


@given(
    head=st.dictionaries(st.sampled_from(list(_HEAD)), _ANYTHING, max_size=2),
    evse=st.dictionaries(st.sampled_from(list(_HEAD["evses"][0])), _ANYTHING, max_size=2),
    lines=st.lists(st.text(max_size=50) | _FRAMES.map(json.dumps), max_size=3),
)
def test_nonsense_is_an_error_not_a_crash(
    head: dict[str, Any], evse: dict[str, Any], lines: list[str]
) -> None:
    first = _HEAD | {"evses": [_HEAD["evses"][0] | evse]} | head
    with contextlib.suppress(ProtocolError):
        load([json.dumps(first), *lines])
