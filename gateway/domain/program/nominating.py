"""How and when a quantity is promised to a program, or bid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from contracts.days import EVERY_DAY
from gateway.domain.program.notice import Notice
from gateway.domain.program.quota import Per
from gateway.domain.program.source import Source
from gateway.domain.program.window import CallWindow
from gateway.domain.words import kw, span

SHORTEST = timedelta(minutes=5)
_SHORT_PERIODS = (Per.DAY, Per.WEEK)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekPart:
    """A part of the week for which a quantity of its own is promised."""

    name: str
    start: int = 0
    """Minutes after midnight on the program's wall; an end at or before it is the next day's."""
    end: int = 24 * 60
    kinds: frozenset[int] = EVERY_DAY
    rest: bool = False
    """All that no other part holds, instead of hours of its own."""

    def __post_init__(self) -> None:
        _ = self.window

    @property
    def window(self) -> CallWindow:
        """Its hours."""
        return CallWindow(start=self.start, end=self.end, kinds=self.kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class NominationRule:
    """What a quantity holds for, by when it must be told, and what it may be.

    Kinds and parameters: programs note section 2, "Nomination / Bid".
    """

    period: Per | None = None
    """What one holds for; None: the dates of a contract, which a person names."""
    resolution: timedelta | None = None
    """Length of the pieces that have a quantity of their own; None: one quantity."""
    parts: tuple[WeekPart, ...] = ()
    """Parts of the week that have a quantity of their own."""
    gate: Notice | None = None
    """When it closes before the period; None: the program does not say."""
    own_price: bool = False
    """It carries a price of ours (a bid); False: price taker."""
    price_cap: float | None = None
    """Highest price of a bid, currency per kWh."""
    step_w: float | None = None
    source: Source | None = None

    def __post_init__(self) -> None:
        if self.resolution is not None and self.resolution < SHORTEST:
            raise ValueError(f"resolution: at least {span(SHORTEST)}")
        if self.resolution is not None and (self.parts or self.period not in _SHORT_PERIODS):
            raise ValueError("resolution: only for a day or a week, and not beside parts")
        if self.step_w is not None and self.step_w <= 0:
            raise ValueError("step_w: must be positive")
        if self.price_cap is not None and self.price_cap < 0:
            raise ValueError("price_cap: must not be negative")
        names = [one.name for one in self.parts]
        if len(set(names)) < len(names) or sum(one.rest for one in self.parts) > 1:
            raise ValueError("parts: each has a name of its own, and at most one is the rest")

    @property
    def words(self) -> str:
        """`bid for every 1 h of a day at our own price`."""
        verb = "bid" if self.own_price else "nominated"
        price = "" if self.price_cap is None else f" of at most {self.price_cap:g} per kWh"
        every = "" if self.resolution is None else f"every {span(self.resolution)} of "
        held = "the dates of a contract" if self.period is None else f"a {self.period.value}"
        parts = [f"{verb} for {every}{held}" + f" at our own price{price}" * self.own_price]
        parts += [f"to be told {self.gate.when}"] if self.gate else []
        parts += [f"in steps of {kw(self.step_w)}"] if self.step_w is not None else []
        names = ", ".join(one.name for one in self.parts)
        return ", ".join(parts) + (f"; apart for: {names}" if names else "")
