"""Golden frames with random damage: a session survives each and answers what comes next."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from math import isfinite
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from contracts.testing import FakeClock
from site_agent.devices.ocpp.settings import StationConfig, Timing
from site_agent.devices.ocpp.station import Station
from site_agent.devices.ocpp.versions.dialect import Dialect
from site_agent.devices.ocpp.versions.v16 import Ocpp16
from site_agent.devices.ocpp.versions.v21 import Ocpp21
from site_agent.devices.ocpp.versions.v201 import Ocpp201
from site_agent.devices.ocpp.wire.line import Line
from site_agent.devices.ocpp.wire.session import Session
from site_agent.domain.device import ChargerSpec
from site_agent.store.memory import MemorySessions
from support.ocpp_access import FEW

pytestmark = [pytest.mark.row("safety:S6"), pytest.mark.row("library:L1")]

GOLDEN = Path(__file__).parent / "golden"
DIALECTS: dict[str, Dialect] = {"16": Ocpp16(), "201": Ocpp201(), "21": Ocpp21()}
BEAT = '[2,"beat","Heartbeat",{}]'
ODD: list[Any] = [
    None, True, -1, 0, 0.1, 2**53, 2**63, 10**30, 1e308, -1e308, "", "x" * 600, "\ud800", "\x00",
    "NaN", "1e400", "-0", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2026-01-05",
    [], {}, [[]], [None], {"": None}, {"a": {"a": {"a": []}}}, ["x"] * 200,
]  # fmt: skip
VALUES = st.sampled_from(ODD) | st.text(max_size=8) | st.integers() | st.floats(allow_nan=False)


def golden(version: str) -> list[str]:
    lines = (GOLDEN / f"conversation-{version}.txt").read_text().splitlines()
    return [line.removeprefix("> ") for line in lines[::2]]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) within a JSON value."""
    if not isinstance(value, dict | list):
        return []
    keys: Sequence[Any] = list(value) if isinstance(value, dict) else range(len(value))
    inner = [place for key in keys for place in places(value[key])]
    return [(value, key) for key in keys] + inner


@st.composite
def damaged(draw: st.DrawFn, version: str) -> str:
    frame = draw(st.sampled_from(golden(version)))
    if draw(st.integers(0, 3)) == 0:
        at, cut = draw(st.integers(0, len(frame))), draw(st.integers(0, 5))
        return frame[:at] + draw(st.text(max_size=3)) + frame[at + cut :]
    values = json.loads(frame)
    for _ in range(draw(st.integers(1, 3))):
        found = places(values)
        if not found:
            break
        container, key = draw(st.sampled_from(found))
        if draw(st.booleans()):
            container[key] = deepcopy(draw(VALUES))
        else:
            del container[key]
    return json.dumps(values).replace("Infinity", "1e400")


class Wire:
    """What a session needs of a WebSocket."""

    protocol = SimpleNamespace(close_sent=None)

    def __init__(self, frames: Sequence[str]) -> None:
        self.sent: list[str] = []
        self.closed = False
        self._frames = frames
        self.beaten = asyncio.Event()

    def listen(self, hear: Callable[[str], None], refuse: object) -> None:
        for frame in self._frames:
            hear(frame)

    def write(self, text: bytes) -> None:
        self.sent.append(text.decode())
        if text.startswith(b'[3,"beat"'):
            self.beaten.set()

    def read_no_more(self) -> None:
        pass

    async def wait_closed(self) -> None:
        await asyncio.Future[None]()

    async def close(self, code: int, reason: str) -> None:
        self.closed = True


async def survives(dialect: Dialect, frames: Sequence[str]) -> None:
    clock = FakeClock()
    station = Station(
        StationConfig(charge_point_id="CP1", evses={1: ChargerSpec(evse_id="evse-1", node="pcc")}),
        timing=Timing(),
        clock=clock,
        sessions=MemorySessions(),
        access=FEW,
        wake=lambda: None,
    )
    wire = Wire([*frames, BEAT])
    session = Session(
        cast(Line, wire),
        dialect=dialect,
        serve=lambda action, payload: dialect.serve(station, action, payload),
        clock=clock,
        timeout_s=60,
        tally=station.tally,
        trace=station.trace,
    )
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(session.run())
        await wire.beaten.wait()
        assert not wire.closed
        running.cancel()
    assert "currentTime" in json.loads(wire.sent[-1])[2]
    assert all(json.loads(text)[0] in (3, 4) for text in wire.sent)
    known = station.evses[1].state(clock.now())
    readings = (known.power_w, known.energy_wh, known.soc_pct)
    assert all(one.value is None or isfinite(one.value) for one in readings)


@pytest.mark.parametrize("version", DIALECTS)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damage_never_ends_a_session(version: str, data: st.DataObject) -> None:
    frames = data.draw(st.lists(damaged(version), min_size=1, max_size=8))
    with capture_logs() as logs:
        asyncio.run(survives(DIALECTS[version], frames))
    assert [line for line in logs if line["log_level"] == "error"] == []
