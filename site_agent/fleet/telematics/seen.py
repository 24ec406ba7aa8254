"""What a provider tells, in our own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contracts.errors import TransientError
from contracts.time import as_utc

ANSWERS_TOO_FAST_S = 60.0


class RateLimitedError(TransientError):
    """We ask too often; `wait_s` is how long to be quiet."""

    def __init__(self, text: str, wait_s: float | None) -> None:
        super().__init__(text)
        self.wait_s = ANSWERS_TOO_FAST_S if wait_s is None else wait_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """A vehicle as the provider knows it."""

    external_id: str
    name: str = ""
    vin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SocSeen:
    """A state of charge, 0 to 100 %, and when it was measured."""

    who: Who
    pct: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteSeen:
    """A planned trip."""

    who: Who
    route_id: str
    departs: datetime
    returns: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some news, and where the next ones begin."""

    states: Sequence[SocSeen]
    cursor: str
    more: bool = False
    """There are more at once."""
    skipped: int = 0
    """Records that could not be read."""


class Provider(Protocol):
    """One provider's API."""

    async def states(self, cursor: str | None) -> Page:
        """News since `cursor`; None: the last known.

        Raises:
            RateLimitedError: we ask too often.
            TransientError: it cannot be reached, or fails.
            ProtocolError: it answers nonsense.
            PermanentError: our credentials do not hold.
        """
        ...

    async def routes(self, since: datetime, until: datetime) -> Sequence[RouteSeen]:
        """Trips planned to begin in `[since, until)`; raises as `states`."""
        ...


def instant(value: object) -> datetime | None:
    """An RFC 3339 instant, or None when it is none."""
    if not isinstance(value, str) or len(value) > 40:  # noqa: PLR2004 (longer than any instant)
        return None
    try:
        return as_utc(datetime.fromisoformat(value))
    except ValueError:
        return None


def text(value: object) -> str:
    """An id or name, or "" when it is none."""
    return value[:200] if isinstance(value, str) else ""


def percent(value: object, scale: float = 1.0) -> float | None:
    """A share of 0 to 100 %, or None when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    found = value * scale
    return found if 0.0 <= found <= 100.0 else None  # noqa: PLR2004 (per cent)


def part(value: object, *names: str) -> object:
    """What lies at the end of these names, or None."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def items(value: object) -> list[object]:
    """A list, or nothing."""
    return value if isinstance(value, list) else []
