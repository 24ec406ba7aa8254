"""How a program measures: the point, the baseline and its parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from gateway.domain.program.source import Source
from gateway.domain.words import span


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


class Anchor(StrEnum):
    """What the adjustment window lies before."""

    START = "start"
    NOTIFICATION = "notification"


class Fallback(StrEnum):
    """What is done when the look-back holds fewer clean days than Y."""

    FEWER_DAYS = "fewer_days"
    """The mean over those there are, down to `min_days`."""
    ANY_DAY_TYPE = "any_day_type"
    """Days of the other type too, down to `min_days`."""


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
    min_days: int = 3
    """Fewer usable days than this and there is no baseline."""
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
    fallbacks: tuple[Fallback, ...] = (Fallback.FEWER_DAYS,)
    """Tried in this order when there are fewer than Y clean days; none: there is no baseline."""
    anchor: Anchor = Anchor.START
    """What the adjustment window lies before, on the event's own day."""
    excludes_holidays: bool = False
    """A holiday stands for no day, not even for another holiday."""
    excluded_programs: tuple[str, ...] = ()
    """Days with events of these leave the baseline also where the site took no part in them."""


class BaselineKind(StrEnum):
    """Families of baselines."""

    X_OF_Y = "x_of_y"
    SAME_DAY = "same_day"
    MATCH_DAY = "match_day"
    FLAT = "flat"
    """One level for a season, from past peaks."""
    BEFORE_EVENT = "before_event"
    DEVICE = "device"
    """The device's own meter, for example of a battery."""
    ASSIGNED = "assigned"
    """The operator chooses one for each resource."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineRule:
    """Which baseline the program prescribes; the numbers of an X-of-Y one are its method's."""

    name: str
    version: str = ""
    kind: BaselineKind = BaselineKind.X_OF_Y
    anchor: Anchor = Anchor.START
    adjust_window: timedelta | None = None
    """Length of the window of the adjustment, where the program says it."""
    adjust_cap_share: float | None = None
    """Largest adjustment, 0-1; None: no cap or not said."""
    peak_loads: int | None = None
    """FLAT: mean of so many of the site's highest loads ..."""
    peak_hours: int | None = None
    """... among so many of the system's highest hours."""
    excluded_programs: tuple[str, ...] = ()
    """Program ids or templates: days with events of these are no baseline days, also where the
    site took no part. Days of events in which it did never are."""
    excludes_holidays: bool = False
    source: Source | None = None

    def over(self, method: BaselineMethod) -> BaselineMethod:
        """The numbers of a method, with what this rule says of them."""
        until = timedelta(0) if self.adjust_window is not None else method.adjust_until
        low, high = method.adjust_low, method.adjust_high
        if self.adjust_cap_share is not None:
            low, high = 1.0 - self.adjust_cap_share, 1.0 + self.adjust_cap_share
        return replace(
            method,
            adjust_from=self.adjust_window or method.adjust_from,
            adjust_until=until,
            adjust_low=low,
            adjust_high=high,
            anchor=self.anchor,
            excludes_holidays=self.excludes_holidays or method.excludes_holidays,
            excluded_programs=self.excluded_programs or method.excluded_programs,
        )

    @property
    def words(self) -> str:
        """`high 5 of 10; adjustment before the notification; without days of csrp-type`."""
        parts = [self.name + (f" (version {self.version})" if self.version else "")]
        if self.peak_loads and self.peak_hours:
            parts.append(f"mean of {self.peak_loads} loads in {self.peak_hours} system peak hours")
        if self.adjust_window is not None:
            parts.append(f"adjusted by the {span(self.adjust_window)} before the {self.anchor}")
        if self.adjust_cap_share is not None:
            parts.append(f"by at most {self.adjust_cap_share:.0%}")
        if self.excluded_programs:
            parts.append("without event days of " + ", ".join(self.excluded_programs))
        return "; ".join(parts)


class Point(StrEnum):
    """Where delivery is measured."""

    SITE = "site"
    EVSE = "evse_submeter"
    INVERTER = "inverter"


class ExportRule(StrEnum):
    """What becomes of power fed into the grid."""

    COUNTED = "counted"
    CLAMPED = "clamped"
    """Load below zero counts as zero."""
    EXCLUDED = "excluded"
    """Intervals with export are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterPoint:
    """Where and how often delivery is measured."""

    point: Point = Point.SITE
    interval: timedelta = timedelta(minutes=15)
    export: ExportRule = ExportRule.CLAMPED
    source: Source | None = None

    def __post_init__(self) -> None:
        if self.interval <= timedelta(0):
            raise ValueError("interval: must be positive")

    @property
    def words(self) -> str:
        """`site meter every 15 min, exports clamped`."""
        return f"{_POINTS[self.point]}, every {span(self.interval)}, exports {self.export.value}"


_POINTS = {
    Point.SITE: "meter of the site",
    Point.EVSE: "submeter of the chargers",
    Point.INVERTER: "meter of the inverter",
}
