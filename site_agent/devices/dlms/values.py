"""Numbers in answers of a meter (IEC 62056-6-2, A-XDR), and which OBIS code is which point.

Only what a register has is read: a number, and a structure of scaler and unit. The general decoder
of dlms-cosem believes any count of elements, also billions of them in six bytes.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from contracts.errors import ProtocolError

_NUMBERS = MappingProxyType(
    {
        0x05: ">i",
        0x06: ">I",
        0x0F: ">b",
        0x10: ">h",
        0x11: ">B",
        0x12: ">H",
        0x14: ">q",
        0x15: ">Q",
        0x17: ">f",
        0x18: ">d",
    }
)
_NULL = b"\x00"
_SCALER_UNIT = re.compile(rb"\x02\x02\x0f(.)\x16(.)", re.DOTALL)
_UNITS = MappingProxyType({27: "W", 29: "var", 30: "Wh", 33: "A", 35: "V", 44: "Hz", 255: ""})
"""Unit codes (IEC 62056-6-2, register class) of what we read."""
_LARGEST_SCALER = 12
OBIS = re.compile(r"(\d{1,3})-(\d{1,3}):(\d{1,3})\.(\d{1,3})\.(\d{1,3})")

DEFAULT_OBIS: Mapping[str, str] = MappingProxyType(
    {
        "import_energy": "1-0:1.8.0",
        "export_energy": "1-0:2.8.0",
        "import_power": "1-0:1.7.0",
        "export_power": "1-0:2.7.0",
        "active_power": "1-0:16.7.0",
        "current_l1": "1-0:31.7.0",
        "current_l2": "1-0:51.7.0",
        "current_l3": "1-0:71.7.0",
        "voltage_l1": "1-0:32.7.0",
        "voltage_l2": "1-0:52.7.0",
        "voltage_l3": "1-0:72.7.0",
    }
)
"""By point, and by two names of their own: power as most meters have it, one way and the other."""
ONE_WAY = ("import_power", "export_power")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What a register's number counts."""

    factor: float
    unit: str


def number(data: bytes) -> float | None:
    """The number in an answer; None where the meter says that it has none.

    Raises:
        ProtocolError: not a number, or bytes left over.
    """
    if data == _NULL:
        return None
    layout = _NUMBERS.get(data[0]) if data else None
    if layout is None or len(data) != 1 + struct.calcsize(layout):
        raise ProtocolError(f"not a number: {data[:20].hex()}")
    value = float(struct.unpack(layout, data[1:])[0])
    return value if math.isfinite(value) else None


def scale(data: bytes) -> Scale:
    """Scaler and unit of a register (attribute 3).

    Raises:
        ProtocolError: not such a structure, a unit we do not read, or an absurd scaler.
    """
    found = _SCALER_UNIT.fullmatch(data)
    if found is None:
        raise ProtocolError(f"not a scaler and unit: {data[:20].hex()}")
    (exponent,), unit = struct.unpack("b", found[1]), _UNITS.get(found[2][0])
    if unit is None or abs(exponent) > _LARGEST_SCALER:
        raise ProtocolError(f"scaler {exponent}, unit {found[2][0]}: no such quantity is read")
    return Scale(factor=10.0**exponent, unit=unit)


def points_of(names: Collection[str]) -> tuple[str, ...]:
    """The points that come of what is read, as `with_total` makes them."""
    shown = [name for name in names if name not in ONE_WAY]
    total = ["active_power"] if ONE_WAY[0] in names else []
    return tuple(dict.fromkeys(shown + total))


def with_total(values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Points from what was read: total power is what is imported less what is exported."""
    points = {name: value for name, value in values.items() if name not in ONE_WAY}
    if "active_power" not in points and "import_power" in values:
        imported, exported = values["import_power"], values.get("export_power", 0.0)
        known = imported is not None and exported is not None
        points["active_power"] = (imported or 0.0) - (exported or 0.0) if known else None
    return points
