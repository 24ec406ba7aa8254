"""The five endpoints of the simple HTTP transport. Who may connect is up to TLS."""

from __future__ import annotations

from dataclasses import replace

import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import Response as HttpResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from contracts.errors import ProtocolError
from contracts.http_problem import install_problem_handlers
from contracts.http_server import hang_up, peer_certificate
from contracts.identity import openadr_fingerprint
from contracts.openadr import codec
from contracts.openadr.payloads import EiResponse, Payload, Response
from contracts.openadr.signature import SignatureError
from contracts.openadr.xml.envelope import MAX_MESSAGE_BYTES
from vtn_sim.openadr.faults import OadrFaultSpec, Passing
from vtn_sim.openadr.ledger import Receipt
from vtn_sim.openadr.refusal import NOT_ALLOWED, NOT_RECOGNISED
from vtn_sim.openadr.registry import PATH
from vtn_sim.openadr.vtn import SERVICES, Vtn
from vtn_sim.openadr.wire import DOUBTFUL, Incoming, Wire

__all__ = ["PATH", "Exchange", "openadr_app"]

_log = structlog.get_logger(__name__)

_OK, _BAD_REQUEST, _FORBIDDEN = 200, 400, 403
_XML = "application/xml"


def openadr_app(vtn: Vtn, wire: Wire) -> FastAPI:
    """The VEN's side of the VTN as an application."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    install_problem_handlers(app)
    exchange = Exchange(vtn, wire)

    @app.post(PATH + "/{service}")
    async def post(service: str, request: Request) -> HttpResponse:
        if service not in SERVICES:
            raise HTTPException(404, f"no service {service!r}")
        certificate = peer_certificate(request.scope)
        peer = None if certificate is None else openadr_fingerprint(certificate)
        return await exchange.answer(service, await _body(request), peer)

    return app


async def _body(request: Request) -> bytes:
    """The body, never more of it than a message may have."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_MESSAGE_BYTES:
                raise HTTPException(413, f"a message has at most {MAX_MESSAGE_BYTES} bytes")
    except ClientDisconnect as error:
        raise HTTPException(_BAD_REQUEST, "the message ended too early") from error
    return bytes(body)


class Exchange:
    """One message in, one message out."""

    def __init__(self, vtn: Vtn, wire: Wire) -> None:
        self._vtn = vtn
        self._wire = wire

    async def answer(self, service: str, data: bytes, peer: str | None) -> HttpResponse:
        """The answer to what came from whoever showed a certificate of this fingerprint."""
        try:
            incoming = self._wire.read(service, data, peer)
        except ProtocolError as error:
            return self._nonsense(service, error)
        now = self._vtn.clock.now()
        passing = Passing(ven_id=incoming.ven_id, service=service, received=incoming.name)
        fault = self._vtn.faults.strike(passing, now, taken=False)
        if fault is not None:
            self._vtn.lost(incoming.message)
            nothing = Response(response=EiResponse())
            return await self._send(service, nothing, incoming, fault)
        receipt = Receipt(at=now)
        answer = self._vtn.handle(service, incoming.message, receipt)
        passing = replace(passing, sent=codec.message_name(answer))
        fault = self._vtn.faults.strike(passing, now, taken=True)
        receipt.acknowledged = fault is None or fault.effect not in DOUBTFUL
        return await self._send(service, answer, incoming, fault)

    def _nonsense(self, service: str, error: ProtocolError) -> HttpResponse:
        """HTTP 400 with an oadrResponse that says what is wrong; nobody else notices."""
        _log.warning("vtn_unreadable_message", service=service, reason=str(error))
        refused = isinstance(error, SignatureError)
        code, status = (NOT_ALLOWED, _FORBIDDEN) if refused else (NOT_RECOGNISED, _BAD_REQUEST)
        response = EiResponse(code=code, description=_printable(str(error)))
        sign = self._vtn.signatures.mode == "required"
        data = self._wire.write(service, Response(response=response), "", sign=sign)
        return HttpResponse(data, status, media_type=_XML)

    async def _send(
        self, service: str, message: Payload, incoming: Incoming, fault: OadrFaultSpec | None
    ) -> HttpResponse:
        ven_id = incoming.ven_id or getattr(message, "ven_id", None) or ""
        sign = incoming.signed
        data = self._wire.write(service, message, ven_id, sign=sign, fault=fault)
        self._wire.settle(message, ven_id, fault, signed=sign)
        if fault is None:
            return HttpResponse(data, _OK, media_type=_XML)
        if fault.effect == "delay":
            await self._vtn.clock.sleep(fault.delay_s)
        return _faulty(data, fault)


def _faulty(data: bytes, fault: OadrFaultSpec) -> HttpResponse:
    match fault.effect:
        case "status":
            wait = fault.retry_after_s
            headers = {} if wait is None else {"Retry-After": str(wait)}
            return HttpResponse(b"", fault.status, headers)
        case "redirect":
            status = fault.status if fault.status < _BAD_REQUEST else 307
            return HttpResponse(b"", status, {"Location": fault.location})
        case "content-type":
            return HttpResponse(data, _OK, media_type="text/html")
        case "disconnect" | "drop":
            half = data[: len(data) // 2] if fault.effect == "disconnect" else None
            return _Broken(half, len(data))
        case _:
            return HttpResponse(data, _OK, media_type=_XML)


class _Broken(HttpResponse):
    """An answer whose connection ends in the middle of it, or before it."""

    def __init__(self, half: bytes | None, promised: int) -> None:
        super().__init__(media_type=_XML)
        self._half = half
        self._promised = promised

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._half is None:
            hang_up(scope)
            await receive()  # that it is gone: uvicorn is content then
            return
        headers = [
            (b"content-type", _XML.encode()),
            (b"content-length", str(self._promised).encode()),
        ]
        await send({"type": "http.response.start", "status": _OK, "headers": headers})
        await send({"type": "http.response.body", "body": self._half, "more_body": True})


def _printable(text: str) -> str:
    """Text of a parser's complaint without what XML cannot carry."""
    return "".join(c if c.isprintable() else "?" for c in text)
