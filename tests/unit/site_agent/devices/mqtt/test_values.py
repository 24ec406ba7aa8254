"""Payloads of unknown goodwill."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ProtocolError
from site_agent.devices.mqtt.values import (
    MAX_BYTES,
    Document,
    bounded_time,
    instant,
    number,
    word,
)

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("payload", "pointer", "value"),
    [
        (b"-12.5", None, -12.5),
        (b" 1e3\n", None, 1000.0),
        (b"7", "", 7.0),
        (b'{"value": 936}', "/value", 936.0),
        (b'{"a": {"b": [1, 2]}}', "/a/b/1", 2.0),
        (b'{"a/b": {"~": 3}}', "/a~1b/~0", 3.0),
        (b'{"value": null}', "/value", None),
    ],
)
def test_a_number(payload: bytes, pointer: str | None, value: float | None) -> None:
    assert number(Document(payload).at(pointer), text=pointer is None) == value


@pytest.mark.row("trap:Q1")
@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b"nan", id="nan"),
        pytest.param(b"inf", id="infinite"),
        pytest.param(b"1_000", id="underscores"),
        pytest.param(b"0x10", id="hexadecimal"),
        pytest.param(b"true", id="a truth"),
        pytest.param(b"1,5", id="a comma"),
        pytest.param(b"9" * 61, id="too many digits"),
        pytest.param(b"1e999", id="beyond all numbers"),
        pytest.param(b"unavailable", id="a word"),
    ],
)
def test_plain_text_that_is_no_number(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        number(Document(payload).at(None), text=True)


@pytest.mark.row("trap:Q1")
@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"v": NaN}', id="nan"),
        pytest.param(b'{"v": Infinity}', id="infinite"),
        pytest.param(b'{"v": 1e999}', id="beyond all numbers"),
        pytest.param(b'{"v": true}', id="a truth"),
        pytest.param(b'{"v": "5"}', id="text"),
        pytest.param(b'{"v": [1]}', id="a list"),
        pytest.param(b'{"v": {}}', id="an object"),
        pytest.param(b'{"w": 1}', id="missing"),
        pytest.param(b"[1]", id="no object"),
        pytest.param(b'{"v": ', id="cut off"),
        pytest.param(b'{"v":' * 5000, id="deep"),
        pytest.param(b"[" * 50_000, id="very deep"),
        pytest.param(b'{"v": ' + b"1" * 5000 + b"}", id="a long number"),
        pytest.param(b" " * (MAX_BYTES + 1), id="too long"),
    ],
)
def test_json_that_has_no_number(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        number(Document(payload).at("/v"))


def test_numbers_in_quotes_only_where_the_map_says_so() -> None:
    said = Document(b'{"v": "5.5"}').at("/v")
    assert number(said, text=True) == 5.5
    with pytest.raises(ProtocolError, match="no number"):
        number(said)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_number_or_refused(payload: bytes) -> None:
    for pointer in (None, "", "/v"):
        try:
            value = number(Document(payload).at(pointer), text=pointer is None)
        except ProtocolError:
            continue
        assert value is None or abs(value) < float("inf")


def test_words() -> None:
    assert [word(said) for said in ("on", True, False, 3)] == ["on", "true", "false", "3"]
    others: list[object] = [None, 1.5, [], {}, "x" * 201]
    for said in others:
        with pytest.raises(ProtocolError, match="no word"):
            word(said)


@pytest.mark.parametrize(
    ("said", "how"),
    [
        ("2026-01-05T12:00:00Z", "rfc3339"),
        ("2026-01-05T13:00:00+01:00", "rfc3339"),
        (NOON.timestamp(), "epoch_s"),
        (str(int(NOON.timestamp())), "epoch_s"),
        (NOON.timestamp() * 1000, "epoch_ms"),
    ],
)
def test_an_instant(said: object, how: str) -> None:
    assert instant(json.loads(json.dumps(said)), how) == NOON  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "how"),
    [
        ("2026-01-05T12:00:00", "rfc3339"),
        ("yesterday", "rfc3339"),
        (5, "rfc3339"),
        (None, "rfc3339"),
        ("x", "epoch_s"),
        (1e300, "epoch_s"),
        (True, "epoch_s"),
        (None, "epoch_s"),
    ],
)
def test_no_instant(said: object, how: str) -> None:
    with pytest.raises(ProtocolError):
        instant(said, how)  # type: ignore[arg-type]


def test_a_clock_a_little_ahead_is_now_and_one_far_ahead_is_refused() -> None:
    ahead = timedelta(seconds=5)
    assert bounded_time(NOON + ahead, NOON, ahead) == NOON
    assert bounded_time(NOON - ahead, NOON, ahead) == NOON - ahead
    with pytest.raises(ProtocolError, match="ahead"):
        bounded_time(NOON + 2 * ahead, NOON, ahead)
