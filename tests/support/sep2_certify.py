"""Procedures against the simulated utility, which also plays its operator."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from certs.pki import Pki
from contracts.clock import SystemClock
from gateway.utility.sep2.settings import Sep2Settings
from gridyard.sep2.certify.bench import bench_for
from gridyard.sep2.certify.judging import Judgement
from gridyard.sep2.certify.unattended import Verdict, certify
from gridyard.sep2.certify.watch_list import WATCHED
from gridyard.sep2.certify.watching import watch
from support.ports import free_port
from support.sep2_client import client_settings
from support.sep2_server import RunningSep2

Operator = Callable[[RunningSep2], Awaitable[None]]


def listener(pki: Pki) -> dict[str, Any]:
    """Settings of a listener on a free port."""
    port = free_port()
    own = pki.sep2.aggregator
    url = f"https://127.0.0.1:{port}/notify"
    return {"host": "127.0.0.1", "port": port, "url": url, "cert": own.cert, "key": own.key}


async def verdicts(settings: Sep2Settings, *, write: bool = True) -> dict[str, Verdict]:
    """Every unattended procedure by id and title."""
    async with bench_for(settings, SystemClock()) as bench:
        return {f"{one.procedure} {one.title}": one async for one in certify(bench, write=write)}


async def watched(
    server: RunningSep2,
    procedure: str,
    operator: Operator,
    *,
    lasts_s: float = 60.0,
    patience_s: float = 20.0,
    **more: Any,
) -> tuple[Judgement, list[str]]:
    """Watch a procedure while the operator acts as soon as he is told to; what was said, too."""
    settings = client_settings(server, **{"poll_s": 0.3, **more})
    said: list[str] = []
    ready = asyncio.Event()

    def say(text: str) -> None:
        said.append(text)
        if text.startswith("ready"):
            ready.set()

    async def act() -> None:
        await ready.wait()
        await operator(server)

    async with bench_for(settings, SystemClock()) as bench, asyncio.TaskGroup() as tasks:
        acting = tasks.create_task(act())
        found = await watch(
            bench,
            WATCHED[procedure],
            timedelta(seconds=lasts_s),
            say,
            patience=timedelta(seconds=patience_s),
        )
        acting.cancel()
    return found, said
