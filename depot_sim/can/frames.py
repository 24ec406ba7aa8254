"""Frames of a battery management system, packed by hand (little-endian, 11-bit identifiers).

Sources: the manual of the REC 9R for SMA for 0x351, 0x355, 0x356, 0x35A and 0x35E, and
setfirelabs.com/energy-monitoring/pylontech-battery-can-comms-v1-2-vs-v1-3 for 0x359.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

LIMITS, CHARGE, ACTUAL, PROTECTION, ALARMS, MAKER = 0x351, 0x355, 0x356, 0x359, 0x35A, 0x35E
KEEP_ALIVE = 0x305
_ON, _OFF = 0b01, 0b10
_HOT_BIT = 3
_FIELDS = 16
_HOT_FIELD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CellState:
    """What the battery management tells; V, A charging positive, limits as magnitudes."""

    voltage_v: float
    current_a: float
    temperature_c: float
    soc_pct: float
    charge_a: float
    discharge_a: float
    highest_v: float
    lowest_v: float
    too_hot: bool = False


def frames(cells: CellState) -> dict[int, bytes]:
    """Every frame, by identifier."""
    limits = (cells.highest_v, cells.charge_a, cells.discharge_a, cells.lowest_v)
    soc = max(0.0, min(100.0, cells.soc_pct))
    return {
        LIMITS: struct.pack("<HhhH", *(round(one * 10) for one in limits)),
        CHARGE: struct.pack("<HHH", round(soc), 100, round(soc * 100)),
        ACTUAL: struct.pack(
            "<hhh",
            round(cells.voltage_v * 100),
            round(cells.current_a * 10),
            round(cells.temperature_c * 10),
        ),
        PROTECTION: struct.pack("<HHBxx", cells.too_hot << _HOT_BIT, 0, 1),
        ALARMS: _alarms(too_hot=cells.too_hot),
        MAKER: b"GRIDYARD",
    }


def _alarms(*, too_hot: bool) -> bytes:
    """Two bits for each alarm, then as many for warnings."""
    fields = [_ON if too_hot and place == _HOT_FIELD else _OFF for place in range(_FIELDS)]
    word = sum(field << 2 * place for place, field in enumerate(fields))
    return word.to_bytes(4, "little") + bytes(4)
