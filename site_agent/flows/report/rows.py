"""Rows for the outbox, within the lengths and ranges the link allows.

A row the gateway refuses would block every row behind it, so bounds are kept here, at the source.
"""

from __future__ import annotations

from datetime import datetime

from contracts.reading import Quality, Reading
from contracts.site_link.messages import Measurement

_NAME_CHARS, _TEXT_CHARS = 120, 500
_LARGEST = 1e15


def name(value: str) -> str:
    """A name as the link allows it: 1 to 120 characters."""
    return value[:_NAME_CHARS] or "-"


def text(value: str) -> str:
    """A text as the link allows it: up to 500 characters."""
    return value if len(value) <= _TEXT_CHARS else value[: _TEXT_CHARS - 1] + "…"


def measurement(at: datetime, point: str, reading: Reading) -> Measurement:
    """A reading as a row; a number that is none (NaN, infinite) has no value."""
    value, quality = reading.value, reading.quality
    if value is not None and not abs(value) <= _LARGEST:
        value, quality = None, Quality.INVALID
    return Measurement(at=at, point=name(point), value=value, quality=quality)
