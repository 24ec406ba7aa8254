"""Who bears how much of an amount: uses by what they drew from the grid, sessions by their energy.

Parts sum to the amount exactly: what division leaves is the building's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from gateway.domain.accounts.balance import Balance, Metered, Source, Use
from gateway.domain.accounts.charged import Charged

ZERO = Decimal(0)
BEARERS = (Use.CHARGING, Use.BUILDING, Use.STORAGE)
"""Nothing is imported in order to be exported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What one bears, by component."""

    energy: Decimal = ZERO
    demand: Decimal = ZERO
    fixed: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """The sum."""
        return self.energy + self.demand + self.fixed

    def __add__(self, other: Parts) -> Parts:
        return Parts(
            energy=self.energy + other.energy,
            demand=self.demand + other.demand,
            fixed=self.fixed + other.fixed,
        )

    def __sub__(self, other: Parts) -> Parts:
        return Parts(
            energy=self.energy - other.energy,
            demand=self.demand - other.demand,
            fixed=self.fixed - other.fixed,
        )


def total(parts: Sequence[Parts]) -> Parts:
    """All together."""
    return sum(parts, start=Parts())


class Bearing:
    """The uses and the sessions of one month."""

    def __init__(self, metered: Metered, books: Balance, sessions: Sequence[Charged]) -> None:
        self._charging_wh = metered.charging_wh
        self._drawn = {use: books.flow_wh(Source.GRID, use) for use in BEARERS}
        self._sessions = sessions

    def by_use(self, amount: Decimal, span: tuple[int, int]) -> Mapping[Use, Decimal]:
        """An amount by what each use drew from the grid in these slots; `first` to `end`."""
        drawn = {use: exact(one[slice(*span)].sum()) for use, one in self._drawn.items()}
        whole = sum(drawn.values(), ZERO)
        parts = {use: amount * one / whole if whole else ZERO for use, one in drawn.items()}
        parts[Use.BUILDING] += amount - sum(parts.values(), ZERO)
        return parts

    def by_session(self, amount: Decimal, span: tuple[int, int]) -> list[Decimal]:
        """What charging bears, by the energy of each session in these slots."""
        whole = exact(self._charging_wh[slice(*span)].sum())
        if not whole:
            return [ZERO for _ in self._sessions]
        return [amount * exact(one.within_wh(span)) / whole for one in self._sessions]

    def by_slot(self, amounts: Sequence[Decimal]) -> list[Decimal]:
        """What charging bears in every slot, by the energy of each session in it."""
        found: list[Decimal] = []
        for one in self._sessions:
            drawing = np.flatnonzero(one.wh > 0)
            shares = (one.wh[drawing] / self._charging_wh[one.slots][drawing]).tolist()
            slots = (one.first + drawing).tolist()
            parts = (amounts[i] * exact(share) for i, share in zip(slots, shares, strict=True))
            found.append(sum(parts, ZERO))
        return found


def exact(value: float) -> Decimal:
    """A measured number as the decimal that it is shown as; nothing is rounded."""
    return Decimal(repr(float(value)))
