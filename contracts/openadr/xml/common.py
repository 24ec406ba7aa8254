"""Responses, durations, instants and Green Button feeds."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.errors import ProtocolError
from contracts.openadr import values
from contracts.openadr.payloads.common import AtomFeed, EiResponse, QualifiedEventId
from contracts.openadr.tolerance import Tolerance, tolerate
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml.elements import Element, Markup, maybe, node
from contracts.openadr.xml.parsing import canonical, parse

# --- responses ---------------------------------------------------------------------------------


def response_parts(code: int, description: str | None, request_id: str) -> list[Markup | None]:
    """The children that `eiResponse` and `eventResponse` begin with."""
    if not 0 <= code <= 999:  # noqa: PLR2004 - the schema asks for three digits
        raise ValueError(f"response code {code} does not have three digits")
    return [
        node("ei:responseCode", f"{code:03d}"),
        maybe("ei:responseDescription", description),
        node("pyld:requestID", request_id),
    ]


def response(value: EiResponse, name: str = "ei:eiResponse") -> Markup:
    """`eiResponse`."""
    return node(name, *response_parts(value.code, value.description, value.request_id))


def read_code(element: Element) -> int:
    """`responseCode`, three digits."""
    return xml.value(element, "ei:responseCode", _parse_code)


def _parse_code(raw: str) -> int:
    if len(raw) != 3 or not (raw.isascii() and raw.isdigit()):  # noqa: PLR2004 - as above
        raise ValueError(f"not a three-digit code: {raw[:40]!r}")
    return int(raw)


def read_response(parent: Element) -> EiResponse:
    """`eiResponse` of a message. A missing requestID is read as empty, as 2.0a senders do."""
    element = xml.child(parent, "ei:eiResponse")
    request_id = xml.maybe_text(element, "pyld:requestID")
    if request_id is None:
        tolerate(Tolerance.NO_REQUEST_ID, xml.local_name(parent))
    return EiResponse(
        code=read_code(element),
        description=xml.maybe_text(element, "ei:responseDescription"),
        request_id=request_id or "",
    )


# --- events ------------------------------------------------------------------------------------


def qualified_event_id(value: QualifiedEventId) -> Markup:
    """`qualifiedEventID`."""
    return node(
        "ei:qualifiedEventID",
        node("ei:eventID", value.event_id),
        node("ei:modificationNumber", xml.unsigned(value.modification_number)),
    )


def read_qualified_event_id(e: Element) -> QualifiedEventId:
    """`qualifiedEventID`."""
    return QualifiedEventId(
        event_id=xml.text(e, "ei:eventID"),
        modification_number=xml.value(e, "ei:modificationNumber", xml.parse_unsigned),
    )


# --- time --------------------------------------------------------------------------------------


def duration(name: str, value: timedelta | None) -> Markup | None:
    """`<name><xcal:duration>PT5M</xcal:duration></name>`."""
    if value is None:
        return None
    return node(name, node("xcal:duration", values.format_duration(value)))


def read_duration(parent: Element, name: str) -> timedelta:
    """A duration written by `duration`."""
    return xml.value(xml.child(parent, name), "xcal:duration", values.parse_duration)


def maybe_read_duration(parent: Element, name: str) -> timedelta | None:
    """As `read_duration`, or None when absent."""
    found = xml.maybe_child(parent, name)
    return None if found is None else xml.value(found, "xcal:duration", values.parse_duration)


def start(value: datetime | None) -> Markup | None:
    """`xcal:dtstart`."""
    if value is None:
        return None
    return node("xcal:dtstart", node("xcal:date-time", values.format_instant(value)))


def read_start(parent: Element) -> datetime:
    """`xcal:dtstart`."""
    return xml.value(xml.child(parent, "xcal:dtstart"), "xcal:date-time", values.parse_instant)


def maybe_read_start(parent: Element) -> datetime | None:
    """As `read_start`, or None when absent."""
    found = xml.maybe_child(parent, "xcal:dtstart")
    return None if found is None else xml.value(found, "xcal:date-time", values.parse_instant)


def uid(value: str | None) -> Markup | None:
    """`xcal:uid`."""
    return None if value is None else node("xcal:uid", node("xcal:text", value))


def maybe_read_uid(parent: Element) -> str | None:
    """`xcal:uid`, or None when absent."""
    found = xml.maybe_child(parent, "xcal:uid")
    return None if found is None else xml.text(found, "xcal:text")


# --- Green Button ------------------------------------------------------------------------------


def feed(name: str, value: AtomFeed) -> Markup:
    """A Green Button element around the feed.

    Raises:
        ValueError: it is not an Atom feed. What the feed holds is not checked.
    """
    try:
        return node(name, Markup(_canonical(parse(value.xml.encode()))))
    except ProtocolError as error:
        raise ValueError(f"not an Atom feed: {error}") from error


def read_feed(e: Element) -> AtomFeed:
    """The feed in a Green Button element."""
    return AtomFeed(xml=_canonical(xml.child(e, "atom:feed")))


def _canonical(element: Element) -> str:
    if element.tag != xml.qualified("atom:feed"):
        raise ProtocolError(f"the root is {element.tag!r}")
    return canonical(element, exclusive=True).decode()
