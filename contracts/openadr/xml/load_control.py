"""`oadrLoadControlState` of a resource status."""

from __future__ import annotations

from contracts.openadr import values
from contracts.openadr.payloads.report import LoadControlState, LoadControlValue
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml.elements import Element, Markup, node

_NAMES = {
    "capacity": "oadr:oadrCapacity",
    "level_offset": "oadr:oadrLevelOffset",
    "percent_offset": "oadr:oadrPercentOffset",
    "set_point": "oadr:oadrSetPoint",
}


def state(value: LoadControlState | None) -> Markup | None:
    """`oadrLoadControlState`."""
    if value is None:
        return None
    parts = (_value(name, getattr(value, field)) for field, name in _NAMES.items())
    return node("oadr:oadrLoadControlState", *parts)


def _value(name: str, value: LoadControlValue | None) -> Markup | None:
    if value is None:
        return None
    return node(
        name,
        _number("oadr:oadrMin", value.minimum),
        _number("oadr:oadrMax", value.maximum),
        _number("oadr:oadrCurrent", value.current),
        _number("oadr:oadrNormal", value.normal),
    )


def _number(name: str, value: float | None) -> Markup | None:
    return None if value is None else node(name, values.format_number(value))


def read_state(status: Element) -> LoadControlState | None:
    """`oadrLoadControlState` in an `oadrPayloadResourceStatus`, if any."""
    found = xml.maybe_child(status, "oadr:oadrLoadControlState")
    if found is None:
        return None
    return LoadControlState(**{field: _read_value(found, name) for field, name in _NAMES.items()})


def _read_value(parent: Element, name: str) -> LoadControlValue | None:
    e = xml.maybe_child(parent, name)
    if e is None:
        return None
    return LoadControlValue(
        minimum=xml.maybe_value(e, "oadr:oadrMin", values.parse_number),
        maximum=xml.maybe_value(e, "oadr:oadrMax", values.parse_number),
        current=xml.value(e, "oadr:oadrCurrent", values.parse_number),
        normal=xml.maybe_value(e, "oadr:oadrNormal", values.parse_number),
    )
