"""The agent's web application over a site that has decided once, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx

from contracts.testing import FakeClock
from site_agent.config.web import WebSettings
from site_agent.domain.decide.control import decide
from site_agent.domain.fleet.readiness import Readiness
from site_agent.domain.plan.schedule import Schedule
from site_agent.domain.site import CircuitNode, SiteSnapshot
from site_agent.flows.control.control_loop import Cycle
from site_agent.flows.people.journal import Journal
from site_agent.flows.people.picture import Pictures
from site_agent.flows.report.prospects import Prospects
from site_agent.store.journal import MemoryJournal
from site_agent.web.build import make_web
from site_agent.web.server import Part
from site_agent.web.state import Move, WebState
from support.site import NOON, battery, charger, charger_spec, envelope, model, need, pv, snapshot
from support.waiting import until

ROW = CircuitNode(node_id="row-2", parent="pcc", limit_a=20.0)
SPECS = [charger_spec("cp-1", "row-2"), charger_spec("cp-2", "row-2"), charger_spec("cp-3")]


def depot(event_w: float | None = None, **changes: object) -> Cycle:
    """Two vehicles on a row that is too weak for both, PV and a battery, as one cycle saw them."""
    chargers = [
        charger(SPECS[0], drawn_a=10.0, limit_a=10.0, soc_pct=40.0),
        charger(SPECS[1], drawn_a=10.0, limit_a=10.0, soc_pct=70.0),
        charger(SPECS[2], plugged=False),
    ]
    needs = [need("cp-1", wh=30_000, hours=8), need("cp-2", wh=20_000, hours=10)]
    stored, made = battery(power_w=-5_000.0), pv(-12_000.0)
    of = model(SPECS, nodes=(ROW,), batteries=[stored.spec], pv_specs=[made.spec])
    whole = snapshot(chargers=chargers, needs=needs, batteries=[stored], pv_states=[made], of=of)
    picture: SiteSnapshot = replace(whole, **changes)  # type: ignore[arg-type] # as the test says
    return Cycle(snapshot=picture, decision=decide(picture, envelope(of, event_w)))


class Bench:
    """An application and what stands behind it."""

    def __init__(
        self,
        settings: WebSettings | None = None,
        *,
        others: Sequence[Part] = (),
        plan: Schedule | None = None,
        moves: Sequence[Move] = (),
    ) -> None:
        self.clock = FakeClock(NOON)
        self.store = MemoryJournal()
        self.cycle: Cycle | None = None
        self.prospects = Prospects()
        self.found: Sequence[Readiness] = ()
        pictures = Pictures(lambda: ["van-cp-1", "van-9"], lambda: self.found)
        self.journal = Journal(pictures, self.store, self.clock)
        self.state = WebState(
            site_id="depot",
            zone=ZoneInfo("Europe/Berlin"),
            clock=self.clock,
            stopping=asyncio.Event(),
            journal=self.journal,
            prospects=lambda: self.found,
            plan=lambda: plan,
            moves=lambda: moves,
        )
        wanted = settings or WebSettings()
        server = make_web(wanted, self.state, lambda: self.cycle, others)
        assert server is not None
        self.server = server

    async def show(self, cycle: Cycle) -> None:
        """A cycle has been decided and noted."""
        self.cycle = cycle
        self.found = self.prospects.judge(cycle)
        self.journal.heard(cycle)
        noting = asyncio.ensure_future(self.journal.run())
        await until(lambda: self._shows(cycle))
        noting.cancel()

    def _shows(self, cycle: Cycle) -> bool:
        seen = self.journal.seen
        return seen is not None and seen.snapshot is cycle.snapshot and bool(self.store.entries)

    def client(self, **more: str) -> httpx.AsyncClient:
        """A program on this machine."""
        transport = httpx.ASGITransport(app=self.server.app)
        return httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8090", headers=more
        )


def password_file(folder: Path, text: str = "correct horse battery\n") -> Path:
    path = folder / "password"
    path.write_text(text)
    return path
