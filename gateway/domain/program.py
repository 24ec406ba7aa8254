"""Programs are data: what a utility may ask of the enrolled sites, and how delivery is measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Adjustment(StrEnum):
    """How a baseline follows the event day's own load before the event."""

    NONE = "none"
    RATIO = "ratio"
    ADDITIVE = "additive"


class DayType(StrEnum):
    """Which past days may stand for the event day."""

    ANY = "any"
    SAME = "same"
    """Weekdays for a weekday, weekend days and holidays for one of those."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineMethod:
    """An X-of-Y baseline: the mean of X out of the last Y eligible days, then adjusted.

    Defaults are "10-of-10 type" with a same-day ratio adjustment capped at 20 % over the three
    hours that end one hour before the event (after CAISO's 10-in-10; see docs, not certified).
    """

    name: str = "10-of-10 type"
    y_days: int = 10
    x_days: int = 10
    look_back: timedelta = timedelta(days=45)
    day_type: DayType = DayType.SAME
    min_coverage: float = 0.9
    """Share of the event window a past day must have data for, 0-1."""
    adjustment: Adjustment = Adjustment.RATIO
    adjust_from: timedelta = timedelta(hours=4)
    """The adjustment window opens this long before the event starts ..."""
    adjust_until: timedelta = timedelta(hours=1)
    """... and closes this long before it."""
    adjust_low: float = 0.8
    adjust_high: float = 1.2
    """Bounds of the ratio; for ADDITIVE, of the shift relative to the unadjusted mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One demand-response program of one utility."""

    program_id: str
    """The utility's own name for it: the market context of OpenADR 2.0b."""
    name: str
    utility_id: str
    baseline: BaselineMethod = field(default_factory=BaselineMethod)
    measurement_interval: timedelta = timedelta(minutes=15)
    """Length of the intervals in which delivery is judged."""
    level_shares: tuple[float, float, float, float] = (0.0, 0.33, 0.66, 1.0)
    """Part of the nominated reduction asked for at SIMPLE levels 0-3."""
    observe_after: timedelta = timedelta(hours=1)
    """How long after the event the rebound is watched before the report is made."""
    accept_events: bool = True
    """The standing opt rule: False answers every event with optOut."""
