"""Numbers and instants of foreign documents."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from contracts.errors import ProtocolError
from gateway.domain.price.market import per_kwh

MOST_PER_KWH = Decimal(1000)
"""No market knows such prices: Europe's limits are 5 and -0.5 EUR/kWh, CAISO's 2 USD/kWh."""
_LONGEST = 40


def price_of(text: str, unit: str) -> Decimal:
    """A price per kWh from a document's text, exactly.

    Raises:
        ProtocolError: no number, another unit, or beyond any market's limits.
    """
    try:
        found = per_kwh(Decimal(text.strip()[:_LONGEST]), unit)
    except (InvalidOperation, ValueError) as error:
        raise ProtocolError(f"{text[:_LONGEST]!r} per {unit[:_LONGEST]!r} is no price") from error
    if abs(found) > MOST_PER_KWH:
        raise ProtocolError(f"{found} per kWh is beyond any market's limits")
    return found


def instant_of(text: str) -> datetime:
    """An instant with an offset, in UTC.

    Raises:
        ProtocolError: no instant, or one without an offset.
    """
    try:
        found = datetime.fromisoformat(text.strip()[:_LONGEST])
    except ValueError as error:
        raise ProtocolError(f"{text[:_LONGEST]!r} is no time") from error
    if found.tzinfo is None:
        raise ProtocolError(f"{text[:_LONGEST]!r} has no offset from UTC")
    return found.astimezone(UTC)
