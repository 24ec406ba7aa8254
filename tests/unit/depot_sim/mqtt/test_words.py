"""What simulated devices on MQTT say, when, and what they refuse."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.errors import ProtocolError
from depot_sim.config import DepotSettings
from depot_sim.mqtt import payloads
from depot_sim.mqtt.own import OwnWords
from depot_sim.mqtt.victron import KEEPALIVE, SETPOINT_S, GxWords

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
L1, L2 = "vebus/276/Hub4/L1/AcPowerSetpoint", "vebus/276/Hub4/L2/AcPowerSetpoint"


def said(words: GxWords, at: datetime, **facts: float | None) -> dict[str, Any]:
    heard = words.says({name.replace("_", "/"): v for name, v in facts.items()}, at)
    assert not any(one.retain for one in heard)
    return {one.topic: json.loads(one.payload)["value"] for one in heard}


def test_a_gx_says_what_changes_while_somebody_listens() -> None:
    words = GxWords("p1")
    assert said(words, NOON, grid_Power=5.0) == {}
    everything = words.answers("R/p1/keepalive", b"", {"grid/Power": 5.0}, NOON, "")
    assert [one.topic for one in everything] == ["N/p1/grid/Power"]
    assert said(words, NOON, grid_Power=5.0) == {"N/p1/grid/Power": 5.0}
    assert said(words, NOON, grid_Power=5.0) == {}
    assert said(words, NOON, grid_Power=None) == {"N/p1/grid/Power": None}
    late = NOON + KEEPALIVE + timedelta(seconds=1)
    assert said(words, late, grid_Power=7.0) == {}
    suppressed = b'{"keepalive-options":["suppress-republish"]}'
    assert words.answers("R/p1/keepalive", suppressed, {"grid/Power": 7.0}, late, "") == []
    assert said(words, late, grid_Power=7.0) == {"N/p1/grid/Power": 7.0}


def test_a_gx_reads_beginnings_of_paths() -> None:
    facts = {"grid/30/Ac/Power": 1.0, "grid/30/Ac/L1/Power": 2.0, "grid/301/Ac/Power": 3.0}
    topics = [one.topic for one in GxWords("p").answers("R/p/grid/30", b"", facts, NOON, "")]
    assert topics == ["N/p/grid/30/Ac/Power", "N/p/grid/30/Ac/L1/Power"]


def test_a_gx_adds_up_what_its_phases_are_told() -> None:
    words = GxWords("p", [L1, L2])
    for path, value, total in ((L1, 100, 100.0), (L2, -30, 70.0)):
        payload = json.dumps({"value": value}).encode()
        order = words.order(f"W/p/{path}", payload)
        assert order is not None
        assert (order.value, order.valid_for_s) == (total, SETPOINT_S)
        assert words.answers(f"W/p/{path}", payload, {}, NOON, "") == []
    refused = json.dumps({"value": 9000}).encode()
    words.answers(f"W/p/{L1}", refused, {}, NOON, "too much")
    shown = {one.topic: one.payload for one in words.answers("R/p/vebus", b"", {}, NOON, "")}
    assert shown == {f"N/p/{L1}": '{"value": 100.0}', f"N/p/{L2}": '{"value": -30.0}'}


@pytest.mark.parametrize(
    "payload", [b"", b"5", b"[]", b'{"v": 1}', b'{"value": "1"}', b'{"value": true}', b"[" * 9000]
)
def test_what_a_gx_does_not_understand(payload: bytes) -> None:
    words = GxWords("p", [L1])
    with pytest.raises(ProtocolError):
        words.order(f"W/p/{L1}", payload)
    with pytest.raises(ProtocolError):
        words.order("W/p/vebus/276/Mode", b'{"value": 1}')


def test_our_own_words() -> None:
    words = OwnWords("d1", "m", None)
    assert words.wants == []
    assert words.will is not None
    assert (words.will.payload, words.will.retain) == ("offline", True)
    for seq in (1, 2):
        (state,) = words.says({"p": 1.0, "a/1": 2.0, "a/2": 3.0}, NOON)
        wanted = {"ts": NOON.isoformat(), "seq": seq, "p": 1.0, "a": [2.0, 3.0]}
        assert (json.loads(state.payload), state.retain) == (wanted, True)


def test_a_limit_may_be_null_but_not_negative() -> None:
    head = {"id": "x", "ts": NOON.isoformat(), "expires_at": NOON.isoformat(), "valid_for_s": 5}

    def limit(limit_w: object) -> float | None:
        return payloads.limit(json.dumps({**head, "limit_w": limit_w}).encode()).value

    assert (limit(5), limit(None)) == (5.0, None)
    others: list[object] = [-1, "x", [], {}]
    for bad in others:
        with pytest.raises(ProtocolError):
            limit(bad)


def test_devices_on_mqtt_in_a_depots_settings() -> None:
    cells = {"capacity_wh": 1e4, "max_charge_w": 1e3, "max_discharge_w": 1e3}
    facts: dict[str, Any] = {
        "site_id": "d1",
        "meters": [{"id": "m", "kind": "mqtt", "portal": "p1"}],
        "batteries": [{"id": "b", "kind": "mqtt", **cells}],
        "pv": [{"id": "r", "kind": "mqtt", "rated_w": 1e3}, {"id": "s", "rated_w": 1e3}],
        "faults": [
            {"at_s": 1, "device": "m", "kind": "flood", "amount": 100},
            {"at_s": 1, "device": "r", "kind": "refuses"},
        ],
    }
    depot = DepotSettings.model_validate(facts)
    assert [one.kind for one in depot.pv] == ["mqtt", "sunspec"]
    for device, kind in (("m", "refuses"), ("s", "flood"), ("b", "scaled")):
        fault = {"at_s": 1, "device": device, "kind": kind}
        with pytest.raises(ValueError, match=f"'{device}' knows"):
            DepotSettings.model_validate(facts | {"faults": [fault]})
    with pytest.raises(ValueError, match="used twice: b"):
        DepotSettings.model_validate(facts | {"meters": [{"id": "b", "kind": "mqtt"}]})
