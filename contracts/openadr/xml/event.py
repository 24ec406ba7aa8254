"""EiEvent in XML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from contracts.errors import ProtocolError
from contracts.openadr import values
from contracts.openadr.payloads.common import QualifiedEventId, Target
from contracts.openadr.payloads.event import (
    ActivePeriod,
    CreatedEvent,
    DistributeEvent,
    EventDescriptor,
    EventResponse,
    EventStatus,
    OadrEvent,
    OptType,
    RejectedEvent,
    RequestEvent,
    ResponseRequired,
)
from contracts.openadr.tolerance import Tolerance, tolerate
from contracts.openadr.xml import common, signal
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml.elements import Element, Markup, maybe, message, node
from contracts.openadr.xml.target import read_target, target
from contracts.openadr.xml.vocabulary import check_names

_ZERO = timedelta(0)
_EVENT = xml.qualified("oadr:oadrEvent")

# --- building ----------------------------------------------------------------------------------


def _distribute(m: DistributeEvent) -> Markup:
    return message(
        "oadr:oadrDistributeEvent",
        None if m.response is None else common.response(m.response),
        node("pyld:requestID", m.request_id),
        node("ei:vtnID", m.vtn_id),
        *(_event(event) for event in m.events),
    )


def _event(event: OadrEvent) -> Markup:
    return node(
        "oadr:oadrEvent",
        node(
            "ei:eiEvent",
            _descriptor(event.descriptor),
            _active_period(event.active_period),
            node(
                "ei:eiEventSignals",
                *xml.some("signal", map(signal.signal, event.signals)),
                signal.baseline(event.baseline),
            ),
            target(event.target),
        ),
        node("oadr:oadrResponseRequired", event.response_required.value),
    )


def _descriptor(d: EventDescriptor) -> Markup:
    modified_at = None if d.modified_at is None else values.format_instant(d.modified_at)
    return node(
        "ei:eventDescriptor",
        node("ei:eventID", d.event_id),
        node("ei:modificationNumber", xml.unsigned(d.modification_number)),
        maybe("ei:modificationDateTime", modified_at),
        maybe("ei:modificationReason", d.modification_reason),
        maybe("ei:priority", None if d.priority is None else xml.unsigned(d.priority)),
        node("ei:eiMarketContext", node("emix:marketContext", xml.uri(d.market_context))),
        node("ei:createdDateTime", values.format_instant(d.created_at)),
        node("ei:eventStatus", d.status.value),
        maybe("ei:testEvent", d.test_event),
        maybe("ei:vtnComment", d.vtn_comment),
    )


def _active_period(p: ActivePeriod) -> Markup:
    return node(
        "ei:eiActivePeriod",
        node(
            "xcal:properties",
            common.start(p.start),
            common.duration("xcal:duration", p.duration),
            _tolerance(p.start_after),
            common.duration("ei:x-eiNotification", p.notification),
            common.duration("ei:x-eiRampUp", p.ramp_up or None),
            common.duration("ei:x-eiRecovery", p.recovery or None),
        ),
        node("xcal:components"),
    )


def _tolerance(start_after: timedelta) -> Markup | None:
    if not start_after:
        return None
    text = values.format_duration(start_after)
    return node("xcal:tolerance", node("xcal:tolerate", node("xcal:startafter", text)))


def _request(m: RequestEvent) -> Markup:
    limit = None if m.reply_limit is None else xml.unsigned(m.reply_limit)
    return message(
        "oadr:oadrRequestEvent",
        node(
            "pyld:eiRequestEvent",
            node("pyld:requestID", m.request_id),
            node("ei:venID", m.ven_id),
            maybe("pyld:replyLimit", limit),
        ),
    )


def _created(m: CreatedEvent) -> Markup:
    return message(
        "oadr:oadrCreatedEvent",
        node(
            "pyld:eiCreatedEvent",
            common.response(m.response),
            node("ei:eventResponses", *(_event_response(r) for r in m.event_responses)),
            node("ei:venID", m.ven_id),
        ),
    )


def _event_response(r: EventResponse) -> Markup:
    return node(
        "ei:eventResponse",
        *common.response_parts(r.code, r.description, r.request_id),
        common.qualified_event_id(
            QualifiedEventId(event_id=r.event_id, modification_number=r.modification_number)
        ),
        node("ei:optType", r.opt_type.value),
    )


BUILDERS: Mapping[type, Callable[[Any], Markup]] = {
    DistributeEvent: _distribute,
    RequestEvent: _request,
    CreatedEvent: _created,
}

# --- reading -----------------------------------------------------------------------------------


def _read_distribute(e: Element) -> DistributeEvent:
    for part in e:
        if part.tag != _EVENT:
            check_names(part)
    events = [_read_event(event) for event in xml.children(e, "oadr:oadrEvent")]
    has_response = xml.maybe_child(e, "ei:eiResponse") is not None
    return DistributeEvent(
        response=common.read_response(e) if has_response else None,
        request_id=xml.text(e, "pyld:requestID"),
        vtn_id=xml.text(e, "ei:vtnID"),
        events=tuple(event for event in events if isinstance(event, OadrEvent)),
        rejected=tuple(event for event in events if isinstance(event, RejectedEvent)),
    )


def _read_event(e: Element) -> OadrEvent | RejectedEvent:
    """One event of a batch; a fault in it is its own, unless it has no readable identity."""
    event = xml.child(e, "ei:eiEvent")
    descriptor = xml.child(event, "ei:eventDescriptor")
    identity = common.read_qualified_event_id(descriptor)
    try:
        check_names(e)
        signals = xml.child(event, "ei:eiEventSignals")
        baseline = xml.maybe_child(signals, "ei:eiEventBaseline")
        return OadrEvent(
            descriptor=_read_descriptor(descriptor, identity),
            active_period=_read_active_period(xml.child(event, "ei:eiActivePeriod")),
            signals=tuple(map(signal.read_signal, xml.some_children(signals, "ei:eiEventSignal"))),
            baseline=None if baseline is None else signal.read_baseline(baseline),
            target=_read_event_target(event),
            response_required=xml.value(e, "oadr:oadrResponseRequired", ResponseRequired),
        )
    except ProtocolError as error:
        never = (xml.maybe_text(e, "oadr:oadrResponseRequired") or "").strip() == "never"
        return RejectedEvent(
            event_id=identity.event_id,
            modification_number=identity.modification_number,
            response_required=ResponseRequired.NEVER if never else ResponseRequired.ALWAYS,
            reason=str(error),
        )


def _read_event_target(event: Element) -> Target:
    found = xml.maybe_child(event, "ei:eiTarget")
    if found is None:
        tolerate(Tolerance.NO_TARGET, "eiEvent")
    return read_target(found)


def _read_descriptor(e: Element, identity: QualifiedEventId) -> EventDescriptor:
    market = xml.child(e, "ei:eiMarketContext")
    test_event = xml.maybe_text(e, "ei:testEvent")
    if test_event is not None and not test_event.strip():
        tolerate(Tolerance.EMPTY_TEST_EVENT, identity.event_id)
    return EventDescriptor(
        event_id=identity.event_id,
        modification_number=identity.modification_number,
        modified_at=xml.maybe_value(e, "ei:modificationDateTime", values.parse_instant),
        modification_reason=xml.maybe_text(e, "ei:modificationReason"),
        priority=xml.maybe_value(e, "ei:priority", xml.parse_unsigned),
        market_context=xml.text(market, "emix:marketContext").strip(),
        created_at=xml.value(e, "ei:createdDateTime", values.parse_instant),
        status=xml.value(e, "ei:eventStatus", EventStatus),
        test_event=test_event,
        vtn_comment=xml.maybe_text(e, "ei:vtnComment"),
    )


def _read_active_period(e: Element) -> ActivePeriod:
    properties = xml.child(e, "xcal:properties")
    period = ActivePeriod(
        start=common.read_start(properties),
        duration=common.read_duration(properties, "xcal:duration"),
        start_after=_read_tolerance(properties),
        notification=common.maybe_read_duration(properties, "ei:x-eiNotification") or _ZERO,
        ramp_up=common.maybe_read_duration(properties, "ei:x-eiRampUp") or _ZERO,
        recovery=common.maybe_read_duration(properties, "ei:x-eiRecovery") or _ZERO,
    )
    signal.check_span("eiActivePeriod", period.start, period.duration)
    return period


def _read_tolerance(properties: Element) -> timedelta:
    tolerance = xml.maybe_child(properties, "xcal:tolerance")
    tolerate = None if tolerance is None else xml.maybe_child(tolerance, "xcal:tolerate")
    if tolerate is None:
        return _ZERO
    return xml.maybe_value(tolerate, "xcal:startafter", values.parse_duration) or _ZERO


def _read_request(e: Element) -> RequestEvent:
    inner = xml.child(e, "pyld:eiRequestEvent")
    return RequestEvent(
        request_id=xml.text(inner, "pyld:requestID"),
        ven_id=xml.text(inner, "ei:venID"),
        reply_limit=xml.maybe_value(inner, "pyld:replyLimit", xml.parse_unsigned),
    )


def _read_created(e: Element) -> CreatedEvent:
    inner = xml.child(e, "pyld:eiCreatedEvent")
    responses = xml.maybe_child(inner, "ei:eventResponses")
    found = [] if responses is None else xml.children(responses, "ei:eventResponse")
    return CreatedEvent(
        response=common.read_response(inner),
        event_responses=tuple(_read_event_response(r) for r in found),
        ven_id=xml.text(inner, "ei:venID"),
    )


def _read_event_response(e: Element) -> EventResponse:
    event = common.read_qualified_event_id(xml.child(e, "ei:qualifiedEventID"))
    return EventResponse(
        code=common.read_code(e),
        description=xml.maybe_text(e, "ei:responseDescription"),
        request_id=xml.text(e, "pyld:requestID"),
        event_id=event.event_id,
        modification_number=event.modification_number,
        opt_type=xml.value(e, "ei:optType", OptType),
    )


READERS: Mapping[str, Callable[[Element], Any]] = {
    "oadrDistributeEvent": _read_distribute,
    "oadrRequestEvent": _read_request,
    "oadrCreatedEvent": _read_created,
}
