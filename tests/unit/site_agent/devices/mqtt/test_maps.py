"""What devices say, as public documents show it or simulated hardware speaks it, by its map."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from depot_sim.mqtt import victron
from depot_sim.mqtt.own import OwnWords
from depot_sim.mqtt.victron import GxWords
from site_agent.devices.mqtt.library import load_map
from site_agent.devices.mqtt.routes import Reader
from site_agent.devices.mqtt.values import Document

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
GX = {"portal": "p1", "instance": "30", "vebus": "276", "battery": "512"}
Replay = tuple[str, Mapping[str, str], Mapping[str, object], Mapping[str, float]]

REPLAYS: tuple[Replay, ...] = (
    (
        "victron.gx-meter",
        GX,
        {
            "N/p1/grid/30/Ac/Power": {"value": -4400.5},
            "N/p1/grid/30/Ac/L1/Power": {"value": -1500},
            "N/p1/grid/30/Ac/L1/Current": {"value": -6.5},
            "N/p1/grid/30/Ac/L2/Power": {"value": None},
            "N/p1/grid/30/Ac/L1/Voltage": {"value": 230.1},
            "N/p1/grid/30/Ac/Energy/Forward": {"value": 1234.5},
        },
        {
            "active_power": -4400.5,
            "active_power_l1": -1500.0,
            "current_l1": 6.5,
            "voltage_l1": 230.1,
            "import_energy": 1_234_500.0,
        },
    ),
    (
        "victron.gx-pv",
        GX | {"instance": "20"},
        {"N/p1/pvinverter/20/Ac/Power": {"value": 936}},
        {"active_power": -936.0},
    ),
    (
        "victron.gx-battery",
        GX,
        {
            "N/p1/vebus/276/Ac/ActiveIn/P": {"value": -2000},
            "N/p1/battery/512/Soc": {"value": 61.5},
            "N/p1/battery/512/Dc/0/Voltage": {"value": 52.1},
        },
        {"active_power": -2000.0, "soc": 61.5, "dc_voltage": 52.1},
    ),
    (
        "evcc.site-meter",
        {},
        {
            "evcc/site/grid/power": b"-1250.5",
            "evcc/site/grid/currents/1": b"-5.4",
            "evcc/site/grid/energy": b"12.5",
        },
        {"active_power": -1250.5, "current_l1": 5.4, "import_energy": 12_500.0},
    ),
    (
        "evcc.site-battery",
        {},
        {"evcc/site/battery/power": b"800", "evcc/site/battery/soc": b"55"},
        {"active_power": -800.0, "soc": 55.0},
    ),
    (
        "home-assistant.meter",
        {"node": "meter_1"},
        {
            "homeassistant/sensor/meter_1/state": {
                "power": "1250.5",
                "voltage": 231,
                "current": 5.4,
                "energy": 12.5,
            }
        },
        {"active_power": 1250.5, "voltage_l1": 231.0, "current_l1": 5.4, "import_energy": 12_500.0},
    ),
)


def replay(name: str, names: Mapping[str, str], said: Mapping[str, object]) -> dict[str, float]:
    """What is known after these messages."""
    reader = Reader(load_map(name), {"site": "d1", "device": "m", **names})
    known: dict[str, float] = {}
    for topic, payload in said.items():
        route = reader.route(topic)
        assert route is not None, topic
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        for point, told in reader.read(route, topic, Document(raw), NOON, retained=False).items():
            if told.value is not None:
                known[point] = told.value
    return known


@pytest.mark.parametrize("case", REPLAYS, ids=lambda case: case[0])
def test_a_foreign_device(case: Replay) -> None:
    name, names, said, known = case
    assert replay(name, names, said) == known


@pytest.mark.parametrize(
    ("name", "facts", "known"),
    [
        (
            "gridyard.battery",
            {"power_w": -1500.0, "soc_pct": 61.5},
            {"active_power": -1500.0, "soc": 61.5},
        ),
        (
            "gridyard.pv",
            {"power_w": 900.0, "available_w": 1000.0},
            {"active_power": -900.0, "available_power": 1000.0},
        ),
        (
            "gridyard.meter",
            {"power_w": 690.0, "currents_a/1": 1.0, "currents_a/2": 2.0, "currents_a/3": 3.0},
            {"active_power": 690.0, "current_l1": 1.0, "current_l2": 2.0, "current_l3": 3.0},
        ),
    ],
)
def test_our_own_scheme(name: str, facts: Any, known: dict[str, float]) -> None:
    words = OwnWords("d1", "m", None)
    said = {one.topic: one.payload.encode() for one in words.says(facts, NOON)}
    assert replay(name, {}, said) == known


def test_a_simulated_gx_says_what_its_map_reads() -> None:
    words = GxWords("p1", [f"{victron.VEBUS}/Hub4/L1/AcPowerSetpoint"])
    facts = {f"{victron.VEBUS}/Ac/ActiveIn/P": 5.0, f"{victron.BATTERY}/Soc": 50.0}
    assert words.says(facts, NOON) == [], "nobody has asked"
    said = words.answers("R/p1/keepalive", b"", facts, NOON, "")
    read = {one.topic: one.payload.encode() for one in said if "Hub4" not in one.topic}
    assert replay("victron.gx-battery", GX, read) == {"active_power": 5.0, "soc": 50.0}
