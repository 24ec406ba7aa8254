"""Responses, targets, units, durations and instants."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.openadr import values
from contracts.openadr.payloads.common import (
    EVERYONE,
    EiResponse,
    ItemBase,
    PowerAttributes,
    Target,
)
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml.elements import Element, maybe, node, nodes

_POWERS = ("powerReal", "powerReactive", "powerApparent")
_ITEM_NAMES = {
    **{f"power:{kind}": kind for kind in _POWERS},
    **{f"power:{k}": k for k in ("energyReal", "energyReactive", "energyApparent", "voltage")},
    **{
        f"oadr:{kind}": kind
        for kind in (
            "currency",
            "currencyPerKWh",
            "currencyPerKW",
            "currencyPerThm",
            "current",
            "customUnit",
            "frequency",
            "temperature",
            "Therm",
        )
    },
}
_NAME_OF_KIND = {kind: name for name, kind in _ITEM_NAMES.items()}
_KIND_OF_TAG = {xml.qualified(name): kind for name, kind in _ITEM_NAMES.items()}
_TARGET_FIELDS = {
    "group_ids": "ei:groupID",
    "group_names": "ei:groupName",
    "resource_ids": "ei:resourceID",
    "ven_ids": "ei:venID",
    "party_ids": "ei:partyID",
}
_TARGET_TAGS = {xml.qualified(name) for name in _TARGET_FIELDS.values()}


# --- responses ---------------------------------------------------------------------------------


def response_parts(code: int, description: str | None, request_id: str) -> list[Element | None]:
    """The children that `eiResponse` and `eventResponse` begin with."""
    if not 0 <= code <= 999:  # noqa: PLR2004 - the schema asks for three digits
        raise ValueError(f"response code {code} does not have three digits")
    return [
        node("ei:responseCode", f"{code:03d}"),
        maybe("ei:responseDescription", description),
        node("pyld:requestID", request_id),
    ]


def response(value: EiResponse, name: str = "ei:eiResponse") -> Element:
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
    return EiResponse(
        code=read_code(element),
        description=xml.maybe_text(element, "ei:responseDescription"),
        request_id=xml.maybe_text(element, "pyld:requestID") or "",
    )


# --- targets -----------------------------------------------------------------------------------


def target(value: Target, name: str = "ei:eiTarget") -> Element:
    """`eiTarget`; kinds we do not speak are not sent."""
    return node(
        name,
        *(e for field, tag in _TARGET_FIELDS.items() for e in nodes(tag, getattr(value, field))),
    )


def read_target(element: Element | None) -> Target:
    """`eiTarget`, where an absent one addresses everyone."""
    if element is None:
        return EVERYONE
    fields = {field: xml.texts(element, tag) for field, tag in _TARGET_FIELDS.items()}
    others = (xml.local_name(e) for e in element if e.tag not in _TARGET_TAGS)
    return Target(**fields, other_kinds=tuple(others))


# --- units -------------------------------------------------------------------------------------


def item(value: ItemBase | None) -> Element | None:
    """The `itemBase` element of this kind.

    Raises:
        ValueError: a kind or scale the schema does not know, or a power without its attributes.
    """
    if value is None:
        return None
    if value.kind not in _NAME_OF_KIND:
        raise ValueError(f"unknown itemBase kind {value.kind!r}")
    values.scale_factor(value.si_scale_code)
    return node(
        _NAME_OF_KIND[value.kind],
        node(_sibling(value.kind, "itemDescription"), value.description),
        node(_sibling(value.kind, "itemUnits"), value.units),
        node("scale:siScaleCode", value.si_scale_code),
        _power_attributes(value),
    )


def _sibling(kind: str, local: str) -> str:
    """The children are in the namespace of the kind itself."""
    return f"{_NAME_OF_KIND[kind].partition(':')[0]}:{local}"


def _power_attributes(value: ItemBase) -> Element | None:
    attributes = value.power_attributes
    if (attributes is not None) != (value.kind in _POWERS):
        raise ValueError(f"{value.kind}: only powers carry powerAttributes, and they must")
    if attributes is None:
        return None
    return node(
        "power:powerAttributes",
        node("power:hertz", _decimal(attributes.hertz)),
        node("power:voltage", _decimal(attributes.voltage_v)),
        node("power:ac", xml.boolean(attributes.ac)),
    )


def _decimal(value: float) -> str:
    """xs:decimal, which has no exponent."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def read_item(parent: Element) -> ItemBase | None:
    """The unit among the children of `parent`; None without one, or with one of unknown kind."""
    for element in parent:
        kind = _KIND_OF_TAG.get(str(element.tag))
        if kind is not None:
            return ItemBase(
                kind=kind,
                units=xml.text(element, _sibling(kind, "itemUnits")).strip(),
                si_scale_code=xml.value(element, "scale:siScaleCode", _parse_scale),
                description=xml.maybe_text(element, _sibling(kind, "itemDescription")) or "",
                power_attributes=_read_power_attributes(element),
            )
    return None


def _parse_scale(raw: str) -> str:
    values.scale_factor(raw)
    return raw


def _read_power_attributes(element: Element) -> PowerAttributes | None:
    attributes = xml.maybe_child(element, "power:powerAttributes")
    if attributes is None:
        return None
    return PowerAttributes(
        hertz=xml.value(attributes, "power:hertz", values.parse_number),
        voltage_v=xml.value(attributes, "power:voltage", values.parse_number),
        ac=xml.value(attributes, "power:ac", values.parse_boolean),
    )


# --- time --------------------------------------------------------------------------------------


def duration(name: str, value: timedelta | None) -> Element | None:
    """`<name><xcal:duration>PT5M</xcal:duration></name>`."""
    if value is None:
        return None
    return node(name, node("xcal:duration", values.format_duration(value)))


def read_duration(parent: Element, name: str) -> timedelta:
    """A duration written by `duration`."""
    return xml.value(xml.child(parent, name), "xcal:duration", values.parse_duration)


def maybe_read_duration(parent: Element, name: str) -> timedelta | None:
    """As `read_duration`, or None when absent."""
    return read_duration(parent, name) if xml.maybe_child(parent, name) is not None else None


def start(value: datetime | None) -> Element | None:
    """`xcal:dtstart`."""
    if value is None:
        return None
    return node("xcal:dtstart", node("xcal:date-time", values.format_instant(value)))


def read_start(parent: Element) -> datetime:
    """`xcal:dtstart`."""
    return xml.value(xml.child(parent, "xcal:dtstart"), "xcal:date-time", values.parse_instant)


def maybe_read_start(parent: Element) -> datetime | None:
    """As `read_start`, or None when absent."""
    return read_start(parent) if xml.maybe_child(parent, "xcal:dtstart") is not None else None


def uid(value: str | None) -> Element | None:
    """`xcal:uid`."""
    return None if value is None else node("xcal:uid", node("xcal:text", value))


def maybe_read_uid(parent: Element) -> str | None:
    """`xcal:uid`, or None when absent."""
    found = xml.maybe_child(parent, "xcal:uid")
    return None if found is None else xml.text(found, "xcal:text")
