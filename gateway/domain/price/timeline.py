"""Prices over time, each with where it comes from; a gap is a gap, never filled in silence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from contracts.series import StepSeries
from contracts.time import Interval


class Quality(StrEnum):
    """How firm a price is."""

    PUBLISHED = "published"
    """Its source says so now."""
    CARRIED_OVER = "carried over"
    """Its source said so once and, asked again for the same time, no longer names a price."""
    FORECAST = "forecast"
    """Its source calls it a forecast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceStep:
    """One price over a closed interval.

    Raises:
        ValueError: the interval has no end or no length, or the price is no finite number.
    """

    interval: Interval
    per_kwh: Decimal
    """Of the timeline's currency; negative where the market pays for consumption."""
    source_id: str
    as_of: datetime
    """When its source said so."""
    quality: Quality = Quality.PUBLISHED

    def __post_init__(self) -> None:
        if self.interval.end is None or self.interval.end == self.interval.start:
            raise ValueError("a price needs an interval with an end and a length")
        if not self.per_kwh.is_finite():
            raise ValueError(f"{self.per_kwh} is no price")

    @property
    def start(self) -> datetime:
        """From when on it holds."""
        return self.interval.start

    @property
    def end(self) -> datetime:
        """Until when it holds (exclusive)."""
        return self.interval.end or self.interval.start

    def within(self, window: Interval) -> PriceStep | None:
        """The part inside a window."""
        part = self.interval.intersection(window)
        return None if part is None else replace(self, interval=part)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTimeline:
    """The prices of one market area or node, in order.

    Raises:
        ValueError: two steps overlap, or are out of order.
    """

    area: str
    """Bidding zone (EIC code), node (LMP), program: whatever its source names it by."""
    currency: str
    """ISO 4217."""
    steps: tuple[PriceStep, ...] = ()

    def __post_init__(self) -> None:
        for before, after in zip(self.steps, self.steps[1:], strict=False):
            if before.end > after.start:
                raise ValueError(f"two prices at {after.start.isoformat()}")

    @classmethod
    def of(cls, area: str, currency: str, steps: Iterable[PriceStep]) -> PriceTimeline:
        """From steps in any order."""
        ordered = tuple(sorted(steps, key=lambda one: one.start))
        return cls(area=area, currency=currency, steps=ordered)

    def __iter__(self) -> Iterator[PriceStep]:
        return iter(self.steps)

    @property
    def as_of(self) -> datetime | None:
        """The newest word in it; None: it is empty."""
        return max((one.as_of for one in self.steps), default=None)

    def series(self) -> StepSeries:
        """Prices per kWh as a step series; gaps stay gaps."""
        return StepSeries.of((one.interval, float(one.per_kwh)) for one in self.steps)

    def clip(self, window: Interval) -> PriceTimeline:
        """The part inside a window."""
        parts = (one.within(window) for one in self.steps)
        return replace(self, steps=tuple(one for one in parts if one is not None))

    def gaps(self, window: Interval) -> tuple[Interval, ...]:
        """Where a closed window has no price.

        Raises:
            ValueError: the window has no end.
        """
        if window.end is None:
            raise ValueError("only a closed window has gaps")
        return tuple(uncovered(window, self.clip(window).steps))

    def covers(self, window: Interval) -> bool:
        """Whether every instant of a closed window has a price."""
        return not self.gaps(window)


def uncovered(window: Interval, steps: Sequence[PriceStep]) -> Iterator[Interval]:
    """The parts of a window outside steps in order."""
    at = window.start
    for step in steps:
        if step.start >= (window.end or step.start):
            break
        if step.start > at:
            yield Interval(start=at, end=step.start)
        at = max(at, step.end)
    if window.end is not None and at < window.end:
        yield Interval(start=at, end=window.end)


def shared_currency(timelines: Iterable[PriceTimeline]) -> str | None:
    """The one currency of these; None: there are none.

    Raises:
        ValueError: they have several; prices in two currencies are not compared here.
    """
    found = sorted({one.currency for one in timelines})
    if len(found) > 1:
        raise ValueError(f"prices in {' and '.join(found)}: a site follows one currency")
    return found[0] if found else None
