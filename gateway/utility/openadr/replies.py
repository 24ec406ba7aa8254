"""Plain answers to a VTN, and the names under which answers wait in the outbox."""

from __future__ import annotations

import uuid

from contracts.openadr.payloads import (
    CanceledReport,
    CancelReport,
    CreatedReport,
    CreateReport,
    EiResponse,
    Payload,
    RegisteredReport,
    RegisterReport,
    Response,
)


def accepted(ven_id: str, request_id: str = "") -> Response:
    """An oadrResponse that says yes."""
    return Response(response=EiResponse(request_id=request_id), ven_id=ven_id)


def refused(message: Payload, code: int, why: str) -> Payload:
    """The answer of the kind the sender expects that says no, with an OpenADR response code."""
    response = EiResponse(code=code, description=why, request_id=request_id(message))
    match message:
        case CreateReport():
            return CreatedReport(response=response)
        case CancelReport():
            return CanceledReport(response=response)
        case RegisterReport():
            return RegisteredReport(response=response)
        case _:
            return Response(response=response)


def request_id(message: Payload) -> str:
    """The requestID of a message; empty when it has none."""
    found: str = getattr(message, "request_id", "")
    return found


def key(message: Payload) -> str:
    """What the answer to a message is about, for the outbox."""
    return f"{type(message).__name__}-{request_id(message) or new_id()}"


def new_id() -> str:
    """An id nobody has used."""
    return uuid.uuid4().hex
