"""A VTN that is down for hours: what was accepted is carried out, and reported later in batches."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from certs.pki import Pki, make_test_pki
from contracts.errors import LinkDownError
from contracts.openadr import codec
from contracts.openadr.payloads import Payload, UpdateReport
from contracts.testing import FakeClock
from gateway.flows.upstream.participation import Participants
from gateway.flows.upstream.resources import ResourceReports
from gateway.utility.openadr import ven as ven_module
from gateway.utility.openadr.settings import OpenAdrSettings
from gateway.utility.openadr.transport import service_of
from gateway.utility.openadr.ven import OpenAdrVen
from support.openadr import DictMemory
from support.waiting import until
from vtn_sim.config import VtnSettings
from vtn_sim.judge import Outcome
from vtn_sim.openadr.actions import Announce, AskReports
from vtn_sim.openadr.court import Court, outcome_of
from vtn_sim.openadr.director import Director
from vtn_sim.openadr.vtn import Vtn

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
VEN = "ven-1"
DOWN_MIN = 200
MINUTE = timedelta(minutes=1)
MAX_BACKOFF_S = 300.0
R_IDS = ("portfolio/power_w", "site/depot-1/power_w")
BACK_S = {"each": 60, "five": 300}
"""Of each report request, all in steps of a minute."""
EVENTS = {"e1": (0, 30), "e2": (120, 150)}
"""Minutes from noon, the VTN being down from before the first to after the last."""


class Wire:
    """`VtnTransport` without a wire: to the simulated VTN in the same loop, while it is up."""

    def __init__(self, vtn: Vtn) -> None:
        self._vtn = vtn
        self.up = True
        self.tried: list[datetime] = []
        """Attempts while it was down."""
        self.taken: list[Payload] = []

    async def exchange(self, payload: Payload) -> Payload:
        answer = await self.post(service_of(payload), codec.encode(payload))
        assert answer is not None
        return answer

    async def post(self, service: str, body: bytes) -> Payload | None:
        if not self.up:
            self.tried.append(self._vtn.clock.now())
            raise LinkDownError("connection refused")
        message = codec.decode(body)
        self.taken.append(message)
        return codec.decode(codec.encode(self._vtn.handle(service, message)))

    async def aclose(self) -> None:
        return


def make_vtn(pki: Pki, clock: FakeClock) -> Vtn:
    settings = {
        "cert_file": pki.vtn.cert,
        "key_file": pki.vtn.key,
        "ca_file": pki.utility_ca,
        "vens": [{"ven_id": VEN, "name": "gridyard"}],
        "report": None,
    }
    return Vtn(VtnSettings.model_validate(settings), clock)


@asynccontextmanager
async def running_ven(world: Any, pki: Pki) -> AsyncIterator[None]:
    settings = OpenAdrSettings.model_validate(
        {
            "utility_id": "u1",
            "url": "https://127.0.0.1:1/OpenADR2/Simple/2.0b",
            "ven_name": "gridyard",
            "ven_id": VEN,
            "ca": pki.utility_ca,
            "cert": pki.ven.cert,
            "key": pki.ven.key,
            "poll_s": 0.005,
            "max_backoff_s": MAX_BACKOFF_S,
        }
    )
    reports = ResourceReports(
        world.portfolio, world.telemetry, world.ledger, world.live, world.clock
    )
    ven = OpenAdrVen(
        settings,
        ssl.create_default_context(),
        world.intake,
        reports,
        DictMemory(),
        world.clock,
        participation=Participants(world.portfolio, world.ledger, world.intake),
    )
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(ven.run())
        yield
        task.cancel()


def announce(director: Director) -> None:
    for event_id, (start, end) in EVENTS.items():
        steps = [{"duration_s": (end - start) * 60, "value": -60.0}]
        director.perform(
            Announce.model_validate(
                {
                    "event_id": event_id,
                    "start": NOON + start * MINUTE,
                    "market_context": "relief",
                    "signals": [{"intervals": steps}],
                }
            )
        )


def ask(director: Director) -> None:
    requests = [
        {"name": name, "r_ids": R_IDS, "granularity_s": 60, "report_back_s": back_s}
        for name, back_s in BACK_S.items()
    ]
    director.perform(AskReports.model_validate({"action": "ask-reports", "requests": requests}))


async def pass_minutes(world: Any, minutes: int) -> None:
    for _ in range(minutes):
        await world.pass_time(1)
        await world.lifecycle.tick()
        await world.settle()


@pytest.mark.row("openadr:P4")
async def test_hours_without_a_vtn(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pki = make_test_pki(tmp_path, sites=["depot-1"])
    vtn = make_vtn(pki, world.clock)
    wire, director = Wire(vtn), Director(vtn)
    monkeypatch.setattr(ven_module, "VtnTransport", lambda *_: wire)
    for beat in ("_REPORT_TICK_S", "_WATCH_TICK_S"):
        monkeypatch.setattr(ven_module, beat, 20.0)  # hours of half seconds would take a minute
    await world.ready()
    async with running_ven(world, pki):
        await until(lambda: bool(vtn.reports.offers(VEN)))
        announce(director)
        ask(director)
        await until(lambda: accepted(vtn))
        wire.up = False
        await pass_minutes(world, DOWN_MIN)
        await assert_carried_out(world)
        longest = timedelta(minutes=DOWN_MIN) / (MAX_BACKOFF_S / 2)
        assert len(wire.tried) < longest.total_seconds() + 50, "no storm of attempts"
        wire.up = True
        wire.taken.clear()
        await pass_minutes(world, 8)
        await until(lambda: len(updates(wire)) >= len(BACK_S))
        assert_reported(vtn, wire)


def accepted(vtn: Vtn) -> bool:
    asked = vtn.reports.asked(VEN)
    deliveries = [vtn.events.deliveries(event_id) for event_id in EVENTS]
    return all(one.acknowledged for one in asked) and all(d and d[0].answers for d in deliveries)


async def assert_carried_out(world: Any) -> None:
    """Each site has the schedule of each event, and each began and ended when it was to."""
    for site in world.sites.values():
        spans = {
            one.event_id: (one.steps[0].start, one.steps[-1].end) for one in site.taken if one.steps
        }
        assert spans == {
            f"u1/{event_id}": (NOON + start * MINUTE, NOON + end * MINUTE)
            for event_id, (start, end) in EVENTS.items()
        }
    for event_id, (start, end) in EVENTS.items():
        written = [
            (one.at, one.action)
            for one in await world.ledger.journal(f"u1/{event_id}")
            if one.action in ("the event has begun", "the event is over")
        ]
        assert sorted(written) == [
            (NOON + start * MINUTE, "the event has begun"),
            (NOON + end * MINUTE, "the event is over"),
        ]


def updates(wire: Wire) -> Sequence[UpdateReport]:
    return [message for message in wire.taken if isinstance(message, UpdateReport)]


def assert_reported(vtn: Vtn, wire: Wire) -> None:
    """All that was missed, each interval once, in a few messages; then as before."""
    for name in BACK_S:
        asked = vtn.reports.request(name)
        assert asked is not None
        window = asked.request.specifier.window
        assert window is not None
        starts = Counter((s.r_id, s.start) for a in asked.arrivals for s in a.samples)
        assert set(starts.values()) == {1}
        for r_id in R_IDS:
            mine = sorted(start for point, start in starts if point == r_id)
            assert mine == [window.start + n * MINUTE for n in range(len(mine))]
            assert len(mine) > DOWN_MIN
    counted = Counter(report.report_request_id for one in updates(wire) for report in one.reports)
    assert counted["each"] <= 1 + 8, "one message of what was missed, then one a minute"
    assert counted["five"] <= 1 + 2
    judged = outcome_of(Court(vtn).verdicts(VEN))
    assert judged is not Outcome.FAIL, "pending: the requests have no end"
