"""What a baseline is computed from, and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.report import BaselineDay
from gateway.domain.program import BaselineMethod
from gateway.domain.program.measuring import ExportRule

Values = Sequence[float | None]
"""Mean load, W, one an interval; None where nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A site of a control group."""

    name: str
    load: StepSeries
    """Measured import, W."""
    events: tuple[Interval, ...] = ()
    """Events it took part in itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlVerdict:
    """Whether a site of the control group is used, and why not."""

    name: str
    used: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineInputs:
    """Everything a run depends on; nothing else may influence it."""

    method: BaselineMethod
    zone: ZoneInfo
    """Past days are matched by local time of day in this zone."""
    event: Interval
    span: Interval
    """The event and what is to be shown before and after it."""
    resolution: timedelta
    history: StepSeries
    """Measured import, W; must hold at least `history_windows`, more does no harm."""
    other_events: tuple[Interval, ...] = ()
    """Every other event of the site, of whichever program: its days are not ordinary days."""
    holidays: frozenset[date] = frozenset()
    notified: datetime | None = None
    """When the event was told, for a method whose adjustment lies before that."""
    moved: tuple[Interval, ...] = ()
    """When our own instructions moved the site's load outside of events."""
    export: ExportRule = ExportRule.COUNTED
    controls: tuple[Control, ...] = ()
    """Sites that took no part, for a method that compares with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a kind of method makes of its inputs, before the adjustment."""

    values: Values = ()
    """One for each interval of the span; none at all when there is a `problem`."""
    counts: Sequence[int] = ()
    """Over how many days or sites each is a mean; empty: it is none."""
    wanted: int = 0
    """Over how many it should be."""
    expected: Callable[[Sequence[Interval]], Values] | None = None
    """The same for any hours of the day, to be compared with what was drawn; None: never is."""
    days: tuple[BaselineDay, ...] = ()
    controls: tuple[ControlVerdict, ...] = ()
    problem: str = ""
    fallback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedAdjustment:
    """What the same-day adjustment did."""

    value: float | None
    """Ratio, or shift in W; None when there was none."""
    capped: bool
    reason: str
    """Why there was none, or between which means it was formed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineRun:
    """One immutable result; `series` is empty when there were too few days (see `problem`)."""

    method: BaselineMethod
    days: tuple[BaselineDay, ...]
    """Every day looked at, newest first."""
    adjustment: AppliedAdjustment
    unadjusted: StepSeries
    series: StepSeries
    inputs_hash: str
    """SHA-256 over the parameters and over the history of every day looked at."""
    problem: str = ""
    fallback: str = ""
    """What was done, and why, when there were fewer clean days than the method wants."""
    moved: tuple[Interval, ...] = ()
    """Parts of the adjustment window in which our own instructions had moved the load."""
    gaps: tuple[Interval, ...] = ()
    """Intervals of the span for which no day knows a load: left open, never filled."""
    thin: tuple[Interval, ...] = ()
    """Intervals whose mean is over fewer days (or sites) than are used, because of their gaps."""
    controls: tuple[ControlVerdict, ...] = ()

    @property
    def days_used(self) -> tuple[date, ...]:
        """Days the mean was taken over."""
        return tuple(day.day for day in self.days if day.used)

    @property
    def days_rejected(self) -> tuple[BaselineDay, ...]:
        """Days looked at and not used, each with its reason."""
        return tuple(day for day in self.days if not day.used)
