"""A market on a real socket, at a time of our choosing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import AnyHttpUrl

from contracts.time import Clock
from gateway.prices.settings import EntsoeSettings, OasisSettings
from vtn_sim.prices.server import PriceServer
from vtn_sim.prices.settings import PriceServerSettings

NL, NODE = "10YNL----------L", "TH_NP15_GEN-APND"


@asynccontextmanager
async def market(
    clock: Clock, settings: PriceServerSettings | None = None
) -> AsyncIterator[tuple[PriceServer, str]]:
    """The server, and its address."""
    server, stopping = PriceServer(settings or PriceServerSettings(), clock), asyncio.Event()
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        group.create_task(server.run(stopping, port.set_result))
        yield server, f"http://127.0.0.1:{await port}"
        stopping.set()


def entsoe_settings(url: str, folder: Path, token: str = "simulated") -> EntsoeSettings:
    file = folder / "token"
    file.write_text(f"{token}\n")
    return EntsoeSettings(
        kind="entsoe", source_id="nl", area=NL, token_file=file, url=AnyHttpUrl(f"{url}/api")
    )


def oasis_settings(url: str) -> OasisSettings:
    return OasisSettings(
        kind="oasis",
        source_id="np15",
        node=NODE,
        url=AnyHttpUrl(f"{url}/oasisapi/SingleZip"),
    )
