"""An independent IEEE 2030.5 client (py20305) as a program: `py20305_client.py URL CERT KEY CA`.

It discovers, then obeys from its standard input: `poll`, and `register LFDI`. It prints one line of
JSON for everything it finds out and every control it would apply.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from py20305.client.csip_client import CsipClient
from py20305.client.tls import TlsConfig
from py20305.events.dispatch import NullDispatcher


def say(what: str, **more: Any) -> None:
    print(json.dumps({"what": what, **more}), flush=True)  # noqa: T201 - this is how it speaks


class Dispatcher(NullDispatcher):
    """Says what it would tell devices."""

    async def apply_control(self, device_href: str, derc: Any, curves: Any) -> None:
        say("apply", device=device_href, mrid=derc.m_rid.value.hex().upper())

    async def apply_default_control(
        self, device_href: str, dderc: Any, curves: Any, **more: Any
    ) -> None:
        say("default", device=device_href)


async def main(url: str, cert: str, key: str, ca: str) -> None:
    """Run until the standard input ends."""
    base, _, path = url.rpartition("/")
    client = CsipClient(
        base,
        tls=TlsConfig(client_cert=Path(cert), client_key=Path(key), ca_cert=Path(ca)),
        dispatcher=Dispatcher(),
        server_2018_compat=True,
        dcap_path=f"/{path}",
    )
    await client.connect()
    devices = client.state.end_devices
    say("connected", devices=len(devices), programs=len(client.state.der_programs))
    running = asyncio.create_task(client.run())
    async for line in lines():
        word, _, rest = line.partition(" ")
        if word == "poll":
            say("polled", programs=await client.poll_now())
        elif word == "register":
            say("registered", href=await client.register_end_device(lfdi=rest))
    await client.shutdown()
    await running


async def lines() -> Any:
    """What is typed."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().strip():
        yield line


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5]))
