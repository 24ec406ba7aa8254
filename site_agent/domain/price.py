"""The price of energy now, seen within its day: high, low or neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

_SPREAD_SHARE = 0.05
"""A day whose prices differ by less than this share of their mean has neither high nor low ones."""
_OUTER = 1 / 3
"""The highest and the lowest third of the day's span count as high and low."""
_HAIR = 1e-9


class Level(StrEnum):
    """Where a price stands within its day."""

    LOW = "low"
    MIDDLE = "middle"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceView:
    """The price of a kWh drawn now, and where it stands; both None where no tariff says."""

    now: float | None = None
    """In the site's currency."""
    level: Level | None = None

    @property
    def words(self) -> str:
        """As a reason."""
        if self.now is None or self.level is None:
            return "the price is not known"
        return f"the price of {self.now:.3f} per kWh is {self.level} for the day"


NO_PRICE = PriceView()


def price_view(now: float, day: Sequence[float]) -> PriceView:
    """The view of a price among those of its day (the same day, or the 24 h around it).

    High from two thirds of the way between the least and the most, low up to one third; in a day
    that is almost flat everything is in the middle.
    """
    least, most = min((now, *day)), max((now, *day))
    mean = sum((now, *day)) / (1 + len(day))
    span = most - least
    if span <= _SPREAD_SHARE * abs(mean):
        return PriceView(now=now, level=Level.MIDDLE)
    share = (now - least) / span
    if share >= 1 - _OUTER - _HAIR:
        return PriceView(now=now, level=Level.HIGH)
    return PriceView(now=now, level=Level.LOW if share <= _OUTER + _HAIR else Level.MIDDLE)
