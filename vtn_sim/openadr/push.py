"""Push: the VTN posts to the https server of a VEN (profile 2.0b, simple HTTP, push model).

Each VEN gets one message after the other; one that does not arrive is tried again, ever more
seldom, while the VEN stays registered.
"""

from __future__ import annotations

import asyncio
import ssl

import httpx
import structlog

from contracts.errors import ProtocolError
from contracts.identity import openadr_fingerprint
from contracts.openadr import codec
from contracts.openadr.payloads import (
    CancelPartyRegistration,
    DistributeEvent,
    Payload,
    RequestReregistration,
)
from contracts.openadr.xml.envelope import MAX_MESSAGE_BYTES
from vtn_sim.openadr.faults import OadrFaultSpec, Passing
from vtn_sim.openadr.registry import Ven
from vtn_sim.openadr.vtn import Vtn
from vtn_sim.openadr.wire import Wire

_log = structlog.get_logger(__name__)
_TICK_S = 0.1
_TIMEOUT_S = 10.0
_AGAIN_S, _LONGEST_S = 0.5, 30.0


class Pusher:
    """Posts what VENs that do not poll are to get."""

    def __init__(self, vtn: Vtn, wire: Wire, tls: ssl.SSLContext) -> None:
        self._vtn = vtn
        self._wire = wire
        self._tls = tls
        self._busy: set[str] = set()
        self._waits_s: dict[str, float] = {}

    async def run(self) -> None:
        """Push until cancelled."""
        async with (
            httpx.AsyncClient(verify=self._tls, timeout=_TIMEOUT_S, trust_env=False) as client,
            asyncio.TaskGroup() as tasks,
        ):
            while True:
                for ven in self._vtn.registry.vens:
                    if ven.push_url and ven.ven_id not in self._busy:
                        self._push_next(ven, ven.push_url, client, tasks)
                await self._vtn.clock.sleep(_TICK_S)

    def _push_next(
        self, ven: Ven, url: str, client: httpx.AsyncClient, tasks: asyncio.TaskGroup
    ) -> None:
        message = self._vtn.next_message(ven)
        if message is not None:
            self._busy.add(ven.ven_id)
            tasks.create_task(self._push(ven, url, message, client))

    async def _push(self, ven: Ven, url: str, message: Payload, client: httpx.AsyncClient) -> None:
        try:
            if await self._post(ven, url, message, client):
                self._waits_s.pop(ven.ven_id, None)
                return
            self._vtn.undelivered(ven.ven_id, message)
            wait_s = self._waits_s.get(ven.ven_id, _AGAIN_S)
            self._waits_s[ven.ven_id] = min(2 * wait_s, _LONGEST_S)
            await self._vtn.clock.sleep(wait_s)
        finally:
            self._busy.discard(ven.ven_id)

    async def _post(self, ven: Ven, url: str, message: Payload, client: httpx.AsyncClient) -> bool:
        """Whether the VEN has taken it."""
        service, sign = _service(message), self._wire.signs_to(ven)
        fault = self._fault(ven, service, message)
        body = self._wire.write(service, message, ven.ven_id, sign=sign, fault=fault)
        html = fault is not None and fault.effect == "content-type"
        headers = {"Content-Type": "text/html" if html else "application/xml"}
        if fault is not None and fault.effect == "delay":
            await self._vtn.clock.sleep(fault.delay_s)
        try:
            answer, peer = await _exchange(client, f"{url}/{service}", body, headers)
        except (httpx.HTTPError, httpx.InvalidURL, ProtocolError, UnicodeError) as error:
            _log.info("vtn_push_failed", ven_id=ven.ven_id, error=repr(error))
            self._complain(ven, f"push to {service} failed: {error!r}")
            return fault is not None
        self._wire.settle(message, ven.ven_id, fault, signed=sign)
        if answer:
            self._heard(ven, service, answer, peer)
        return True

    def _fault(self, ven: Ven, service: str, message: Payload) -> OadrFaultSpec | None:
        name = codec.message_name(message)
        passing = Passing(
            ven_id=ven.ven_id, service=service, received="push", sent=name, pushed=True
        )
        return self._vtn.faults.strike(passing, self._vtn.clock.now(), taken=True)

    def _heard(self, ven: Ven, service: str, answer: bytes, peer: str | None) -> None:
        """What a VEN says in its answer counts as if it had posted it."""
        try:
            incoming = self._wire.read(service, answer, peer)
        except ProtocolError as error:
            self._complain(ven, f"its answer at {service} cannot be read: {error}")
            return
        self._vtn.handle(service, incoming.message)

    def _complain(self, ven: Ven, text: str) -> None:
        self._vtn.ledger.complain(self._vtn.clock.now(), ven.ven_id, text)


async def _exchange(
    client: httpx.AsyncClient, url: str, body: bytes, headers: dict[str, str]
) -> tuple[bytes, str | None]:
    """The answer, never more of it than a message may have, and the peer's fingerprint."""
    data = bytearray()
    async with client.stream("POST", url, content=body, headers=headers) as answer:
        answer.raise_for_status()
        async for chunk in answer.aiter_bytes():
            data += chunk
            if len(data) > MAX_MESSAGE_BYTES:
                raise ProtocolError("the answer is too long")
        stream = answer.extensions.get("network_stream")
        tls = None if stream is None else stream.get_extra_info("ssl_object")
        certificate = None if tls is None else tls.getpeercert(binary_form=True)
    return bytes(data), None if certificate is None else openadr_fingerprint(certificate)


def _service(message: Payload) -> str:
    match message:
        case DistributeEvent():
            return "EiEvent"
        case RequestReregistration() | CancelPartyRegistration():
            return "EiRegisterParty"
        case _:
            return "EiReport"
