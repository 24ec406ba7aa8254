"""Whatever a device publishes is refused unless it is exactly what was agreed."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError, ProtocolError
from site_agent.devices.mqtt.payloads import (
    MAX_BYTES,
    AckMessage,
    StateMessage,
    read,
    read_status,
    topic,
)

STATE = {"ts": "2026-01-05T12:00:00+00:00", "seq": 7, "power_w": -1500.5, "soc_pct": 61.5}
ACK = {"id": "c1", "ts": "2026-01-05T12:00:00Z", "accepted": False, "reason": "too hot"}


def test_a_state() -> None:
    state = read(StateMessage, json.dumps(STATE | {"setpoint_w": None, "new_field": 1}).encode())
    assert state.ts == datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert (state.seq, state.power_w, state.soc_pct, state.setpoint_w) == (7, -1500.5, 61.5, None)


def test_an_acknowledgement() -> None:
    ack = read(AckMessage, json.dumps(ACK).encode())
    assert (ack.id, ack.accepted, ack.reason) == ("c1", False, "too hot")


@pytest.mark.parametrize(
    "change",
    [
        {"ts": "2026-01-05T12:00:00"},
        {"ts": "yesterday"},
        {"ts": None},
        {"seq": -1},
        {"seq": 1.5},
        {"seq": 1 << 63},
        {"power_w": "1500"},
        {"power_w": True},
        {"power_w": None},
        {"power_w": float("nan")},
        {"power_w": float("inf")},
        {"soc_pct": 100.1},
        {"soc_pct": -0.1},
        {"soc_pct": None},
        {"setpoint_w": "none"},
    ],
)
def test_a_bad_field(change: dict[str, object]) -> None:
    with pytest.raises(ProtocolError, match=next(iter(change))):
        read(StateMessage, json.dumps(STATE | change).encode())


@pytest.mark.parametrize("field", list(STATE))
def test_a_missing_field(field: str) -> None:
    rest = {name: value for name, value in STATE.items() if name != field}
    with pytest.raises(ProtocolError, match=field):
        read(StateMessage, json.dumps(rest).encode())


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe\x00", id="not UTF-8"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[1, 2]", id="a list"),
        pytest.param(b'{"ts": ', id="cut off"),
        pytest.param(b"[" * 4000, id="deep"),
        pytest.param(b"1" * 4000, id="a long number"),
        pytest.param(json.dumps(STATE).encode().ljust(MAX_BYTES + 1), id="too long"),
    ],
)
def test_what_is_no_message(payload: bytes) -> None:
    for model in (StateMessage, AckMessage):
        with pytest.raises(ProtocolError):
            read(model, payload)
    with pytest.raises(ProtocolError):
        read_status(payload)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        read(StateMessage, payload)


def test_status() -> None:
    assert read_status(b"online")
    assert not read_status(b"offline")


@pytest.mark.parametrize("bad", ["a.b", "a/b", "a b", "+", "#", "", "ä", "x" * 65, ">"])
def test_topics_keep_to_what_every_broker_understands(bad: str) -> None:
    assert topic("depot-1", "bess_2") == "depot/depot-1/bess_2"
    for ids in ((bad, "b1"), ("d1", bad)):
        with pytest.raises(ConfigError):
            topic(*ids)
