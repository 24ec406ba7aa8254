"""A VTN whose every answer a test can choose, over real mutual TLS; it pushes too.

It is not the simulated utility: it keeps no books, so it can be as wrong as a test wants.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from certs.pki import Pki
from contracts.clock import SystemClock
from contracts.http_server import hang_up, peer_certificate, serve
from contracts.identity import client_context, openadr_fingerprint, server_context
from contracts.openadr import codec
from contracts.openadr.payloads import (
    CanceledOpt,
    CancelOpt,
    CreatedOpt,
    CreatedPartyRegistration,
    CreateOpt,
    CreatePartyRegistration,
    DistributeEvent,
    EiResponse,
    OadrEvent,
    Payload,
    Poll,
    QueryRegistration,
    RegisteredReport,
    RegisterReport,
    RequestEvent,
    Response,
    UpdatedReport,
    UpdateReport,
)
from contracts.openadr.signature import ReplayCache, Signer, SigningKey, Verifier

PATH = "/OpenADR2/Simple/2.0b"
XML = "application/xml"
_CLOCK = SystemClock()
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One request as it came."""

    service: str
    headers: dict[str, str]
    body: bytes
    payload: Payload
    signed_by: str | None
    fingerprint: str
    """Of the client certificate."""
    connection: object
    """The client's address: the same while a connection is used again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What the VTN does in place of a right answer."""

    name: str
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("content-type", XML),)
    body: bytes = b""
    claimed_length: int | None = None
    """Content-Length; more than the body has means that it breaks off."""
    silent: bool = False
    """Never answers."""

    def __str__(self) -> str:
        return self.name


@dataclass(slots=True)
class WaywardVtn:
    """What it has heard, and what it will say."""

    name: str
    signer: Signer | None = None
    verifier: Verifier | None = None
    ven_id: str = "ven-7"
    heard: list[Heard] = field(default_factory=list)
    events: list[OadrEvent] = field(default_factory=list)
    for_polls: deque[Payload] = field(default_factory=deque)
    faults: deque[tuple[type, Fault]] = field(default_factory=deque)
    """For the next message of that type, in order."""
    held: dict[type, asyncio.Event] = field(default_factory=dict)
    """Answers to messages of that type are made at once and sent when the event is set."""
    raw: deque[bytes] = field(default_factory=deque)
    """Whole answers to the next polls."""
    port: int = 0
    stop_talking: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}{PATH}"

    def of(self, kind: type) -> list[Any]:
        """Everything of one kind that was heard."""
        return [one.payload for one in self.heard if isinstance(one.payload, kind)]

    def sealed(self, payload: Payload) -> bytes:
        """A message of this VTN's."""
        if self.signer is None:
            return codec.encode(payload)
        return codec.encode_signed(payload, self.signer, _CLOCK.now())

    def answer(self, message: Payload) -> Payload | None:
        """The right answer; None is an empty one, as openleadr's to an oadrResponse."""
        ok = EiResponse(request_id=getattr(message, "request_id", ""))
        match message:
            case Poll():
                return self.for_polls.popleft() if self.for_polls else Response(response=ok)
            case RequestEvent():
                return distribution(self.name, *self.events, request_id=ok.request_id)
            case Response():
                return None
            case QueryRegistration() | CreatePartyRegistration():
                return self._registration(message, ok)
            case _:
                return self._acknowledgement(message, ok)

    def _registration(
        self, message: QueryRegistration | CreatePartyRegistration, ok: EiResponse
    ) -> Payload:
        if isinstance(message, QueryRegistration):
            return CreatedPartyRegistration(response=ok, vtn_id=self.name)
        return CreatedPartyRegistration(
            response=ok,
            vtn_id=self.name,
            ven_id=self.ven_id,
            registration_id=message.registration_id or f"reg-{self.name}",
            poll_frequency=timedelta(seconds=1),
        )

    def _acknowledgement(self, message: Payload, ok: EiResponse) -> Payload:
        match message:
            case RegisterReport():
                return RegisteredReport(response=ok, ven_id=self.ven_id)
            case UpdateReport():
                return UpdatedReport(response=ok, ven_id=self.ven_id)
            case CreateOpt():
                return CreatedOpt(response=ok, opt_id=message.opt_id)
            case CancelOpt():
                return CanceledOpt(response=ok, opt_id=message.opt_id)
            case _:
                return Response(response=ok)

    def _fault_for(self, message: Payload) -> Fault | None:
        if self.faults and isinstance(message, self.faults[0][0]):
            return self.faults.popleft()[1]
        return None

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        """One request (ASGI)."""
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        payload = self._note(scope, body)
        fault = self._fault_for(payload)
        if fault is not None:
            await self._misbehave(fault, scope, send)
        elif self.raw and isinstance(payload, Poll):
            await _send(send, 200, ((b"content-type", XML.encode()),), self.raw.popleft())
        else:
            answer = self.answer(payload)
            data = b"" if answer is None else self.sealed(answer)
            if type(payload) in self.held:
                await self.held[type(payload)].wait()
            await _send(send, 200, ((b"content-type", XML.encode()),), data)

    def _note(self, scope: Any, body: bytes) -> Payload:
        received = (
            codec.receive(body)
            if self.verifier is None
            else codec.receive_signed(body, self.verifier, _CLOCK.now())
        )
        self.heard.append(
            Heard(
                service=scope["path"].rpartition("/")[2],
                headers={k.decode().lower(): v.decode() for k, v in scope["headers"]},
                body=body,
                payload=received.payload,
                signed_by=received.signed_by,
                fingerprint=openadr_fingerprint(peer_certificate(scope) or b""),
                connection=scope["client"],
            )
        )
        return received.payload

    async def _misbehave(self, fault: Fault, scope: Any, send: Send) -> None:
        if fault.silent:
            await self.stop_talking.wait()
            hang_up(scope)
            return
        headers = tuple((k.encode(), v.encode()) for k, v in fault.headers)
        await _send(send, fault.status, headers, fault.body, fault.claimed_length)
        if fault.claimed_length is not None:
            hang_up(scope)


async def _send(
    send: Send,
    status: int,
    headers: tuple[tuple[bytes, bytes], ...],
    body: bytes,
    length: int | None = None,
) -> None:
    size = len(body) if length is None else length
    sized = [*headers, (b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": status, "headers": sized})
    await send({"type": "http.response.body", "body": body, "more_body": length is not None})


def distribution(vtn_id: str, *events: OadrEvent, request_id: str = "") -> DistributeEvent:
    """Events as this VTN sends them."""
    return DistributeEvent(
        request_id=request_id or uuid.uuid4().hex,
        vtn_id=vtn_id,
        response=EiResponse(request_id=request_id),
        events=events,
    )


def signing(pki: Pki, *, trusts: str) -> dict[str, Any]:
    """Arguments for a VTN that signs, and takes what is signed by `trusts` alone."""
    key = SigningKey(pki.vtn.cert.read_bytes(), pki.vtn.key.read_bytes())
    return {
        "signer": Signer(key),
        "verifier": Verifier(frozenset({trusts}), ReplayCache()),
    }


@asynccontextmanager
async def wayward_vtn(pki: Pki, name: str = "VTN-1", **more: Any) -> AsyncIterator[WaywardVtn]:
    """It answers while the block runs."""
    vtn = WaywardVtn(name, **more)
    tls = server_context(pki.vtn.cert, pki.vtn.key, pki.utility_ca)
    ports: asyncio.Queue[int] = asyncio.Queue()
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            serve(vtn, host="127.0.0.1", port=0, stopping=stopping, tls=tls, ready=ports.put_nowait)
        )
        vtn.port = await ports.get()
        yield vtn
        vtn.stop_talking.set()
        stopping.set()


class Pusher:
    """The VTN as a client of the VEN's listener."""

    def __init__(self, client: httpx.AsyncClient, vtn: WaywardVtn) -> None:
        self.client = client
        self._vtn = vtn

    async def post(self, service: str, data: bytes, **headers: str) -> httpx.Response:
        """A raw message."""
        found = {"Content-Type": XML, **{k.replace("_", "-"): v for k, v in headers.items()}}
        return await self.client.post(service, content=data, headers=found)

    async def push(self, service: str, payload: Payload) -> Payload:
        """A message of the VTN's, and the VEN's answer."""
        answer = await self.post(service, self._vtn.sealed(payload))
        assert answer.status_code == httpx.codes.OK, answer.status_code
        assert answer.headers["content-type"] == XML
        if self._vtn.verifier is None:
            return codec.decode(answer.content)
        return codec.receive_signed(answer.content, self._vtn.verifier, _CLOCK.now()).payload


@asynccontextmanager
async def pusher(pki: Pki, vtn: WaywardVtn, url: str) -> AsyncIterator[Pusher]:
    """A client with the VTN's certificate."""
    tls = client_context(pki.utility_ca, pki.vtn.cert, pki.vtn.key)
    async with httpx.AsyncClient(base_url=url.rstrip("/") + "/", verify=tls, trust_env=False) as c:
        yield Pusher(c, vtn)
