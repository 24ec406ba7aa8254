"""The fleet API on a real socket, with a client for each kind of token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from fastapi import FastAPI

from contracts.http_problem import install_problem_handlers
from contracts.http_server import serve
from contracts.time import Clock
from site_agent.config.fleet_systems import FleetApiSettings, TokenSettings
from site_agent.domain.fleet.readiness import Readiness
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.fleet.api import PREFIX, fleet_routes
from site_agent.fleet.api.service import FleetService
from site_agent.fleet.tokens import digest_of
from site_agent.flows.fleet.answers import AnswerStore
from site_agent.flows.fleet.roster import LiveRoster
from site_agent.ports import SessionStore
from site_agent.store.memory import MemoryOutbox, MemorySessions
from site_agent.store.memory_fleet import MemoryAnswers
from support.fleet import ZONE, live_roster
from support.manual_clock import ManualClock

READ, WRITE, BOTH = "read-only-token", "write-only-token", "both-token"
TOKENS = (
    TokenSettings(name="reader", sha256=digest_of(READ), scopes=("fleet:read",)),
    TokenSettings(name="writer", sha256=digest_of(WRITE), scopes=("fleet:write",)),
    TokenSettings(name="both", sha256=digest_of(BOTH), scopes=("fleet:read", "fleet:write")),
)


@dataclass(kw_only=True)
class Bench:
    """What the API stands on, and the way to it."""

    roster: LiveRoster = field(default_factory=live_roster)
    sessions: SessionStore = field(default_factory=lambda: MemorySessions(MemoryOutbox()))
    answers: AnswerStore = field(default_factory=MemoryAnswers)
    clock: Clock = field(default_factory=ManualClock)
    judged: tuple[datetime, Sequence[Readiness]] | None = None
    expected: Sequence[ExpectedStay] = ()
    per_minute: int = 60_000
    url: str = ""

    def app(self) -> FastAPI:
        service = FleetService(
            roster=self.roster,
            sessions=self.sessions,
            prospects=lambda: self.judged,
            expected=lambda now: self.expected,
            clock=self.clock,
            time_zone=ZONE,
        )
        settings = FleetApiSettings(tokens=TOKENS, requests_per_minute=self.per_minute)
        app = FastAPI(title="Fleet", version="1")
        install_problem_handlers(app)
        app.include_router(fleet_routes(settings, service, self.answers))
        return app

    async def ask(
        self, method: str, path: str, *, token: str | None = BOTH, **more: Any
    ) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        headers |= more.pop("headers", {})
        async with httpx.AsyncClient(base_url=self.url, timeout=30, verify=False) as client:
            return await client.request(method, PREFIX + path, headers=headers, **more)


@asynccontextmanager
async def fleet_api(bench: Bench) -> AsyncIterator[Bench]:
    """Serve it while the block runs."""
    stopping = asyncio.Event()
    port: asyncio.Future[int] = asyncio.Future()
    async with asyncio.TaskGroup() as group:
        group.create_task(
            serve(bench.app(), host="127.0.0.1", port=0, stopping=stopping, ready=port.set_result)
        )
        bench.url = f"http://127.0.0.1:{await port}"
        try:
            yield bench
        finally:
            stopping.set()
