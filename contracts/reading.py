"""A value from the field, with its quality and its time: what must be known before it is used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Quality(StrEnum):
    """How far a value may be trusted."""

    GOOD = "good"
    ESTIMATED = "estimated"
    """Derived, not measured (for example power from the slope of an energy register)."""
    STALE = "stale"
    """Was true once; the source has not confirmed it since."""
    INVALID = "invalid"
    """The source answered with nonsense, or said it does not know."""
    OFFLINE = "offline"
    """No answer at all."""

    @property
    def usable(self) -> bool:
        """Whether a value of this quality may be used, if it is not too old."""
        return self in (Quality.GOOD, Quality.ESTIMATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One measured value; `value` is None whenever there is nothing to trust, never a made-up 0."""

    value: float | None
    quality: Quality
    at: datetime

    @classmethod
    def missing(cls, at: datetime, quality: Quality = Quality.OFFLINE) -> Reading:
        """A reading that says: no value."""
        return cls(value=None, quality=quality, at=at)

    def fresh(self, now: datetime, max_age: timedelta) -> float | None:
        """The value if it may be used at `now`, else None."""
        return self.value if self.quality.usable and now - self.at <= max_age else None
