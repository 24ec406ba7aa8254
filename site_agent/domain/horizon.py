"""The coming hours in equal slots: what forecasts, prices, plans and offers are laid out on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]
"""One value a slot."""
Flags = NDArray[np.bool_]
"""One yes or no a slot."""

QUARTER = timedelta(minutes=15)
_EPOCH_MONDAY = 4 * 86_400
"""Slots are counted from a Monday 00:00 UTC, so that quarters and halves of an hour fit days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """`count` slots of `step` from `start` on, each `[start, end)`, UTC."""

    start: datetime
    count: int
    step: timedelta = QUARTER

    @classmethod
    def around(cls, now: datetime, length: timedelta, step: timedelta = QUARTER) -> Horizon:
        """From the slot `now` lies in (slots begin at whole multiples of `step`), `length` long."""
        since = now.timestamp() - _EPOCH_MONDAY
        offset_s = since - floor(since / step.total_seconds()) * step.total_seconds()
        start = now - timedelta(seconds=offset_s)
        return cls(start=start, count=max(1, round(length / step)), step=step)

    @property
    def end(self) -> datetime:
        """Where the last slot ends."""
        return self.start + self.count * self.step

    @property
    def hours(self) -> float:
        """Length of a slot, h."""
        return self.step / timedelta(hours=1)

    def __iter__(self) -> Iterator[datetime]:
        """The start of every slot."""
        return (self.start + i * self.step for i in range(self.count))

    def slot(self, at: datetime) -> int:
        """The slot an instant lies in; below 0 or from `count` on: outside."""
        return floor((at - self.start) / self.step)

    def share(self, since: datetime, until: datetime) -> Series:
        """How much of every slot lies in `[since, until)`, 0 to 1."""
        first = (since - self.start) / self.step
        last = (until - self.start) / self.step
        slots = np.arange(self.count, dtype=np.float64)
        inside = np.minimum(slots + 1.0, last) - np.maximum(slots, first)
        clipped: Series = np.clip(inside, 0.0, 1.0)
        return clipped

    def filled(self, value: float) -> Series:
        """The same in every slot."""
        return np.full(self.count, value, dtype=np.float64)
