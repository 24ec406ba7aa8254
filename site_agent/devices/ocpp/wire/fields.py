"""Typed access to a payload nobody has checked yet."""

from __future__ import annotations

from datetime import UTC, datetime

from contracts.time import as_utc
from site_agent.devices.ocpp.wire.frames import CallFaultError, Fault, Json

_LARGEST = 2**53


def text(data: Json, key: str, most: int = 500) -> str:
    """A string of at most `most` characters.

    Raises:
        CallFaultError: missing, of another type, or too long (as all functions here).
    """
    value = _present(data, key)
    if not isinstance(value, str):
        raise CallFaultError(Fault.TYPE, f"{key} is no string")
    if len(value) > most or not _encodable(value):
        raise CallFaultError(Fault.VALUE, f"{key} is longer than {most} or no text")
    return value


def text_or_none(data: Json, key: str, most: int = 500) -> str | None:
    """As `text`; None when missing or null."""
    return None if data.get(key) is None else text(data, key, most)


def word(data: Json, key: str) -> str:
    """A string, or a number as one; empty for anything else."""
    value = data.get(key)
    return str(value) if isinstance(value, str | int | float) else ""


def whole(data: Json, key: str) -> int:
    """An integer (a bool is none) that any database can hold."""
    value = _present(data, key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise CallFaultError(Fault.TYPE, f"{key} is no integer")
    if abs(value) > _LARGEST:
        raise CallFaultError(Fault.VALUE, f"{key} is too large")
    return value


def number(data: Json, key: str) -> float:
    """A number of a believable size: JSON also has integers that no float can hold."""
    value = _present(data, key)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise CallFaultError(Fault.TYPE, f"{key} is no number")
    if abs(value) > _LARGEST:
        raise CallFaultError(Fault.VALUE, f"{key} is too large")
    return float(value)


def moment(data: Json, key: str) -> datetime:
    """An instant; without a time zone it is taken as UTC, which is what such chargers mean."""
    value = text(data, key, 50)
    try:
        instant = datetime.fromisoformat(value)
        return as_utc(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise CallFaultError(Fault.VALUE, f"{key} is no timestamp") from error


def moment_or_none(data: Json, key: str) -> datetime | None:
    """As `moment`; None when missing or null."""
    return None if data.get(key) is None else moment(data, key)


def part(data: Json, key: str) -> Json:
    """A nested object; an empty one when missing."""
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def parts(data: Json, key: str) -> list[Json]:
    """The objects of an array; empty when missing."""
    value = data.get(key)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def stamp(instant: datetime) -> str:
    """An instant as chargers read it: whole seconds and Z, which even old firmware takes."""
    return as_utc(instant).isoformat()[:19] + "Z"


def _encodable(value: str) -> bool:
    """Whether it is more than JSON: a lone surrogate can be escaped there, but stored nowhere."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _present(data: Json, key: str) -> object:
    value = data.get(key)
    if value is None:
        raise CallFaultError(Fault.MISSING, f"{key} is missing")
    return value
