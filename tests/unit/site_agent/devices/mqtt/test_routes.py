"""Messages become readings, or nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.errors import ProtocolError
from contracts.reading import Quality
from site_agent.devices.mqtt.library import load_map
from site_agent.devices.mqtt.routes import Reader, Told
from site_agent.devices.mqtt.values import Document

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def reader(point: dict[str, Any], **more: Any) -> Reader:
    """Of a map with the one point `active_power` on the topic `t`, and what else is said."""
    points = {"active_power": {"topic": "t", "required": True} | point} | more.pop("points", {})
    facts = {"map": 1, "id": "test", "nature": "meter", "points": points} | more
    return Reader(load_map(facts), {"site": "d1", "device": "m"})


def read(
    one: Reader, payload: object, *, topic: str = "t", retained: bool = False, at: datetime = NOON
) -> dict[str, Told]:
    route = one.route(topic)
    assert route is not None
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return one.read(route, topic, Document(raw), at, retained=retained)


def power(one: Reader, payload: object, **more: Any) -> float | None:
    return read(one, payload, **more)["active_power"].value


@pytest.mark.parametrize(
    ("point", "payload", "value"),
    [
        ({}, b"1500", 1500.0),
        ({"unit": "kW"}, b"1.5", 1500.0),
        ({"unit": "MW", "invert": True}, b"1", -1e6),
        ({"scale": 0.1}, b"15000", 1500.0),
        ({"scale": 2.0, "offset": 100.0, "unit": "kW"}, b"1", 102_000.0),
        ({"magnitude": True}, b"-7", 7.0),
        ({"pointer": "/value"}, {"value": 936}, 936.0),
        ({"pointer": "/value"}, {"value": None}, None),
        ({"pointer": "/a/1", "text": True}, {"a": ["x", "5"]}, 5.0),
        ({"pointer": "/s", "values": {"on": 1.0, "off": 0.0}}, {"s": "on"}, 1.0),
        ({"pointer": "/s", "values": {"true": 1.0, "false": 0.0}}, {"s": False}, 0.0),
        ({"values": {"open": 0.0}}, b"open", 0.0),
    ],
)
def test_a_value(point: dict[str, Any], payload: object, value: float | None) -> None:
    told = read(reader(point), payload)["active_power"]
    assert told == Told(value=value, at=NOON)


def test_zero_has_no_sign() -> None:
    assert str(power(reader({"invert": True}), b"0")) == "0.0"


@pytest.mark.parametrize(
    ("unit", "said", "celsius"), [("K", 293.15, 20.0), ("degF", 68.0, 20.0), ("degC", 20.0, 20.0)]
)
def test_units_with_another_zero(unit: str, said: float, celsius: float) -> None:
    one = reader({}, points={"temperature": {"topic": "c", "unit": unit}})
    assert read(one, said, topic="c")["temperature"].value == pytest.approx(celsius)


@pytest.mark.row("trap:Q1")
@pytest.mark.parametrize(
    ("point", "payload"),
    [
        ({}, b"1e9"),
        ({"range": [0.0, 10.0]}, b"10.1"),
        ({"pointer": "/v"}, {"w": 1}),
        ({"values": {"on": 1.0}}, b"off"),
        ({"pointer": "/v"}, {"v": True}),
    ],
)
def test_nonsense_is_no_message(point: dict[str, Any], payload: object) -> None:
    with pytest.raises(ProtocolError):
        read(reader(point), payload)


@pytest.mark.row("trap:Q1")
def test_one_odd_value_spoils_the_message() -> None:
    one = reader({"pointer": "/p"}, points={"soc": {"topic": "t", "pointer": "/soc"}})
    assert set(read(one, {"p": 1, "soc": 50})) == {"active_power", "soc"}
    assert set(read(one, {"p": 1})) == {"active_power"}
    with pytest.raises(ProtocolError, match="soc"):
        read(one, {"p": 1, "soc": 101})


@pytest.mark.row("trap:Q1")
def test_an_empty_payload_takes_back_what_was_said() -> None:
    assert read(reader({"pointer": "/value"}), b"")["active_power"] == Told(value=None, at=NOON)


@pytest.mark.row("trap:Q1")
def test_what_a_broker_kept_is_as_old_as_it_says_or_no_news() -> None:
    assert read(reader({}), b"5", retained=True) == {}
    assert power(reader({"retained": "take"}), b"5", retained=True) == 5.0
    timed = reader({"pointer": "/p", "time": {"pointer": "/ts"}})
    old = NOON - timedelta(hours=3)
    told = read(timed, {"p": 5, "ts": old.isoformat()}, retained=True)["active_power"]
    assert told.at == old


@pytest.mark.row("trap:Q1")
def test_a_time_of_its_own() -> None:
    timed = reader({"pointer": "/p"}, time={"pointer": "/t", "format": "epoch_ms"})
    past = NOON - timedelta(seconds=2)
    assert read(timed, {"p": 5, "t": past.timestamp() * 1000})["active_power"].at == past
    soon = (NOON + timedelta(seconds=4)).timestamp() * 1000
    assert read(timed, {"p": 6, "t": soon})["active_power"].at == NOON
    with pytest.raises(ProtocolError, match="ahead"):
        read(timed, {"p": 5, "t": (NOON + timedelta(days=1)).timestamp() * 1000})


SEQUENCED = {"time": {"pointer": "/ts"}, "sequence": "/seq"}


def state(seq: int, ts_s: float) -> dict[str, Any]:
    return {"p": 1.0, "seq": seq, "ts": (NOON + timedelta(seconds=ts_s)).isoformat()}


@pytest.mark.row("trap:Q1")
@pytest.mark.parametrize(
    ("seq", "ts_s", "news"),
    [
        pytest.param(11, -1.0, True, id="the next"),
        pytest.param(10, -2.0, False, id="the retained one again"),
        pytest.param(9, -3.0, False, id="one that was overtaken"),
        pytest.param(1, -1.0, True, id="the device has restarted"),
        pytest.param(11, -3600.0, True, id="its clock was set back"),
    ],
)
def test_after_the_tenth(seq: int, ts_s: float, news: bool) -> None:
    one = reader({"pointer": "/p"}, **SEQUENCED)
    assert read(one, state(10, -2.0))
    assert bool(read(one, state(seq, ts_s))) is news


@pytest.mark.row("trap:Q1")
def test_a_refused_message_does_not_move_the_sequence() -> None:
    one = reader({"pointer": "/p"}, **SEQUENCED)
    read(one, state(10, -2.0))
    with pytest.raises(ProtocolError):
        read(one, state(1 << 60, 0.0) | {"p": "much"})
    assert read(one, state(11, -1.0))


def test_quality() -> None:
    how = {"pointer": "/q", "good": ["ok"], "estimated": ["guess"]}
    one = reader({"pointer": "/p"}, quality=how)
    assert read(one, {"p": 1, "q": "ok"})["active_power"].quality is Quality.GOOD
    assert read(one, {"p": 1, "q": "guess"})["active_power"].quality is Quality.ESTIMATED
    bad = read(one, {"p": 1, "q": "broken"})["active_power"]
    assert (bad.value, bad.quality) == (None, Quality.INVALID)


@pytest.mark.row("trap:Q5")
def test_a_wildcard_is_one_device() -> None:
    one = reader({"topic": "N/+/power"})
    with pytest.raises(ProtocolError):
        read(one, b"nonsense", topic="N/277/power")
    assert power(one, b"5", topic="N/276/power") == 5.0
    assert power(one, b"6", topic="N/276/power") == 6.0
    with pytest.raises(ProtocolError, match="N/276/power answers"):
        read(one, b"7", topic="N/277/power")
    assert one.route("N/276/other") is None
