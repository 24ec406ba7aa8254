"""From the data of a telegram to records with units (EN 13757-3), by pyMeterBus.

pyMeterBus splits the records and scales the values. What it lets pass is refused here: chains of
more than ten extensions, records that run over the end, numbers that say "no value". Any exception
of its own becomes a `ProtocolError`: for hostile bytes it has many.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

from contracts.errors import ConfigError, ProtocolError
from site_agent.devices.mbus import frame
from site_agent.devices.mbus.frame import Response

try:
    from meterbus.telegram_long import TelegramLong
except ImportError as error:  # pragma: no cover - every development environment has it
    raise ConfigError('M-Bus needs a package more: pip install "gridyard[mbus]"') from error

MOST_EXTENSIONS = 10
"""EN 13757-3, 6.3.3 and 6.4.1."""
_VARIABLE = 0x72
_HEADER = 13
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 6: 6, 7: 8}
_BCD = {9: 1, 10: 2, 11: 3, 12: 4, 14: 6}
_CODED = (0xFD, 0xFB)
_FOREIGN = (0xFF, 0xFC)
"""The next extension is of the manufacturer (FF) or of a table of its own (FC)."""
_ERRORS = range(0x01, 0x20)
"""An extension in this range says why there is no value (EN 13757-3, record errors)."""
_MINUS = 0xF


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of a telegram."""

    dib: bytes
    """Its data information: DIF and DIFEs."""
    vib: bytes
    """Its value information: VIF and VIFEs."""
    storage: int
    tariff: int
    subunit: int
    function: int
    """0: present value, 1: maximum, 2: minimum, 3: value during an error."""
    unit: str
    """In pyMeterBus' words: Wh, W, V, A, ..."""
    value: float | None
    """Scaled to `unit`; None for a text, a time, or when the meter says it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telegram:
    """One answer of a meter."""

    identification: str
    """The 8 digits of its secondary address."""
    address: str
    """The whole secondary address, 16 digits."""
    status: int
    records: tuple[Record, ...]
    more: bool
    """Another telegram follows."""


def decode(answer: Response) -> Telegram:
    """Read a telegram. At most 252 bytes, so that the work is bounded.

    Raises:
        ProtocolError: not a telegram with variable data, or nonsense in it.
    """
    data = answer.data
    if data[0] != _VARIABLE or len(data) < _HEADER:
        raise ProtocolError(f"CI field {data[0]:02X} with {len(data)} bytes is no such telegram")
    try:
        parsed: Any = TelegramLong.parse(frame.long(0x08, answer.address, data))
        found = [one for one in parsed.records if not one.dib.is_eoud]
        records = tuple(_record(one) for one in found)
        more, whole = bool(parsed.more_records_follow), str(parsed.secondary_address)
    except ProtocolError:
        raise
    except Exception as error:  # whatever it raises for bytes of strangers
        raise ProtocolError(f"not a telegram: {type(error).__name__} {error}"[:200]) from error
    return Telegram(
        identification=whole[:8],
        address=whole,
        status=data[10],
        records=records,
        more=more,
    )


def _record(raw: Any) -> Record:  # noqa: ANN401 - pyMeterBus has no types
    dib, vib = bytes(raw.dib.parts), bytes(raw.vib.parts)
    if max(len(dib), len(vib)) > MOST_EXTENSIONS + 1:
        raise ProtocolError("a chain of more than ten extensions")
    storage, tariff, subunit = raw.dib.parse_dife()
    held = bytes(raw.dataField.parts)
    kind = dib[0] & 0x0F
    return Record(
        dib=dib,
        vib=vib,
        storage=storage,
        tariff=tariff or 0,
        subunit=subunit or 0,
        function=(dib[0] >> 4) & 0x03,
        unit=str(raw.unit),
        value=_value(raw, kind, held) if _has_value(vib, kind, held) else None,
    )


def _has_value(vib: bytes, kind: int, held: bytes) -> bool:
    """Whether the data is a number at all and not a way to say that there is none."""
    wanted = _INTEGERS.get(kind) or _BCD.get(kind) or (4 if kind == 5 else 0)  # noqa: PLR2004
    if not wanted or _error(vib):
        return False
    if len(held) != wanted:
        raise ProtocolError("a record runs over the end of its telegram")
    if kind in _BCD:
        digits = held[::-1].hex()
        return digits[1:].isdecimal() and digits[0] in "0123456789f"
    return kind not in _INTEGERS or held != bytes(wanted - 1) + b"\x80"


def _value(raw: Any, kind: int, held: bytes) -> float | None:  # noqa: ANN401 - as above
    if kind in _BCD and held[-1] >> 4 == _MINUS:
        return _negative(raw, held)
    value = raw.parsed_value
    number = None if value is None or isinstance(value, str | bytes) else float(value)
    return number if number is not None and math.isfinite(number) else None


def _negative(raw: Any, held: bytes) -> float:  # noqa: ANN401 - as above
    """F in the highest digit is a minus sign (EN 13757-3, type A)."""
    multiplier, *_ = raw._parse_vifx()
    return -float(held[::-1].hex()[1:]) * float(multiplier)


def _error(vib: bytes) -> bool:
    """Whether an extension says that there is no value."""
    if not vib or vib[0] in _FOREIGN:
        return False
    extensions = vib[2:] if vib[0] in _CODED else vib[1:]
    ours = itertools.takewhile(lambda one: one not in _FOREIGN, extensions)
    return any(one & 0x7F in _ERRORS for one in ours)
