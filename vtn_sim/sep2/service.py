"""The HTTP side: who is it, what is wanted, what goes wrong (IEEE 2030.5-2018, 5.5, 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

import structlog
from starlette.types import Receive, Scope, Send

from contracts.http_server import hang_up, peer_certificate
from contracts.identity import lfdi
from contracts.sep2.codec import MEDIA_TYPE
from vtn_sim.sep2.devices import Device
from vtn_sim.sep2.exchanges import Exchanges, Poll
from vtn_sim.sep2.faults import FaultSpec
from vtn_sim.sep2.paging import page_of
from vtn_sim.sep2.refusal import (
    FORBIDDEN,
    OK,
    TOO_LARGE,
    UNSUPPORTED,
    Refused,
    not_found,
)
from vtn_sim.sep2.routing import MAX_BODY_BYTES
from vtn_sim.sep2.tree import Answer, Tree

_log = structlog.get_logger(__name__)
_REDIRECTED = "moved"
_WRITES = ("PUT", "POST")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    target: str
    """Path and query."""
    lfdi: str
    body: bytes


class Sep2Service:
    """The server as an ASGI application. A client is who its certificate says, nothing else."""

    def __init__(self, tree: Tree, exchanges: Exchanges) -> None:
        self._tree = tree
        self._utility = tree.utility
        self._exchanges = exchanges

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        request = await _read(scope, receive)
        if request is None:
            return
        kind = self._tree.kind(request.path)
        fault = None
        if _REDIRECTED not in request.query:
            fault = self._utility.faults.strike(request.method, kind)
        if fault is not None and fault.effect == "slow":
            await self._utility.clock.sleep(fault.delay_s)
        answer = self._answer(request, fault)
        self._record(request, kind, answer, fault)
        if fault is not None and fault.effect == "drop":
            hang_up(scope)
            await receive()  # that it is gone: uvicorn is content then
        else:
            await self._send(send, answer, fault)

    # --- the answer ----------------------------------------------------------------------------

    def _answer(self, request: _Request, fault: FaultSpec | None) -> Answer:
        struck = None if fault is None else _struck(fault, request)
        if struck is not None:
            return struck
        try:
            client, page = self._admitted(request), page_of(request.query)
        except Refused as refused:
            return self._tree.refusal(refused)
        self._utility.first_contact.set()
        return self._tree.answer(
            client,
            request.method,
            request.path,
            page,
            request.body,
            endless=fault is not None and fault.effect == "endless",
        )

    def _admitted(self, request: _Request) -> Device:
        """The client, if it may come in and what it sends may be read."""
        client = self._utility.devices.client(request.lfdi)
        if client is None:
            _log.info("sep2_stranger", lfdi=request.lfdi, path=request.target[:200])
            raise Refused(FORBIDDEN, "unknown client") if request.method == "POST" else not_found()
        if len(request.body) > MAX_BODY_BYTES:
            raise Refused(TOO_LARGE, f"more than {MAX_BODY_BYTES} bytes")
        if request.method in _WRITES and _media_type(request) != MEDIA_TYPE:
            raise Refused(UNSUPPORTED, f"Content-Type is not {MEDIA_TYPE}")
        return client

    # --- the record ----------------------------------------------------------------------------

    def _record(
        self, request: _Request, kind: str, answer: Answer, fault: FaultSpec | None
    ) -> None:
        now = self._utility.now()
        remarks = [*answer.remarks, *([] if fault is None else [f"fault: {fault.effect}"])]
        if request.method == "GET" and MEDIA_TYPE not in request.headers.get("accept", ""):
            remarks.append(f"Accept does not name {MEDIA_TYPE}")
        if not kind:
            remarks.append("no such path: it did not come from a link")
        self._exchanges.add(
            at=now,
            lfdi=request.lfdi,
            method=request.method,
            path=request.target,
            kind=kind,
            status=0 if fault is not None and fault.effect == "drop" else answer.status,
            request=request.body,
            response=answer.body,
            remarks=remarks,
        )
        first_page = request.query.get("s", "0") == "0"
        if request.method == "GET" and answer.status == OK and first_page:
            rate = getattr(answer.resource, "poll_rate", None)
            self._exchanges.polled(request.lfdi, kind, request.path, Poll(at=now, rate=rate))

    async def _send(self, send: Send, answer: Answer, fault: FaultSpec | None) -> None:
        effect = None if fault is None else fault.effect
        headers = dict(answer.headers)
        if answer.body:
            headers["Content-Type"] = "text/html" if effect == "content-type" else MEDIA_TYPE
        headers["Content-Length"] = str(len(answer.body))
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        if effect == "cut":
            half = answer.body[: len(answer.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            return
        await send({"type": "http.response.body", "body": answer.body})


def _struck(fault: FaultSpec, request: _Request) -> Answer | None:
    """An answer that has nothing to do with what was asked."""
    match fault.effect:
        case "status":
            wait = (
                () if fault.retry_after_s is None else (("Retry-After", str(fault.retry_after_s)),)
            )
            return Answer(status=fault.status, headers=wait)
        case "redirect":
            again = f"{request.target}{'&' if '?' in request.target else '?'}{_REDIRECTED}=1"
            status = fault.status if fault.status < 400 else 302  # noqa: PLR2004 - redirections
            return Answer(status=status, headers=(("Location", fault.location or again),))
        case "garbage":
            return Answer(status=OK, body=b"<DERControlList><nonsense")
        case "drop":
            return Answer(status=OK)
        case _:
            return None


def _media_type(request: _Request) -> str:
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


async def _read(scope: Scope, receive: Receive) -> _Request | None:
    """The whole request; None when the client has gone in the middle of it."""
    body = await _body(receive)
    if body is None:
        return None
    query = scope["query_string"].decode("latin-1")
    certificate = peer_certificate(scope)
    path = scope["path"]
    return _Request(
        method=scope["method"],
        path=path,
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers={name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]},
        target=f"{path}?{query}" if query else path,
        lfdi="" if certificate is None else lfdi(certificate),
        body=body,
    )


async def _body(receive: Receive) -> bytes | None:
    """The body; of one that is too long, no more than shows that it is."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES or not message.get("more_body", False):
            return bytes(body[: MAX_BODY_BYTES + 1])
