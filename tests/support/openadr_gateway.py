"""The web side of a gateway with one OpenADR utility, on a real port, in a thread of its own."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from contracts.http_server import serve
from contracts.openadr.payloads import ReportRequest, ReportSpecifier, SpecifierPayload
from contracts.testing import FakeClock
from contracts.time import Interval
from gateway.domain.event import Opt, OptDecision
from gateway.ports import UtilityHealth
from gateway.utility.openadr.memory import Registration, VenMemory
from gateway.utility.openadr.opts import OptLane, ToldOpt
from gateway.utility.openadr.reports.records import ReportTask
from gateway.web.app import create_app
from support.gateway_web import NOW, World, grid_event, make_world
from support.openadr import DictMemory
from support.waiting import PATIENCE_S

UTILITY = "pacific-utility"
EVENT = "evt-2026-1121"
ODD_EVENT = "odd/event 1?"


class GatewayAddress:
    """Where it is, and what it was asked to do."""

    def __init__(self, port: int, world: World) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.world = world

    @property
    def opted_out(self) -> list[tuple[str, str, str]]:
        """Event key, site and reason, in order."""
        return self.world.actions.done


async def _fill(world: World, memory: DictMemory) -> None:
    window = Interval(start=NOW - timedelta(minutes=10), end=NOW + timedelta(minutes=50))
    for event_id in (EVENT, ODD_EVENT):
        event = grid_event(window, event_id)
        decision = OptDecision(event_key=event.key, modification=0, opt=Opt.IN, cause="we follow")
        await world.ledger.put_event(event, decision, NOW)
    foreign = replace(grid_event(window, "foreign"), utility_id="another")
    decision = OptDecision(event_key=foreign.key, modification=0, opt=Opt.IN, cause="theirs")
    await world.ledger.put_event(foreign, decision, NOW)
    await world.ledger.opt_out_site(f"{UTILITY}/{EVENT}", "east", NOW, "early start")
    ven = VenMemory(memory, UTILITY)
    await ven.register(
        Registration(ven_id="ven-7", registration_id="reg-1", vtn_id="VTN-1", poll_s=10)
    )
    told = ToldOpt(opt_id="opt-1", site_id="east")
    await ven.put(EVENT, OptLane(told=(told,)))
    specifier = ReportSpecifier(
        report_specifier_id="usage",
        granularity=timedelta(seconds=60),
        report_back_duration=timedelta(seconds=300),
        payloads=(SpecifierPayload(r_id="portfolio/power_w", reading_type="Mean"),),
    )
    request = ReportRequest(report_request_id="rr-1", specifier=specifier)
    await ven.put("rr-1", ReportTask(request=request, schedule=None, sent_until=NOW))
    world.health.append(
        UtilityHealth(
            utility_id=UTILITY,
            protocol="OpenADR 2.0b",
            connected=True,
            detail="polling",
            last_contact_at=NOW,
        )
    )


@contextmanager
def running_gateway_web() -> Iterator[GatewayAddress]:
    """It answers while the block runs."""
    found: queue.Queue[GatewayAddress] = queue.Queue()
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def program() -> None:
        world, memory, stopping = make_world(FakeClock(NOW)), DictMemory(), asyncio.Event()
        stop.append((asyncio.get_running_loop(), stopping))
        await _fill(world, memory)
        app = create_app(replace(world.state, records=memory.load))
        await serve(
            app,
            host="127.0.0.1",
            port=0,
            stopping=stopping,
            ready=lambda port: found.put(GatewayAddress(port, world)),
        )

    thread = threading.Thread(target=lambda: asyncio.run(program()), daemon=True)
    thread.start()
    try:
        yield found.get(timeout=PATIENCE_S)
    finally:
        loop, stopping = stop[0]
        loop.call_soon_threadsafe(stopping.set)
        thread.join(PATIENCE_S)
