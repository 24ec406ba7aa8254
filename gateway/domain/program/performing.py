"""What a performance factor is made of: parameters, which `domain.measure.factor` computes with."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from gateway.domain.program.source import Source


class Mean(StrEnum):
    """Over what delivery is averaged."""

    INTERVAL = "interval"
    HOUR = "hour"
    EVENT = "event"
    ALL_HOURS = "all_hours"
    """Every hour of every event of the season weighs the same."""


class Negative(StrEnum):
    """What becomes of an interval or event in which less than nothing was delivered."""

    NETTED = "netted"
    PER_INTERVAL = "zero_per_interval"
    PER_EVENT = "zero_per_event"


class Absent(StrEnum):
    """What becomes of what is not there: missing data, or an event opted out of."""

    ZERO = "zero"
    ESTIMATE = "estimate"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """How delivery becomes a factor of the commitment."""

    mean: Mean = Mean.EVENT
    floor: Decimal | None = None
    """Below this ratio nothing is paid, 0-1."""
    floor_strict: bool = False
    """The ratio must be above the floor; at the floor is not enough."""
    pass_ratio: Decimal | None = None
    """At or above this ratio the commitment is met."""
    cap: Decimal | None = None
    """Ratios above it count as it; None: no cap."""
    sticky: bool = False
    """The last event (or test) sets the factor until the next one."""
    without_event: Decimal | None = None
    """Factor while there was no event; None: the last season's or a test's."""
    negative: Negative = Negative.PER_INTERVAL
    missing: Absent = Absent.ZERO
    opted_out: Absent = Absent.ZERO
    source: Source | None = None

    @property
    def words(self) -> str:
        """`mean over the event; nothing at or below 25 %; at most 100 %; sticky`."""
        parts = [f"mean over {_MEANS[self.mean]}"]
        if self.floor is not None:
            reach = "at or below" if self.floor_strict else "below"
            parts.append(f"nothing {reach} {self.floor:.0%}")
        if self.pass_ratio is not None:
            parts.append(f"met from {self.pass_ratio:.0%}")
        if self.cap is not None:
            parts.append(f"counted up to {self.cap:.0%}")
        if self.sticky:
            parts.append("the last event's stands until the next")
        if self.without_event is not None:
            parts.append(f"{self.without_event:.0%} while there is no event")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """What is paid from a ratio of delivered to committed on."""

    from_ratio: Decimal
    factor: Decimal | None = None
    """Share of the full payment; None: the ratio itself."""
    penalty: bool = False

    @property
    def words(self) -> str:
        """`from 75 %: 50 %`."""
        paid = "pro rata" if self.factor is None else f"{self.factor:.0%}"
        return f"from {self.from_ratio:.0%}: {'a penalty' if self.penalty else paid}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TierTable:
    """Ratio bands, from the highest down; each holds up to the next higher one."""

    tiers: tuple[Tier, ...]
    cap: Decimal | None = Decimal(1)
    """Ratios above it count as it."""
    source: Source | None = None

    def __post_init__(self) -> None:
        ratios = [tier.from_ratio for tier in self.tiers]
        if not ratios or ratios != sorted(set(ratios), reverse=True):
            raise ValueError("tiers: give each from_ratio once, the highest first")

    @property
    def words(self) -> str:
        """Its bands."""
        return "; ".join(tier.words for tier in self.tiers)


_MEANS = {
    Mean.INTERVAL: "each interval",
    Mean.HOUR: "each hour",
    Mean.EVENT: "the event",
    Mean.ALL_HOURS: "all hours of all events",
}
