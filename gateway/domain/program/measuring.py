"""How a program measures: the point, the baseline and its parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from gateway.domain.program.method import (
    Adjustment,
    Anchor,
    BaselineKind,
    BaselineMethod,
    DayType,
    Fallback,
    Rank,
)
from gateway.domain.program.source import Source
from gateway.domain.words import span

__all__ = [
    "Adjustment",
    "Anchor",
    "BaselineKind",
    "BaselineMethod",
    "BaselineRule",
    "DayType",
    "ExportRule",
    "Fallback",
    "MeasuredBy",
    "MeterPoint",
    "Point",
    "Rank",
]


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


class MeasuredBy(StrEnum):
    """Whose data all loads of a settlement come from: history, adjustment, event and rebound."""

    SITE_AGENT = "site_agent"
    """What the site's agent measured."""
    REVENUE_METER = "revenue_meter"
    """Intervals of the site's revenue meters, as their source delivered them."""

    @property
    def words(self) -> str:
        """For reports."""
        return _SOURCES[self]


_SOURCES = {
    MeasuredBy.SITE_AGENT: "readings of the sites' agents",
    MeasuredBy.REVENUE_METER: "intervals of the sites' revenue meters",
}


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
