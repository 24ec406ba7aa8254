"""A curve from a utility's server to a site, over real mutual TLS: new, changed, withdrawn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.inverter import Curve, CurveKind, FixedPowerFactor, Point, Reference
from contracts.site_link.messages import (
    Instruction,
    InstructionAck,
    InstructionState,
    VehicleReadiness,
)
from gateway.domain.portfolio import Portfolio, Site
from gateway.flows.sites.envelopes import Envelopes
from gateway.flows.sites.live import Live
from gateway.flows.sites.outgoing import Outgoing
from gateway.sites.memory import MemorySiteLink
from gateway.store.database import Database
from gateway.store.ledger import SqlLedger
from gateway.utility.sep2.acting import Sep2Ports
from gateway.utility.sep2.aggregator import Sep2Aggregator
from gateway.utility.sep2.settings import Sep2Settings
from support.openadr import RecordingIntake
from support.sep2_acting import FragileMemory, Sites
from support.sep2_client import client_settings
from support.sep2_server import RunningSep2, now, running_sep2
from support.site_link import GatewayHandler
from support.waiting import until

CLOCK = SystemClock()
SITES = ("depot-1", "depot-2")
MODES = ("opModVoltVar", "opModFixedPFInjectW")
VOLT_VAR = {"name": "vv", "mode": "opModVoltVar", "y_ref": 2, "points": [[92, 44], [108, -44]]}
UTILITY: dict[str, Any] = {
    "programs": [
        {"name": "system", "primacy": 5, "curves": [VOLT_VAR]},
        {"name": "feeder", "primacy": 1},
    ],
    "poll_rate_s": 1,
}


@dataclass
class Gateway:
    """What carries envelopes to sites, and sites that take every instruction."""

    database: Database
    taken: dict[str, list[Instruction]] = field(default_factory=lambda: {one: [] for one in SITES})

    def __post_init__(self) -> None:
        sites = tuple(
            Site(site_id=one, name=one, time_zone=ZoneInfo("UTC"), import_limit_w=1e5)
            for one in SITES
        )
        ledger, self.link = SqlLedger(self.database), MemorySiteLink(CLOCK)
        live = Live(sites, CLOCK, offline_after=timedelta(minutes=1))
        self.outgoing = Outgoing(self.link, ledger, live, CLOCK)
        self.envelopes = Envelopes(Portfolio(sites=sites), ledger, self.outgoing, CLOCK)
        for one in SITES:
            self.link.attach(one, self.receive)

    async def receive(self, instruction: Instruction) -> InstructionAck:
        self.taken[instruction.site_id].append(instruction)
        return InstructionAck(
            instruction_id=instruction.instruction_id,
            state=InstructionState.STORED,
            at=CLOCK.now(),
        )

    def curves(self, site: str) -> list[tuple[float, ...]]:
        """Reactive power along one curve after the other; the same sent again counts once.

        An instruction is also made anew when the clocks of both sides are compared again.
        """
        found = [
            tuple(point.y for point in function.points)
            for one in self.taken[site]
            for function in (one.steps[0].inverter_functions if one.steps else ())
            if isinstance(function, Curve)
        ]
        return [curve for curve, _ in groupby(found)]


def inverters(server: RunningSep2) -> Sep2Settings:
    """The second depot's inverters follow nothing by themselves."""
    settings = client_settings(server, poll_s=0.5)
    first = settings.devices[0].model_copy(update={"inverter_modes": MODES})
    return settings.model_copy(update={"devices": (first, *settings.devices[1:])})


@asynccontextmanager
async def steered(server: RunningSep2) -> AsyncIterator[Gateway]:
    """A gateway that stands in for both depots."""
    database = Database.in_memory()
    gateway, sites = Gateway(database), Sites()
    for one in SITES:
        sites.has(one, now(), pcc_power_w=20_000.0)
    ports = Sep2Ports(
        envelopes=gateway.envelopes,
        events=RecordingIntake(),
        usage=sites,
        states=sites,
        readiness=no_vehicles,
        memory=FragileMemory(),
    )
    aggregator = Sep2Aggregator(inverters(server), ports, CLOCK)
    try:
        async with asyncio.TaskGroup() as tasks:
            link = tasks.create_task(gateway.link.run(GatewayHandler()))
            await gateway.link.listening.wait()
            running = [tasks.create_task(one.run()) for one in (gateway.outgoing, aggregator)]
            yield gateway
            for task in (*running, link):
                task.cancel()
    finally:
        database.close()


async def no_vehicles(site_id: str) -> Sequence[VehicleReadiness]:
    del site_id
    return []


async def codes(server: RunningSep2, event: str, count: int) -> list[tuple[str, int]]:
    found = await server.until(f"/responses?event={event}", lambda found: len(found) >= count)
    return sorted((one["device"], one["status"]) for one in found)


@pytest.mark.row("sep2:22", "csip:P29")
async def test_a_changed_curve_is_a_new_instruction(pki: Pki) -> None:
    async with running_sep2(pki, **UTILITY) as server, steered(server) as gateway:
        modes: dict[str, Any] = {
            "opModVoltVar": "vv",
            "opModFixedPFInjectW": {"power_factor": 0.95, "absorbs": True},
        }
        await server.act(
            "add-control", name="e1", program="system", start_in_s=0, duration_s=3600, modes=modes
        )
        await until(lambda: gateway.curves("depot-1") == [(44.0, -44.0)])
        told = gateway.taken["depot-1"][-1]
        assert told.steps[0].inverter_functions == (
            FixedPowerFactor(power_factor=0.95, absorbs_var=True, while_="injecting"),
            Curve(
                kind=CurveKind.VOLT_VAR,
                points=(Point(x=92.0, y=44.0), Point(x=108.0, y=-44.0)),
                reference=Reference.MAX_VAR,
            ),
        )
        assert "opModVoltVar with a curve of 2 points" in told.cause
        await server.act(
            "set-curve", program="system", curve=VOLT_VAR | {"points": [[95, 30], [105, -30]]}
        )
        await until(lambda: gateway.curves("depot-1") == [(44.0, -44.0), (30.0, -30.0)])
        await server.act("cancel-event", event="e1")
        await until(lambda: gateway.taken["depot-1"][-1].steps == ())
        assert await codes(server, "e1", 5) == [
            ("depot-1", 1),
            ("depot-1", 2),
            ("depot-1", 6),
            ("depot-2", 1),
            ("depot-2", 252),
        ]
        assert gateway.taken["depot-2"] == []


@pytest.mark.row("sep2:22", "sep2:33")
async def test_a_curve_beyond_sense_is_invalid_and_the_last_good_one_stays(pki: Pki) -> None:
    async with running_sep2(pki, **UTILITY) as server, steered(server) as gateway:
        control = {"program": "system", "start_in_s": 0, "modes": {"opModVoltVar": "vv"}}
        await server.act("add-control", name="e1", duration_s=3600, **control)
        await until(lambda: gateway.curves("depot-1") == [(44.0, -44.0)])
        senseless = VOLT_VAR | {"points": [[9200, 44], [10800, -44]]}
        await server.act("set-curve", program="system", curve=senseless)
        answers = [("depot-1", one) for one in (1, 2, 253)] + [("depot-2", 1), ("depot-2", 252)]
        assert await codes(server, "e1", 5) == answers
        assert gateway.curves("depot-1") == [(44.0, -44.0)]
        await server.act("set-curve", program="system", curve=VOLT_VAR | {"points": [[92, 10]]})
        await until(lambda: gateway.curves("depot-1")[-1] == (10.0,))
