"""What an M-Bus electricity meter tells (EN 13757-3): a header and records.

Written apart from the agent's decoder, from the standard's tables: DIF 02, 03, 04 and 06 are
integers of so many bytes, VIF 03 is 1 Wh, 2B is 1 W, FD 48 is 0.1 V and FD 59 is 1 mA; the
extension 3B counts import only and 3C export only; FF with 1 to 3 names the phase, as meters of
several makers do.
"""

from __future__ import annotations

from dataclasses import dataclass

from depot_sim.physics.phases import PhaseWatts

MORE_FOLLOWS = b"\x1f"
_CI_VARIABLE = 0x72
_ELECTRICITY = 0x02
_INT16, _INT24, _INT32, _INT48 = 0x02, 0x03, 0x04, 0x06
_LENGTHS = {_INT16: 2, _INT24: 3, _INT32: 4, _INT48: 6}
_WH, _W = b"\x03", b"\x2b"
_WH_IMPORT, _WH_EXPORT = b"\x83\x3b", b"\x83\x3c"
_W_PHASE, _DECIVOLT_PHASE, _MILLIAMPERE_PHASE = b"\xab\xff", b"\xfd\xc8\xff", b"\xfd\xd9\xff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the meter shows; import positive."""

    phases_w: PhaseWatts
    phases_a: PhaseWatts
    voltage_v: float
    import_wh: float
    export_wh: float


def header(identification: str, access_number: int, status: int = 0) -> bytes:
    """CI field and header of a meter of maker "SIM"; `identification` has 8 digits."""
    maker = (ord("S") - 64) << 10 | (ord("I") - 64) << 5 | (ord("M") - 64)
    return (
        bytes([_CI_VARIABLE])
        + bytes.fromhex(identification)[::-1]
        + maker.to_bytes(2, "little")
        + bytes([1, _ELECTRICITY, access_number % 256, status, 0, 0])
    )


def totals(shown: Measured) -> bytes:
    """Records of energy and total power."""
    return (
        _record(_INT48, _WH_IMPORT, shown.import_wh)
        + _record(_INT48, _WH_EXPORT, shown.export_wh)
        + _record(_INT32, _W, sum(shown.phases_w))
    )


def phases(shown: Measured) -> bytes:
    """Records of power, voltage and current by phase."""
    return b"".join(
        _record(_INT32, _W_PHASE + number, power_w)
        + _record(_INT16, _DECIVOLT_PHASE + number, shown.voltage_v * 10)
        + _record(_INT24, _MILLIAMPERE_PHASE + number, current_a * 1000)
        for number, power_w, current_a in zip(
            (b"\x01", b"\x02", b"\x03"), shown.phases_w, shown.phases_a, strict=True
        )
    )


def _record(dif: int, vib: bytes, value: float) -> bytes:
    return bytes([dif]) + vib + round(value).to_bytes(_LENGTHS[dif], "little", signed=True)
