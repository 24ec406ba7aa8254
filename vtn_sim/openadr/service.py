"""The four endpoints of the simple HTTP transport. Who may connect is up to TLS."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import Response as HttpResponse
from starlette.requests import ClientDisconnect

from contracts.errors import ProtocolError
from contracts.http_problem import install_problem_handlers
from contracts.openadr import codec, schema
from contracts.openadr.payloads import EiResponse, Payload, Response
from contracts.openadr.xml.envelope import MAX_MESSAGE_BYTES
from contracts.time import Clock
from vtn_sim.openadr.journal import Journal
from vtn_sim.openadr.refusal import NOT_RECOGNISED
from vtn_sim.openadr.vtn import SERVICES, Vtn

_log = structlog.get_logger(__name__)

PATH = "/OpenADR2/Simple/2.0b"
_BAD_REQUEST = 400
_KEPT_OF_NONSENSE = 10_000


def openadr_app(vtn: Vtn, journal: Journal, clock: Clock) -> FastAPI:
    """The VEN's side of the VTN as an application."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    install_problem_handlers(app)
    exchange = _Exchange(vtn, journal, clock)

    @app.post(PATH + "/{service}")
    async def post(service: str, request: Request) -> HttpResponse:
        if service not in SERVICES:
            raise HTTPException(404, f"no service {service!r}")
        return exchange.answer(service, await _body(request))

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


class _Exchange:
    """One message in, one message out, both in the journal."""

    def __init__(self, vtn: Vtn, journal: Journal, clock: Clock) -> None:
        self._vtn = vtn
        self._journal = journal
        self._clock = clock

    def answer(self, service: str, data: bytes) -> HttpResponse:
        try:
            message = codec.decode(data)
        except ProtocolError as error:
            return self._nonsense(service, data, error)
        self._journal.add(
            "received",
            service,
            data,
            self._clock.now(),
            name=codec.message_name(message),
            ven_id=_ven_id(message),
            fault=_schema_fault(data),
        )
        return self._send(service, self._vtn.handle(service, message), _ven_id(message))

    def _nonsense(self, service: str, data: bytes, error: ProtocolError) -> HttpResponse:
        """HTTP 400 with an oadrResponse that says what is wrong; nobody else notices."""
        _log.warning("vtn_unreadable_message", service=service, reason=str(error))
        kept = data[:_KEPT_OF_NONSENSE]
        self._journal.add("received", service, kept, self._clock.now(), fault=str(error))
        response = EiResponse(code=NOT_RECOGNISED, description=_printable(str(error)))
        return self._send(service, Response(response=response), None, _BAD_REQUEST)

    def _send(
        self, service: str, message: Payload, ven_id: str | None, status: int = 200
    ) -> HttpResponse:
        data = codec.encode(message)
        self._journal.add(
            "sent",
            service,
            data,
            self._clock.now(),
            name=codec.message_name(message),
            ven_id=_ven_id(message) or ven_id,
        )
        return HttpResponse(data, status, media_type="application/xml")


def _ven_id(message: Payload) -> str | None:
    ven_id: str | None = getattr(message, "ven_id", None)
    return ven_id


def _schema_fault(data: bytes) -> str | None:
    try:
        schema.validate(data)
    except ProtocolError as error:
        _log.warning("vtn_schema_fault", reason=str(error))
        return str(error)
    return None


def _printable(text: str) -> str:
    """Text of a parser's complaint without what XML cannot carry."""
    return "".join(c if c.isprintable() else "?" for c in text)
