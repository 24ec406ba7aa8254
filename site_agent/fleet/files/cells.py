"""From a cell's text to a value: numbers and times as people in several countries write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.time import as_utc

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_CLOCK = re.compile(r"([0-9]{1,2})[:.]([0-9]{2})(?::[0-9]{2})?")
_GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})\b")
_THREE = 3
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WORKDAYS = {"weekdays": "mon-fri", "daily": "mon-sun", "weekend": "sat-sun"}
TAKEN_BACK = ("none", "null", "-")
"""A cell that says that there is none (any more)."""

Parse = Callable[[str], object]


def number(text: str, *, comma_separates: bool) -> float:
    """A number with a decimal point or comma.

    `comma_separates`: the file's cells are separated by commas, so one inside a cell is probably
    not a decimal sign when three digits follow.

    Raises:
        ValueError: it is none, or may be read in two ways.
    """
    plain = text.replace(" ", "").replace("\u00a0", "").replace("'", "").removesuffix("%")
    commas, points = plain.count(","), plain.count(".")
    if commas and points:  # the last one is the decimal sign
        decimal = "," if plain.rfind(",") > plain.rfind(".") else "."
        plain = plain.replace("." if decimal == "," else ",", "").replace(decimal, ".")
    elif commas == 1:
        if comma_separates and len(plain.rpartition(",")[2]) == _THREE:
            raise ValueError(f"{text!r} may be read in two ways: write it without a comma")
        plain = plain.replace(",", ".")
    if not _NUMBER.fullmatch(plain):
        raise ValueError(f"{text!r} is no number")
    return float(plain)


def clock_time(text: str) -> str:
    """A time of day as "HH:MM".

    Raises:
        ValueError: it is none.
    """
    found = _CLOCK.fullmatch(text.lower().removesuffix("uhr").strip())
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:  # noqa: PLR2004 (a clock)
        raise ValueError(f"{text!r} is no time of day such as 06:30")
    return f"{int(found[1]):02}:{found[2]}"


def instant(text: str, zone: ZoneInfo) -> datetime:
    """A date and time, ISO 8601 or DD.MM.YYYY HH:MM; without an offset: on the zone's clocks.

    Raises:
        ValueError: it is none, or the zone's clocks never or twice show it.
    """
    iso = _GERMAN_DATE.sub(lambda d: f"{d[3]}-{int(d[2]):02}-{int(d[1]):02}", text.strip(), count=1)
    try:
        found = datetime.fromisoformat(iso)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time such as 2026-01-05 06:30") from error
    if len(iso) <= len("2026-01-05"):
        raise ValueError(f"{text!r} has no time of day")
    if found.tzinfo is not None:
        return as_utc(found)
    early = as_utc(found.replace(tzinfo=zone, fold=0))
    late = as_utc(found.replace(tzinfo=zone, fold=1))
    if early.astimezone(zone).replace(tzinfo=None) != found:
        raise ValueError(f"{text!r} does not exist in {zone.key}: the clocks go forward")
    if early != late:
        raise ValueError(f"{text!r} comes twice in {zone.key}: write it with its offset (+01:00)")
    return early


def departure(text: str, zone: ZoneInfo) -> str:
    """A time of day, or one instant.

    Raises:
        ValueError: neither.
    """
    if _CLOCK.fullmatch(text.lower().removesuffix("uhr").strip()):
        return clock_time(text)
    return instant(text, zone).isoformat()


def weekdays(text: str) -> list[str]:
    """Days such as "mon-fri", "mon wed fri", "weekdays".

    Raises:
        ValueError: a word is no day.
    """
    found: list[str] = []
    told = _WORKDAYS.get(text.strip().lower(), text.lower())
    for word in re.split(r"[\s|,/]+", told.strip()):
        first, _, last = word.partition("-")
        days = [first[:_THREE], (last or first)[:_THREE]]
        if not all(day in _DAYS for day in days):
            raise ValueError(f"{word!r} is no weekday such as mon, or mon-fri")
        start, end = (_DAYS.index(day) for day in days)
        count = (end - start) % len(_DAYS) + 1
        found += [_DAYS[(start + n) % len(_DAYS)] for n in range(count)]
    return sorted(set(found), key=_DAYS.index)


def words(text: str) -> list[str]:
    """Several ids in one cell, between blanks, bars or commas."""
    return [word for word in re.split(r"[\s|,;]+", text) if word]


def hours(text: str, *, comma_separates: bool) -> float:
    """A span in hours, or H:MM.

    Raises:
        ValueError: neither.
    """
    if found := _CLOCK.fullmatch(text) if ":" in text else None:
        return timedelta(hours=int(found[1]), minutes=int(found[2])) / timedelta(hours=1)
    return number(text, comma_separates=comma_separates)
