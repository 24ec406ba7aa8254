"""The whole client at the simulator, over real mutual TLS: what it obeys, answers and tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.site_link.messages import Notice, Severity, VehicleReadiness
from gateway.domain.operating_envelope import SiteBounds
from gateway.utility.sep2 import reporting
from gateway.utility.sep2.acting import Sep2Ports
from gateway.utility.sep2.aggregator import Sep2Aggregator
from support.openadr import RecordingIntake
from support.sep2_acting import Envelopes, FragileMemory, Sites
from support.sep2_client import client_settings
from support.sep2_server import RunningSep2, device_lfdi, now, running_sep2
from support.waiting import until

PRICE = {"at": "00:00", "price": 0.25}
EVERYTHING: dict[str, Any] = {
    "load_programs": [{"name": "summer", "description": "summer", "primacy": 2}],
    "tariffs": [{"name": "ev", "rate_code": "BEV2", "response_required": 3, "prices": [PRICE]}],
    "fsas": [
        {
            "name": "system",
            "programs": ["system"],
            "load_programs": ["summer"],
            "tariffs": ["ev"],
        },
        {"name": "feeder", "programs": ["feeder"]},
    ],
    "flow_reservation": {"policy": "grant"},
    "poll_rate_s": 1,
}


@dataclass
class Depots:
    """Two depots of a gateway that is not there."""

    envelopes: Envelopes = field(default_factory=Envelopes)
    events: RecordingIntake = field(default_factory=RecordingIntake)
    sites: Sites = field(default_factory=Sites)
    memory: FragileMemory = field(default_factory=FragileMemory)
    needs_wh: float = 0.0

    def __post_init__(self) -> None:
        for number in (1, 2):
            self.sites.has(
                f"depot-{number}",
                now(),
                pcc_power_w=20_000.0 + number,
                pcc_import_wh=123_456.0,
                charging_power_w=15_000.0,
                flex_down_w=9_000.0,
            )

    async def readiness(self, site_id: str) -> Sequence[VehicleReadiness]:
        vehicle = VehicleReadiness(
            at=now(),
            vehicle_id="van",
            evse_id="e1",
            soc_pct=40.0,
            required_wh=self.needs_wh,
            departure=now().replace(microsecond=0) + timedelta(hours=2),
            on_track=True,
        )
        return [vehicle] if site_id == "depot-1" else []

    def bounds(self, number: int) -> SiteBounds | None:
        envelope = self.envelopes.imposed.get(f"depot-{number}")
        step = None if envelope is None else envelope.at(now())
        return None if step is None else step.bounds


@asynccontextmanager
async def acting(server: RunningSep2, depots: Depots) -> AsyncIterator[Sep2Aggregator]:
    ports = Sep2Ports(
        envelopes=depots.envelopes,
        events=depots.events,
        usage=depots.sites,
        states=depots.sites,
        readiness=depots.readiness,
        memory=depots.memory,
    )
    aggregator = Sep2Aggregator(client_settings(server, poll_s=0.5), ports, SystemClock())
    task = asyncio.create_task(aggregator.run())
    try:
        yield aggregator
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "LOOK_EVERY_S", 0.2)


async def codes(server: RunningSep2, event: str) -> list[tuple[str, int]]:
    found = await server.look(f"/responses?event={event}")
    return sorted((one["device"], one["status"]) for one in found)


BOTH = ("depot-1", "depot-2")


async def test_controls_are_obeyed_and_answered_over_a_restart(pki: Pki) -> None:
    depots = Depots()
    async with running_sep2(pki, **EVERYTHING) as server:
        limit = {"opModImpLimW": 50_000}
        await server.act(
            "add-control", name="e1", program="system", start_in_s=2, duration_s=4, modes=limit
        )
        async with acting(server, depots):
            await until(lambda: depots.bounds(1) == SiteBounds(import_limit_w=90_000.0))
        async with acting(server, depots) as aggregator:
            await until(lambda: depots.bounds(2) == SiteBounds(import_limit_w=50_000.0))
            await until(lambda: depots.bounds(2) == SiteBounds(import_limit_w=90_000.0))
            answers = [(device, code) for device in BOTH for code in (1, 2, 3)]
            await server.until("/responses?event=e1", lambda found: len(found) >= len(answers))
            assert await codes(server, "e1") == answers
            assert aggregator.health.connected
        verdicts = await server.look("/events/e1/verdicts")
        assert {one["outcome"] for one in verdicts} == {"pass"}, verdicts


async def test_everything_a_utility_is_told(pki: Pki) -> None:
    depots = Depots()
    async with running_sep2(pki, **EVERYTHING) as server, acting(server, depots):
        told = await server.until(
            "/devices/depot-1", lambda found: "DERAvailability 1" in found["told"]
        )
        names = ("DERCapability", "DERSettings", "DERStatus", "DERAvailability")
        assert {f"{name} 1" for name in names} <= set(told["told"])
        assert told["told"]["DERStatus 1"]["operational_mode_status"]["value"] == 2

        readings = await server.until("/readings", lambda found: len(found) >= 10)
        site = [one for one in readings if one["lfdi"] == device_lfdi(1)]
        values = {one["description"]: one["samples"][-1]["value"] for one in site}
        assert values["site W in"] == 20_001
        assert values["site W out"] == 0
        assert values["site Wh in"] == 123_456

        notice = Notice(
            at=now(),
            code="limit-not-obeyed",
            subject="evse-1",
            severity=Severity.ALARM,
            raised=True,
            text="",
        )
        depots.sites.told.append(("depot-1", notice))
        events = await server.until("/devices/depot-1/log-events", bool)
        assert [(one["function_set"], one["code"]) for one in events] == [(11, 0)]
        upkeep = await server.look("/verdicts")
        shown = [one for one in upkeep["devices"] if one["outcome"] == "fail"]
        assert shown == []


@pytest.mark.row("sep2-other:drlc", "sep2-other:price")
async def test_load_control_prices_and_reservations(pki: Pki) -> None:
    depots = Depots()
    async with running_sep2(pki, **EVERYTHING) as server, acting(server, depots):
        await server.act(
            "add-load-control",
            name="hot",
            program="summer",
            start_in_s=1,
            duration_s=2,
            device_category=1 << 9,
            target_w=8_000,
        )
        answers = [(device, code) for device in BOTH for code in (1, 2, 3)]
        await server.until("/responses?event=hot", lambda found: len(found) >= len(answers))
        assert await codes(server, "hot") == answers
        (event,) = [one for one in depots.events.received if one.program_id == "summer"]
        assert event.targets == BOTH
        assert event.signals[0].series.value_at(event.window.start) == -16_000.0
        days = [one for one in depots.events.received if one.program_id == "BEV2"]
        assert 0.25 in [one.signals[0].series.value_at(now()) for one in days], "each day is one"

        depots.needs_wh = 30_000.0
        requests = await server.until("/flow-requests", bool)
        assert [one["granted_w"] for one in requests] == [100_000.0]
        await until(
            lambda: "reserved" in str(depots.envelopes.imposed.get("depot-1")), timeout_s=20
        )
