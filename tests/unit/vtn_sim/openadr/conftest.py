"""A VTN with its wire and a scripted VEN, by a clock that tests move: no sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.openadr.signature import ReplayCache, Signer, Verifier
from contracts.testing import FakeClock
from support.openadr_keys import ec_pair
from support.openadr_scripted_ven import ScriptedVen
from vtn_sim.config import VtnSettings
from vtn_sim.openadr.journal import Journal
from vtn_sim.openadr.run import Run, Runs
from vtn_sim.openadr.service import Exchange
from vtn_sim.openadr.vtn import Vtn
from vtn_sim.openadr.wire import Wire

MAX_READ = 1 << 20


@dataclass
class World:
    """A utility and its VENs."""

    clock: FakeClock
    vtn: Vtn
    exchange: Exchange
    runs: Runs
    ven: ScriptedVen

    async def play(self, run: Run, seconds: float = 300.0) -> Run:
        """Until it is over, so long at most."""
        for _ in range(int(seconds)):
            if run.over_at is not None:
                break
            await self.clock.advance(1.0)
        return run


def post_to(exchange: Exchange, peer: str) -> Callable[[str, bytes], Any]:
    async def post(service: str, data: bytes) -> bytes | None:
        answer = await exchange.answer(service, data, peer)
        body = bytes(answer.body)
        whole = type(answer).__name__ != "_Broken" and answer.status_code == 200
        return body if whole and 0 < len(body) <= MAX_READ else None

    return post


@pytest.fixture
def world() -> Callable[..., AbstractAsyncContextManager[World]]:
    @asynccontextmanager
    async def start(
        *, signed: bool = False, misdeeds: set[str] | None = None, **settings: Any
    ) -> AsyncIterator[World]:
        clock, own, ven_pair = FakeClock(), ec_pair(1), ec_pair(2)
        config = VtnSettings.model_validate(
            {
                "cert_file": Path("c"),
                "key_file": Path("k"),
                "ca_file": Path("a"),
                "vens": [{"ven_id": "ven-1", "name": "depot"}],
                "poll_frequency_s": 1,
                "report": None,
                "signatures": "required" if signed else "off",
                **settings,
            }
        )
        vtn = Vtn(config, clock, own.signing_key)
        exchange = Exchange(vtn, Wire(vtn, Journal(1000)))
        cache = ReplayCache(keep=timedelta(minutes=30))
        ven = ScriptedVen(
            post_to(exchange, ven_pair.fingerprint),
            clock,
            signer=Signer(ven_pair.signing_key) if signed else None,
            verifier=Verifier({own.fingerprint}, cache) if signed else None,
            misdeeds=misdeeds or set(),
        )
        runs = Runs(vtn)
        async with asyncio.TaskGroup() as tasks:
            helpers = [tasks.create_task(ven.run()), tasks.create_task(runs.run())]
            yield World(clock, vtn, exchange, runs, ven)
            for helper in helpers:
                helper.cancel()

    return start
