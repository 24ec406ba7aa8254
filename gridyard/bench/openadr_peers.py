"""Signed polls over mutual TLS: our VEN's transport and our VTN, openleadr's client and server.

Each runs in a process of its own, whose processor time is its own.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from contracts.clock import SystemClock
from contracts.errors import ProtocolError
from contracts.identity import client_context
from contracts.openadr.payloads import CreatePartyRegistration, Poll, Response
from gateway.utility.openadr.security import MessageSecurity
from gateway.utility.openadr.settings import OpenAdrSettings
from gateway.utility.openadr.transport import VtnTransport
from gridyard.bench.processes import quietly
from vtn_sim.config import KnownVen, VtnSettings
from vtn_sim.main import VtnAddresses
from vtn_sim.main import run as run_vtn

VEN_ID, VTN_ID = "bench-ven", "BENCH-VTN"
_HOST, _WARM_UP = "127.0.0.1", 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One side's files and fingerprint."""

    cert: Path
    key: Path
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Both sides; each trusts the certificates in `ca`."""

    vtn: Party
    ven: Party
    ca: Path


Server = Callable[[Parties, Callable[[str], None], asyncio.Event], Awaitable[None]]
Client = Callable[[Parties, str, Connection], Awaitable[None]]


def serve(server: Server, parties: Parties, pipe: Connection) -> None:
    """Run a server in this process: its address into the pipe, then its CPU seconds when asked."""

    async def main() -> None:
        stopping = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_tell_cpu(pipe, stopping))
            await server(parties, pipe.send, stopping)

    quietly(main())


def poll(client: Client, parties: Parties, url: str, pipe: Connection) -> None:
    """Run a client in this process, until its pipe is closed."""
    quietly(client(parties, url, pipe))


async def _tell_cpu(pipe: Connection, stopping: asyncio.Event) -> None:
    while True:
        try:
            await asyncio.to_thread(pipe.recv)
        except EOFError:
            stopping.set()
            return
        pipe.send(time.process_time())


async def _measure(one: Callable[[], Awaitable[None]], pipe: Connection) -> None:
    """Warm up, say so, and poll as often as asked, each time telling the CPU seconds."""
    for _ in range(_WARM_UP):
        await one()
    pipe.send("warm")
    while True:
        try:
            polls = pipe.recv()
        except EOFError:
            return
        start = time.process_time()
        for _ in range(polls):
            await one()
        pipe.send(time.process_time() - start)


# --- ours ----------------------------------------------------------------------------------------


async def our_server(
    parties: Parties, ready: Callable[[str], None], stopping: asyncio.Event
) -> None:
    """The simulated utility."""

    def listening(addresses: VtnAddresses) -> None:
        ready(addresses.openadr_url)

    settings = VtnSettings(
        vtn_id=VTN_ID,
        cert_file=parties.vtn.cert,
        key_file=parties.vtn.key,
        ca_file=parties.ca,
        signatures="required",
        report=None,
        vens=(KnownVen(ven_id=VEN_ID, name=VEN_ID, fingerprint=parties.ven.fingerprint),),
    )
    await run_vtn(settings, SystemClock(), listening, stopping)


async def our_client(parties: Parties, url: str, pipe: Connection) -> None:
    """The transport of the gateway's VEN."""
    settings = _settings(parties, url)
    tls = client_context(settings.ca, settings.cert, settings.key)
    transport = VtnTransport(settings, tls, MessageSecurity(settings, SystemClock()))

    async def one() -> None:
        answer = await transport.exchange(Poll(ven_id=VEN_ID))
        if not isinstance(answer, Response) or not answer.response.ok:
            raise ProtocolError(f"answered {answer}")

    try:
        await transport.exchange(
            CreatePartyRegistration(
                request_id="1", ven_id=VEN_ID, ven_name=VEN_ID, xml_signature=True
            )
        )
        await _measure(one, pipe)
    finally:
        await transport.aclose()


def _settings(parties: Parties, url: str) -> OpenAdrSettings:
    return OpenAdrSettings.model_validate(
        {
            "utility_id": "bench",
            "url": url,
            "ven_name": VEN_ID,
            "ca": parties.ca,
            "cert": parties.ven.cert,
            "key": parties.ven.key,
            "sign": True,
            "vtn_fingerprint": parties.vtn.fingerprint,
        }
    )


# --- openleadr -----------------------------------------------------------------------------------


async def their_server(
    parties: Parties, ready: Callable[[str], None], stopping: asyncio.Event
) -> None:
    """`OpenADRServer`, which checks the signature and the TLS certificate as ours does."""
    from openleadr.server import OpenADRServer  # noqa: PLC0415 - in its own process alone

    def ven_lookup(ven_id: str) -> dict[str, str]:
        known = {"ven_id": ven_id, "ven_name": ven_id, "registration_id": "1"}
        return {**known, "fingerprint": parties.ven.fingerprint}

    server: Any = OpenADRServer
    port = _free_port()
    running = server(
        vtn_id=VTN_ID,
        cert=parties.vtn.cert,
        key=parties.vtn.key,
        http_cert=parties.vtn.cert,
        http_key=parties.vtn.key,
        http_ca_file=parties.ca,
        http_host=_HOST,
        http_port=port,
        ven_lookup=ven_lookup,
    )
    await running.run()
    ready(f"https://{_HOST}:{port}/OpenADR2/Simple/2.0b")
    await stopping.wait()
    await running.stop()


async def their_client(parties: Parties, url: str, pipe: Connection) -> None:
    """`OpenADRClient`, its poll alone."""
    from openleadr.client import OpenADRClient  # noqa: PLC0415 - in its own process alone

    client: Any = OpenADRClient
    ven = client(
        ven_name=VEN_ID,
        ven_id=VEN_ID,
        vtn_url=url,
        cert=str(parties.ven.cert),
        key=str(parties.ven.key),
        ca_file=str(parties.ca),
        vtn_fingerprint=parties.vtn.fingerprint,
    )

    async def one() -> None:
        kind, answer = await ven.poll()
        if kind != "oadrResponse" or answer["response"]["response_code"] != HTTPStatus.OK:
            raise ProtocolError(f"answered {kind} {answer}")

    try:
        await ven.create_party_registration(ven_id=VEN_ID)
        await _measure(one, pipe)
    finally:
        await ven.client_session.close()


def _free_port() -> int:
    with socket.create_server((_HOST, 0)) as listener:
        return int(listener.getsockname()[1])
