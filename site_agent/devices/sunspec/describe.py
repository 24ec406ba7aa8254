"""Everything a SunSpec device shows, for people: every model, every point, in words.

Used at commissioning, never for control. Text from the device is stripped of what a terminal might
obey; a model that claims more than its length, or that nobody has a definition of, says so.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from contracts.errors import GridyardError, LinkDownError
from site_agent.devices.modbus.link import Priority
from site_agent.devices.sunspec.discovery import Place
from site_agent.devices.sunspec.layout import MAX_SCALE, Definition, Layout, Point, definition, fit
from site_agent.devices.sunspec.unit import SunSpecUnit

Value = float | int | str | None
_HEADER = ("ID", "L")
_TEXTS = {"string": (0, 0), "ipv6addr": (0, 4), "eui48": (2, 1)}
"""Types that are shown as text: octets left out, octets between colons."""
_ABSENT = "not implemented"
_NOTHING_COUNTED = "0: nothing counted yet, or not implemented"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedPoint:
    """One point of a model as it was read."""

    name: str
    """Its path, such as `W`, `PFWInj.PF` or `Crv.2.Pt.1.V`."""
    label: str
    type: str
    """SunSpec type, such as `int16`, `enum16`, `acc32`."""
    value: Value
    """Scaled into `unit`; the number of an enum or bitfield; None: see `missing`."""
    unit: str
    symbols: tuple[str, ...]
    """What an enum's number or a bitfield's bits are called."""
    writable: bool
    words: tuple[int, ...]
    """The registers."""
    missing: str = ""
    """Why there is no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedModel:
    """One model of a device, known to us or not."""

    model_id: int
    name: str
    """Of the definition; empty for a vendor's model."""
    label: str
    address: int
    """Of its header."""
    length: int
    """Registers after the header, as the device says."""
    points: tuple[DecodedPoint, ...] = ()
    notes: tuple[str, ...] = ()
    """What is odd about it."""


async def decode_all(unit: SunSpecUnit) -> tuple[DecodedModel, ...]:
    """Every model of the device in its order; one that cannot be read carries the reason.

    Raises:
        ProtocolError: not a SunSpec device.
        TransientError: no answer while its models are being found, or the link is lost.
    """
    decoded = []
    for place in await unit.models():
        if definition(place.model_id) is None:
            decoded.append(decode_model(place, ()))
            continue
        try:
            registers = await unit.registers(place, place.length + 2, Priority.SLOW)
        except LinkDownError:
            raise
        except GridyardError as error:
            decoded.append(_model(place, (), (f"cannot be read: {error}",)))
        else:
            decoded.append(decode_model(place, registers))
    return tuple(decoded)


def decode_model(place: Place, registers: Sequence[int]) -> DecodedModel:
    """One model from its registers, header included; never fails, whatever they hold."""
    if definition(place.model_id) is None:
        return _model(place, (), ("no definition of this model is published",))
    data = struct.pack(f">{len(registers)}H", *registers)
    layout = fit(place.model_id, data)
    shown = (point for name, point in layout.points.items() if name not in _HEADER)
    notes = tuple(_notes(layout, len(registers)))
    return _model(place, tuple(_decode(point, data) for point in shown), notes)


def _model(place: Place, points: tuple[DecodedPoint, ...], notes: tuple[str, ...]) -> DecodedModel:
    group: Definition = (definition(place.model_id) or {}).get("group", {})
    return DecodedModel(
        model_id=place.model_id,
        name=str(group.get("name", "")),
        label=str(group.get("label") or group.get("name", "")),
        address=place.address,
        length=place.length,
        points=points,
        notes=notes,
    )


def _notes(layout: Layout, size: int) -> Iterator[str]:
    end = max((point.offset + point.size for point in layout.points.values()), default=0)
    if layout.cut:
        yield f"its length of {size - 2} is less than its definition or its own counts need"
    elif size > end:
        yield f"its length of {size - 2} is {size - end} more than its definition has"


def _decode(point: Point, data: bytes) -> DecodedPoint:
    value, missing = _value(point, data)
    chunk = data[point.place]
    return DecodedPoint(
        name=point.name,
        label=str(point.definition.get("label") or ""),
        type=point.type,
        value=value,
        unit=str(point.definition.get("units") or ""),
        symbols=_symbols(point, value),
        writable=point.definition.get("access") == "RW",
        words=struct.unpack(f">{point.size}H", chunk),
        missing=missing,
    )


def _value(point: Point, data: bytes) -> tuple[Value, str]:
    """The value, or why there is none."""
    if point.type in _TEXTS:
        text = _text(point, data)
        return (text, "") if text else (None, _ABSENT)
    raw = point.raw(data)
    if raw is None or not math.isfinite(raw):
        return None, _NOTHING_COUNTED if point.type.startswith("acc") else _ABSENT
    if point.type == "ipaddr":
        return str(IPv4Address(int(raw))), ""
    if isinstance(point.scale, Point) and point.exponent(data) is None:
        return None, _scaleless(point.scale, data)
    if point.exponent(data):
        return point.number(data), ""
    return raw, ""


def _scaleless(scale: Point, data: bytes) -> str:
    factor = scale.raw(data)
    if factor is None:
        return f"its scale factor {scale.name} is not implemented"
    return f"its scale factor {scale.name} is {factor:g}: not from -{MAX_SCALE} to {MAX_SCALE}"


def _symbols(point: Point, value: Value) -> tuple[str, ...]:
    if not isinstance(value, int) or not point.type.startswith(("enum", "bitfield")):
        return ()
    named = {one["value"]: str(one["name"]) for one in point.definition.get("symbols", ())}
    if point.type.startswith("enum"):
        return (named[value],) if value in named else ()
    bits = (bit for bit in range(value.bit_length()) if value >> bit & 1)
    return tuple(named.get(bit, f"bit {bit}") for bit in bits)


def _text(point: Point, data: bytes) -> str:
    if point.type == "string":
        return point.text(data)
    skipped, width = _TEXTS[point.type]
    chunk = data[point.place][skipped:]
    parts = (chunk[at : at + width].hex().upper() for at in range(0, len(chunk), width))
    return ":".join(parts) if any(chunk) else ""
