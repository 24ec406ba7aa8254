"""Scalar values of OpenADR 2.0b: durations, instants, numbers and SI scale codes.

Strict out, tolerant in, by the named tolerances of `contracts.openadr.tolerance`.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from contracts.openadr.tolerance import Tolerance, tolerate

_DURATION = re.compile(
    r"(?P<sign>[+-]?)P?(?:(?P<weeks>\d{1,9})W"
    r"|(?:(?P<years>\d{1,9})Y)?(?:(?P<months>\d{1,9})M)?(?:(?P<days>\d{1,9})D)?"
    r"T?(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,12}(?:\.\d{1,9})?)S)?)",
    re.ASCII,
)
_DAYS = {"years": 365, "months": 30, "weeks": 7, "days": 1}
_SECONDS = {"hours": 3600.0, "minutes": 60.0, "seconds": 1.0}

_INSTANT = re.compile(
    r"(?P<whole>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d*))?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?",
    re.ASCII,
)

_MICROSECOND_DIGITS = 6
_MAX_NUMBER_CHARS = 400
"""Ample for the 325 decimals of the smallest double; more is refused unread."""

_SCALE_FACTORS = {
    "p": 1e-12,
    "n": 1e-9,
    "micro": 1e-6,
    "m": 1e-3,
    "c": 1e-2,
    "d": 1e-1,
    "none": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
}


def scale_factor(si_scale_code: str) -> float:
    """The factor a value must be multiplied by to reach the base unit (`k` -> 1000.0).

    Codes of the EMIX SI scale list (`oadr_siscale_20b.xsd`).

    Raises:
        ValueError: not a code of that list.
    """
    try:
        return _SCALE_FACTORS[si_scale_code]
    except KeyError:
        raise ValueError(f"unknown siScaleCode {si_scale_code!r}") from None


def format_duration(value: timedelta) -> str:
    """The duration as `[-]P[nD][T[nH][nM][nS]]`; zero is `PT0S`.

    Raises:
        ValueError: not a whole number of seconds, which the schema cannot express.
    """
    if value.microseconds:
        raise ValueError(f"{value} is not a whole number of seconds")
    if not value:
        return "PT0S"
    total = abs(value)
    minutes, seconds = divmod(total.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    time = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if n)
    days = f"{total.days}D" if total.days else ""
    return f"{'-' if value < timedelta(0) else ''}P{days}{'T' + time if time else ''}"


def parse_duration(text: str) -> timedelta:
    """A duration as the schema allows it, and also `P1W` and fractions of a second.

    `P` alone is zero, as openleadr sends it.

    Raises:
        ValueError: not a duration, or too long to represent.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(c in text for c in "PW"):
        raise ValueError(f"not a duration: {text[:40]!r}")
    parts = {name: n for name, n in match.groupdict().items() if n and name != "sign"}
    if parts.keys() & {"years", "months"}:
        tolerate(Tolerance.NOMINAL_CALENDAR, text)
    if "." in text or ("W" in text and "P" in text):
        tolerate(Tolerance.LOOSE_DURATION, text)
    try:
        value = timedelta(
            days=sum(int(parts.get(name, 0)) * days for name, days in _DAYS.items()),
            seconds=sum(float(parts.get(name, 0)) * s for name, s in _SECONDS.items()),
        )
        return -value if match["sign"] == "-" else value
    except OverflowError:
        raise ValueError(f"duration too long: {text[:40]!r}") from None


def format_instant(value: datetime) -> str:
    """The instant in UTC with `Z`; microseconds only when there are any.

    Raises:
        ValueError: the value has no time zone.
    """
    if value.utcoffset() is None:
        raise ValueError(f"naive datetime {value.isoformat()}: give a time zone")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def parse_instant(text: str) -> datetime:
    """An aware UTC instant; digits beyond microseconds are dropped.

    Raises:
        ValueError: not a date and time.
    """
    match = _INSTANT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a date-time: {text[:40]!r}")
    if match["zone"] is None:
        tolerate(Tolerance.ZONELESS_INSTANT, text)
    elif match["zone"] != "Z":
        tolerate(Tolerance.OFFSET_INSTANT, text)
    digits = match["fraction"] or ""
    if len(digits) > _MICROSECOND_DIGITS:
        tolerate(Tolerance.LONG_FRACTION, text)
    fraction = digits[:_MICROSECOND_DIGITS].ljust(_MICROSECOND_DIGITS, "0")
    zone = "+00:00" if match["zone"] in (None, "Z") else match["zone"]
    try:
        return datetime.fromisoformat(f"{match['whole']}.{fraction}{zone}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"not a date-time: {text[:40]!r}") from error


def format_number(value: float) -> str:
    """The shortest text that reads back as the same float.

    Raises:
        ValueError: infinite or not a number.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be sent")
    return repr(float(value))


def format_decimal(value: float) -> str:
    """As `format_number`, for xs:decimal, which has no exponent."""
    return f"{Decimal(format_number(value)):f}".removesuffix(".0")


def parse_number(text: str) -> float:
    """A finite number.

    Raises:
        ValueError: not a number, infinite or NaN.
    """
    if "_" in text or len(text) > _MAX_NUMBER_CHARS:
        raise ValueError(f"not a number: {text[:40]!r}")
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"not a finite number: {text[:40]!r}")
    return value


def parse_boolean(text: str) -> bool:
    """`true`, `false`, `1` or `0` (xs:boolean).

    Raises:
        ValueError: anything else.
    """
    match text.strip():
        case "true" | "1":
            return True
        case "false" | "0":
            return False
        case _:
            raise ValueError(f"not a boolean: {text[:40]!r}")
