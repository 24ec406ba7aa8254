"""`eiTarget` and its kin, which all have the same content."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from contracts.openadr import values
from contracts.openadr.payloads.common import EVERYONE, ServiceArea, Target, TransportInterface
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml.elements import Element, Markup, node

_NAMES = {
    "aggregated_pnodes": "power:aggregatedPnode",
    "end_device_assets": "power:endDeviceAsset",
    "meter_assets": "power:meterAsset",
    "pnodes": "power:pnode",
    "service_areas": "emix:serviceArea",
    "service_delivery_points": "power:serviceDeliveryPoint",
    "service_locations": "power:serviceLocation",
    "transport_interfaces": "power:transportInterface",
    "group_ids": "ei:groupID",
    "group_names": "ei:groupName",
    "resource_ids": "ei:resourceID",
    "ven_ids": "ei:venID",
    "party_ids": "ei:partyID",
}
"""In the schema's order."""
_FIELD_OF_TAG = {xml.qualified(name): field for field, name in _NAMES.items()}
_AREA_PATH = ("gml:FeatureCollection", "gml:location", "gml:Polygon", "gml:exterior",
              "gml:LinearRing", "gml:posList")  # fmt: skip


def target(value: Target, name: str = "ei:eiTarget") -> Markup:
    """`eiTarget`; kinds that 2.0b does not have are not sent."""
    if value.everyone:
        return node(name)
    return node(
        name,
        *(
            node(tag, _WRITERS.get(tag, str)(one))
            for field, tag in _NAMES.items()
            for one in getattr(value, field)
        ),
    )


def read_target(element: Element | None) -> Target:
    """`eiTarget`, where an absent one addresses everyone."""
    if element is None or not len(element):
        return EVERYONE
    found: dict[str, list[object]] = {}
    for e in element:
        field = _FIELD_OF_TAG.get(str(e.tag))
        if field is None:
            found.setdefault("other_kinds", []).append(xml.local_name(e))
        else:
            found.setdefault(field, []).append(_READERS.get(_NAMES[field], _text)(e))
    return Target(**{field: tuple(parts) for field, parts in found.items()})  # type: ignore[arg-type] # by _READERS


def _text(e: Element) -> str:
    return e.text or ""


def _pnode(identifier: str) -> Markup:
    return node("power:node", identifier)


def _read_pnode(e: Element) -> str:
    return xml.text(e, "power:node")


def _asset(mrid: str) -> Markup:
    return node("power:mrid", mrid)


def _read_asset(e: Element) -> str:
    return xml.text(e, "power:mrid")


def _interface(value: TransportInterface) -> Markup:
    receipt = node("power:pointOfReceipt", value.receipt)
    return Markup(receipt + node("power:pointOfDelivery", value.delivery))


def _read_interface(e: Element) -> TransportInterface:
    return TransportInterface(
        receipt=xml.text(e, "power:pointOfReceipt"), delivery=xml.text(e, "power:pointOfDelivery")
    )


def _area(value: ServiceArea) -> Markup:
    *outer, name = _AREA_PATH
    markup = node(name, " ".join(values.format_number(p) for p in value.positions))
    for name in reversed(outer):
        markup = node(name, markup)
    return markup


def _read_area(e: Element) -> ServiceArea:
    *outer, name = _AREA_PATH
    for step in outer:
        e = xml.child(e, step)
    return ServiceArea(positions=xml.value(e, name, _parse_positions))


def _parse_positions(raw: str) -> tuple[float, ...]:
    return tuple(values.parse_number(position) for position in raw.split())


_WRITERS: Mapping[str, Callable[..., Markup]] = {
    "power:aggregatedPnode": _pnode,
    "power:endDeviceAsset": _asset,
    "power:meterAsset": _asset,
    "power:pnode": _pnode,
    "emix:serviceArea": _area,
    "power:serviceDeliveryPoint": _pnode,
    "power:serviceLocation": _area,
    "power:transportInterface": _interface,
}
_READERS: Mapping[str, Callable[[Element], object]] = {
    "power:aggregatedPnode": _read_pnode,
    "power:endDeviceAsset": _read_asset,
    "power:meterAsset": _read_asset,
    "power:pnode": _read_pnode,
    "emix:serviceArea": _read_area,
    "power:serviceDeliveryPoint": _read_pnode,
    "power:serviceLocation": _read_area,
    "power:transportInterface": _read_interface,
}
