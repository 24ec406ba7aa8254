"""Instants as microseconds since 1970, exactly, for the telemetry table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


def micros(instant: datetime) -> int:
    """Microseconds since 1970-01-01 UTC."""
    return (instant - _EPOCH) // _MICRO


def from_micros(count: int) -> datetime:
    """The instant again, aware, UTC."""
    return _EPOCH + timedelta(microseconds=count)
