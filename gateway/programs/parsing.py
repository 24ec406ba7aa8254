"""Short forms in program files: `17:00`, `05-01`, `T25 a digest`, `18 USD/kW-month`, `weekdays`.

Each parser takes what YAML made of the text, passes on what is in its full form already, and raises
ValueError with what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pydantic import BeforeValidator

from contracts.days import EVERY_DAY, HOLIDAY, WEEKDAYS, WEEKENDS, Holidays, holiday
from gateway.domain.program.wall import DAY_MINUTES

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_MONTH_DAY = re.compile(r"(\d{2})-(\d{2})")
_SOURCE = re.compile(r"(U|T|M)(\d{2}|\?)?(?: (.+))?", re.DOTALL)
_RATE = re.compile(r"(\d+(?:\.\d+)?) ([A-Z]{3})/(\S+)")
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "holiday")
_CLASSES = {
    "any": EVERY_DAY,
    "weekdays": WEEKDAYS,
    "weekdays and holidays": WEEKDAYS | {HOLIDAY},
    "weekends": WEEKENDS,
}
_HOUR, _CENTURY = 60, 2000

Parser = Callable[[object], object]


def reads(**parsers: Parser) -> BeforeValidator:
    """Reads the short forms of these keys of a mapping, and that of `source`."""
    every = {"source": source, **parsers}

    def read(value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        return {key: _one(str(key), every.get(str(key)), item) for key, item in value.items()}

    return BeforeValidator(read)


def several(parser: Parser) -> Parser:
    """Reads every item of a list."""
    return lambda value: [parser(item) for item in value] if isinstance(value, list) else value


def inside(**parsers: Parser) -> Parser:
    """Reads the short forms of a mapping inside another."""
    return reads(**parsers).func  # type: ignore[return-value]  # it takes the value alone


def minute(value: object) -> object:
    """`17:00` as minutes after midnight; YAML itself makes that of it when it is not in quotes."""
    if not isinstance(value, str):
        return value
    found = _CLOCK.fullmatch(value)
    at = int(found.group(1)) * _HOUR + int(found.group(2)) if found else -1
    if found is None or int(found.group(2)) >= _HOUR or at > DAY_MINUTES:
        raise ValueError(f"{value!r} is no time of day: write 00:00 to 24:00")
    return at


def month_day(value: object) -> object:
    """`05-01` as month and day."""
    if not isinstance(value, str):
        return value
    found = _MONTH_DAY.fullmatch(value)
    if found is None:
        raise ValueError(f"{value!r} is no day of a year: write 05-01 for 1 May")
    return int(found.group(1)), int(found.group(2))


def source(value: object) -> object:
    """`T25`, `U? an old page`, `M`: confidence, year, text."""
    if not isinstance(value, str):
        return value
    found = _SOURCE.fullmatch(value)
    if found is None:
        raise ValueError(
            f"{value!r} is no source: write U (the operator's own text), T (a third party) or M "
            "(from memory), two digits of the year or ?, and what to know: 'T25 a digest'"
        )
    confidence, year, text = found.groups()
    known = year is not None and year != "?"
    return {
        "confidence": confidence,
        "year": _CENTURY + int(year) if known else None,
        "text": text or "",
    }


def rate(value: object) -> object:
    """`18 USD/kW-month` as an example rate; the full form can say that it is none."""
    if not isinstance(value, str):
        return value
    found = _RATE.fullmatch(value)
    if found is None:
        raise ValueError(f"{value!r} is no rate: write 18 USD/kW-month")
    amount, currency, unit = found.groups()
    return {"amount": amount, "currency": currency, "unit": unit}


def kinds(value: object) -> object:
    """`any`, `weekdays` (no holidays), `weekends` (and holidays), or names of days.

    In full: numbers, 0 for Monday to 7 for a holiday.
    """
    if isinstance(value, str):
        if value not in _CLASSES:
            raise ValueError(f"{value!r} is none of: {', '.join(_CLASSES)}, or a list of days")
        return _CLASSES[value]
    if not isinstance(value, list):
        return value
    numbers = range(len(_NAMES))
    unknown = [one for one in value if one not in _NAMES and one not in numbers]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is none of: {', '.join(_NAMES)}")
    return frozenset(one if one in numbers else _NAMES.index(one) for one in value)


def holidays(value: object) -> object:
    """A list such as `[01-01, 11 thu 4, easter+1, 2026-12-24]`."""
    if not isinstance(value, list):
        return value
    return Holidays(rules=tuple(holiday(str(one)) for one in value))


def _one(key: str, parser: Parser | None, value: object) -> object:
    if parser is None:
        return value
    try:
        return parser(value)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error
