"""EiOpt in XML."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from contracts.errors import ProtocolError
from contracts.openadr import values, words
from contracts.openadr.payloads.common import Target
from contracts.openadr.payloads.event import OptType
from contracts.openadr.payloads.opt import (
    Availability,
    CanceledOpt,
    CancelOpt,
    CreatedOpt,
    CreateOpt,
)
from contracts.openadr.xml import common
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml.elements import Element, Markup, maybe, message, node
from contracts.openadr.xml.target import read_target, target

# --- building ----------------------------------------------------------------------------------


def _create(m: CreateOpt) -> Markup:
    return message(
        "oadr:oadrCreateOpt",
        node("ei:optID", m.opt_id),
        node("ei:optType", m.opt_type.value),
        node("ei:optReason", words.opt_reason(m.reason)),
        None if m.market_context is None else node("emix:marketContext", xml.uri(m.market_context)),
        node("ei:venID", m.ven_id),
        _vavailability(m.availability),
        node("ei:createdDateTime", values.format_instant(m.created_at)),
        node("pyld:requestID", m.request_id),
        None if m.event is None else common.qualified_event_id(m.event),
        target(m.target),
        _device_class(m.device_classes),
    )


def _vavailability(spans: tuple[Availability, ...]) -> Markup | None:
    if not spans:
        return None
    return node("xcal:vavailability", node("xcal:components", *map(_available, spans)))


def _available(span: Availability) -> Markup:
    if span.duration < timedelta(0):
        raise ValueError(f"an availability of {span.duration} is negative")
    start, duration = common.start(span.start), common.duration("xcal:duration", span.duration)
    return node("xcal:available", node("xcal:properties", start, duration))


def _device_class(names: tuple[str, ...]) -> Markup | None:
    if not names:
        return None
    return target(Target(end_device_assets=names), "oadr:oadrDeviceClass")


def _created(m: CreatedOpt) -> Markup:
    return message("oadr:oadrCreatedOpt", common.response(m.response), node("ei:optID", m.opt_id))


def _cancel(m: CancelOpt) -> Markup:
    return message(
        "oadr:oadrCancelOpt",
        node("pyld:requestID", m.request_id),
        node("ei:optID", m.opt_id),
        node("ei:venID", m.ven_id),
    )


def _canceled(m: CanceledOpt) -> Markup:
    return message("oadr:oadrCanceledOpt", common.response(m.response), maybe("ei:optID", m.opt_id))


BUILDERS: Mapping[type, Callable[[Any], Markup]] = {
    CreateOpt: _create,
    CreatedOpt: _created,
    CancelOpt: _cancel,
    CanceledOpt: _canceled,
}

# --- reading -----------------------------------------------------------------------------------


def _read_create(e: Element) -> CreateOpt:
    event = xml.maybe_child(e, "ei:qualifiedEventID")
    return CreateOpt(
        opt_id=xml.text(e, "ei:optID"),
        opt_type=xml.value(e, "ei:optType", OptType),
        reason=xml.value(e, "ei:optReason", words.opt_reason),
        market_context=xml.maybe_value(e, "emix:marketContext", str),
        ven_id=xml.text(e, "ei:venID"),
        availability=_read_vavailability(xml.maybe_child(e, "xcal:vavailability")),
        created_at=xml.value(e, "ei:createdDateTime", values.parse_instant),
        request_id=xml.text(e, "pyld:requestID"),
        event=None if event is None else common.read_qualified_event_id(event),
        target=read_target(xml.child(e, "ei:eiTarget")),
        device_classes=_read_device_class(xml.maybe_child(e, "oadr:oadrDeviceClass")),
    )


def _read_vavailability(e: Element | None) -> tuple[Availability, ...]:
    if e is None:
        return ()
    spans = xml.children(xml.child(e, "xcal:components"), "xcal:available")
    return tuple(_read_available(xml.child(span, "xcal:properties")) for span in spans)


def _read_available(properties: Element) -> Availability:
    duration = common.read_duration(properties, "xcal:duration")
    if duration < timedelta(0):
        raise ProtocolError("available: the duration is negative")
    return Availability(start=common.read_start(properties), duration=duration)


def _read_device_class(e: Element | None) -> tuple[str, ...]:
    classes = read_target(e)
    if classes != Target(end_device_assets=classes.end_device_assets):
        raise ProtocolError("oadrDeviceClass: only endDeviceAsset may stand there")
    return classes.end_device_assets


def _read_created(e: Element) -> CreatedOpt:
    return CreatedOpt(response=common.read_response(e), opt_id=xml.text(e, "ei:optID"))


def _read_cancel(e: Element) -> CancelOpt:
    return CancelOpt(
        request_id=xml.text(e, "pyld:requestID"),
        opt_id=xml.text(e, "ei:optID"),
        ven_id=xml.text(e, "ei:venID"),
    )


def _read_canceled(e: Element) -> CanceledOpt:
    return CanceledOpt(response=common.read_response(e), opt_id=xml.maybe_text(e, "ei:optID"))


READERS: Mapping[str, Callable[[Element], Any]] = {
    "oadrCreateOpt": _read_create,
    "oadrCreatedOpt": _read_created,
    "oadrCancelOpt": _read_cancel,
    "oadrCanceledOpt": _read_canceled,
}
