"""What comes with the energy (money, carbon) to those who use it.

It enters with the grid's energy and goes out with every use in proportion (`balance`). What goes
into a battery waits there at its mean value and comes out with what is discharged, as goods in a
store at average cost (IAS 2, paragraph 27). What is lost in the battery, and what is in it at the
end, stays with the battery. What it held at the start has no value here: it is told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from gateway.domain.accounts.balance import Balance, Source, Use
from gateway.domain.accounts.grid import Numbers

Value = TypeVar("Value", Decimal, float)
_TINY_WH = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotted(Generic[Value]):
    """By use and slot; over all uses and `stored` it sums to what came in."""

    by_use: Mapping[Use, Sequence[Value]]
    """Of every use but STORAGE, by slot."""
    stored: Value
    """In batteries at the end, or lost in them."""
    from_before_wh: float
    """Discharged of what batteries held at the start, which came without a value."""


def allot(
    books: Balance, came: Sequence[Value], number: Callable[[float], Value]
) -> Allotted[Value]:
    """Share out what came with the grid's energy in each slot.

    `number`: a share (0 to 1) as a value that can multiply.
    """
    zero = number(0.0)
    served = [use for use in Use if use is not Use.STORAGE]
    shares = {use: books.share(use) for use in Use}
    out: dict[Use, list[Value]] = {use: [] for use in served}
    store = _Store(zero, number)
    for i, brought in enumerate(came):
        value = brought + store.draw(_at(books.sources[Source.BATTERY], i))
        for use in served:
            out[use].append(value * number(float(shares[use][i])))
        kept = value - sum((out[use][i] for use in served), start=zero)
        if books.uses[Use.STORAGE][i] > 0:
            store.add(_at(books.uses[Use.STORAGE], i), kept)
        else:
            # Nothing was stored: what is left of the shares is rounding, or came with no energy.
            out[Use.BUILDING][i] += kept
    return Allotted(by_use=out, stored=store.value, from_before_wh=store.from_before_wh)


def _at(values: Numbers, index: int) -> float:
    return float(values[index])


class _Store(Generic[Value]):
    """What batteries hold, at its mean value."""

    def __init__(self, zero: Value, number: Callable[[float], Value]) -> None:
        self.value: Value = zero
        self.from_before_wh = 0.0
        self._zero: Value = zero
        self._number: Callable[[float], Value] = number
        self._wh = 0.0

    def add(self, wh: float, value: Value) -> None:
        self._wh += wh
        self.value = self.value + value

    def draw(self, wh: float) -> Value:
        """The value of what is discharged."""
        if wh <= 0.0:
            return self._zero
        taken = min(wh, self._wh)
        self.from_before_wh += wh - taken
        if taken <= 0.0:
            return self._zero
        whole = taken >= self._wh - _TINY_WH
        drawn = self.value if whole else self.value * self._number(taken / self._wh)
        self.value = self.value - drawn
        self._wh = 0.0 if whole else self._wh - taken
        return drawn
