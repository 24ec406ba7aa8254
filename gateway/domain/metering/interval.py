"""The energy a revenue meter counted in an interval, and what is known of the meter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import isfinite

from contracts.reading import Quality
from contracts.time import Interval, as_utc


class Register(StrEnum):
    """What a meter counts."""

    IMPORT = "import"
    """Energy taken from the grid: never negative."""
    EXPORT = "export"
    """Energy fed into the grid, counted upwards: never negative."""
    NET = "net"
    """Import less export: of either sign, import positive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """What its intervals are judged by.

    Raises:
        ValueError: the length does not divide a day, or the limit is not above 0.
    """

    register: Register = Register.IMPORT
    length: timedelta = timedelta(minutes=15)
    limit_w: float | None = None
    """The most its connection carries in either direction; None: not known."""

    def __post_init__(self) -> None:
        if self.length < timedelta(seconds=1) or timedelta(days=1) % self.length:
            raise ValueError(f"a meter interval of {self.length} does not divide a day")
        if self.limit_w is not None and not (isfinite(self.limit_w) and self.limit_w > 0):
            raise ValueError(f"the limit of a connection is above 0 W, not {self.limit_w}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterInterval:
    """One interval as its source told it.

    Raises:
        ValueError: a time is naive.
    """

    start: datetime
    length: timedelta
    energy_wh: float | None
    """None: the source has no value."""
    quality: Quality = Quality.GOOD
    issued_at: datetime
    """When the source made this value; of two the one issued later corrects the other."""
    reason: str = ""
    """What is wrong with it or noteworthy, for people; empty: nothing."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", as_utc(self.start))
        object.__setattr__(self, "issued_at", as_utc(self.issued_at))

    @property
    def interval(self) -> Interval:
        """When it was counted."""
        return Interval.lasting(self.start, self.length)

    @property
    def counts(self) -> bool:
        """Whether its energy may be used."""
        return self.quality.usable and self.energy_wh is not None
