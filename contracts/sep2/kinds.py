"""Simple types of IEEE 2030.5 (annex B.2.3.4): text to value and back, strict out.

Every `parse` and `format` raises `ValueError` for what the type cannot hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

_SPAN_MAX_S = 2**32 - 1
_INT64_DIGITS = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_EARLIEST_S = -(2**32)
_LATEST_S = 2**37
"""Year 6325: any duration may be added to an instant we accept."""

_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot carry."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A simple type."""

    parse: Callable[[str], Any]
    format: Callable[[Any], str]


def integer(low: int, high: int, *, accept: tuple[int, int] | None = None) -> Kind:
    """Whole numbers in `[low, high]`; `accept` widens what is read."""
    least, most = accept or (low, high)

    def parse(text: str) -> int:
        number = parse_int(text)
        if not least <= number <= most:
            raise ValueError(f"{number} is outside {least} to {most}")
        return number

    return Kind(parse, _formatter(low, high))


def _formatter(low: int, high: int) -> Callable[[object], str]:
    def write(value: object) -> str:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"{value!r} is not a whole number")  # noqa: TRY004 - see the module
        if not low <= value <= high:
            raise ValueError(f"{value} is outside {low} to {high}")
        return f"{value:d}"

    return write


def parse_int(text: str) -> int:
    """A decimal number; what only Python would read (`1_0`, other digits) is refused.

    Raises:
        ValueError: not a number, or one of absurd length.
    """
    if text.isdigit() and text.isascii() and len(text) < _INT64_DIGITS:
        return int(text)
    if len(text) > 2 * _INT64_DIGITS or "_" in text or not text.isascii():
        raise ValueError(f"not a number: {text[:40]!r}")
    return int(text)


def bits(octets: int) -> Kind:
    """`HexBinary8` to `HexBinary64` as a bit map; any number of leading zeros is read."""
    digits = 2 * octets
    most = (1 << 8 * octets) - 1
    pattern = re.compile(r"[0-9A-Fa-f]{1,64}")

    def parse(text: str) -> int:
        stripped = text.strip()
        number = int(stripped, 16) if pattern.fullmatch(stripped) else -1
        if not 0 <= number <= most:
            raise ValueError(f"not hex of at most {octets} octets: {text[:40]!r}")
        return number

    def write(value: int) -> str:
        if not 0 <= value <= most:
            raise ValueError(f"{value} does not fit {octets} octets")
        return f"{value:0{digits}X}"

    return Kind(parse, write)


def identifier(octets: int) -> Kind:
    """`HexBinary128` or `HexBinary160` as the text that was sent (compare with `hexes`)."""
    pattern = re.compile(rf"[0-9A-Fa-f]{{1,{2 * octets}}}")

    def parse(text: str) -> str:
        stripped = text.strip()
        if not pattern.fullmatch(stripped):
            raise ValueError(f"not hex of at most {octets} octets: {text[:48]!r}")
        return stripped

    def write(value: str) -> str:
        text = parse(value)
        return text if len(text) % 2 == 0 else f"0{text}"

    return Kind(parse, write)


def text(limit: int) -> Kind:
    """A string of at most `limit` characters; a longer one is read but not written."""

    def write(value: str) -> str:
        if len(value) > limit:
            raise ValueError(f"{len(value)} characters, the limit is {limit}")
        return escape(value)

    return Kind(str, write)


def escape(value: str) -> str:
    """Text for element content or an attribute.

    Raises:
        ValueError: a character that XML cannot carry.
    """
    if _FORBIDDEN.search(value):
        raise ValueError(f"not a text for XML: {value[:40]!r}")
    if "&" in value or "<" in value or ">" in value or '"' in value:
        value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        value = value.replace('"', "&quot;")
    return value.replace("\r", "&#13;") if "\r" in value else value


def _parse_time(text: str) -> datetime:
    seconds = parse_int(text)
    if not _EARLIEST_S <= seconds <= _LATEST_S:
        raise ValueError(f"time {seconds} is not a plausible instant")
    return datetime.fromtimestamp(seconds, UTC)


def _format_time(value: datetime) -> str:
    """Down to the whole second: what has just happened is not written as the future."""
    if value.tzinfo is None:
        raise ValueError(f"naive datetime {value.isoformat()}: give a time zone")
    seconds = (value - _EPOCH) // _SECOND
    if not _EARLIEST_S <= seconds <= _LATEST_S:
        raise ValueError(f"time {value.isoformat()} is not a plausible instant")
    return str(seconds)


def span(low: int, high: int, *, per_second: int = 1) -> Kind:
    """A `timedelta` counted in seconds, or in parts of a second."""
    unit = _SECOND / per_second
    number = integer(low, high)

    def write(value: timedelta) -> str:
        return number.format(round(value / unit))

    return Kind(lambda text: number.parse(text) * unit, write)


def _parse_boolean(text: str) -> bool:
    match text.strip():
        case "true" | "1":
            return True
        case "false" | "0":
            return False
        case _:
            raise ValueError(f"not a boolean: {text[:40]!r}")


def _format_boolean(value: object) -> str:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is not a boolean")  # noqa: TRY004 - see the module
    return "true" if value else "false"


INT8 = integer(-128, 127)
INT16 = integer(-(2**15), 2**15 - 1)
INT32 = integer(-(2**31), 2**31 - 1)
INT48 = integer(-(2**47), 2**47)
UINT8 = integer(0, 2**8 - 1)
UINT16 = integer(0, 2**16 - 1)
UINT32 = integer(0, 2**32 - 1)
UINT40 = integer(0, 2**40 - 1, accept=(0, 2**48 - 1))
UINT48 = integer(0, 2**48 - 1)
PERCENT = integer(0, 10_000, accept=(0, 2**16 - 1))
"""Hundredths of a percent."""
SIGNED_PERCENT = integer(-10_000, 10_000, accept=(-(2**15), 2**15 - 1))
"""Hundredths of a percent."""
BITS8, BITS16, BITS32 = bits(1), bits(2), bits(4)
MRID = identifier(16)
LFDI = identifier(20)
URI = text(4096)
STRING6, STRING16, STRING20 = text(6), text(16), text(20)
STRING32, STRING192 = text(32), text(192)
BOOLEAN = Kind(_parse_boolean, _format_boolean)
TIME = Kind(_parse_time, _format_time)
"""`TimeType`: whole seconds since 1970 UTC."""
SECONDS = span(0, _SPAN_MAX_S)
SECONDS16 = span(0, 2**16 - 1)
OFFSET = span(-(2**31), 2**31 - 1)
ONE_HOUR_RANGE = span(-3600, 3600)
CENTISECONDS = span(0, _SPAN_MAX_S, per_second=100)
CENTISECONDS16 = span(0, 2**16 - 1, per_second=100)
