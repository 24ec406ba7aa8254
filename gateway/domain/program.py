"""Programs are data: what a utility may ask of the enrolled sites, and how delivery is measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import joined, pointwise
from gateway.domain.event import GridEvent, Opt, OptDecision, Signal, SignalKind


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


USABLE = (
    SignalKind.DELTA_W,
    SignalKind.SETPOINT_W,
    SignalKind.IMPORT_LIMIT_W,
    SignalKind.LEVEL,
)
"""Signals we act on, the most exact first: of several in one event the first of these counts."""

_IN_WORDS = {
    SignalKind.DELTA_W: "the change of load it asks for",
    SignalKind.SETPOINT_W: "the load it sets",
    SignalKind.IMPORT_LIMIT_W: "the limit it sets",
    SignalKind.LEVEL: "its level",
    SignalKind.PRICE: "its price",
}


def effective_signal(event: GridEvent) -> Signal | None:
    """The signal of the event that we act on, or None when there is none we can use."""
    for kind in USABLE:
        for signal in event.signals:
            if signal.kind is kind and len(signal.series):
                return signal
    return None


def decide_opt(program: Program | None, event: GridEvent, now: datetime) -> OptDecision:
    """Our answer to an event by the standing rules of its program, with the reason."""
    refusal = None if event.cancelled else _refusal(program, event, now)
    cause = "cancellation acknowledged" if event.cancelled else refusal or _welcome(program, event)
    return OptDecision(
        event_key=event.key,
        modification=event.modification,
        opt=Opt.OUT if refusal else Opt.IN,
        cause=cause,
    )


def reduction_target(
    program: Program, event: GridEvent, nominated_total_w: float, baseline_total: StepSeries
) -> StepSeries:
    """Reduction asked of the portfolio over the event, W, >= 0.

    A change of load counts as it is (negative asks for less); a setpoint or limit asks for what
    the baseline lies above it, so it is known only where `baseline_total` is; a level asks for the
    program's share of the nominated reduction. Prices ask for nothing yet.
    """
    signal = effective_signal(event)
    if signal is None:
        return StepSeries()
    asked = signal.series.clip(event.window)
    match signal.kind:
        case SignalKind.DELTA_W:
            return joined(asked.map(lambda change_w: max(0.0, -change_w)))
        case SignalKind.SETPOINT_W | SignalKind.IMPORT_LIMIT_W:
            return joined(pointwise(lambda w: max(0.0, w[0] - w[1]), (baseline_total, asked)))
        case SignalKind.LEVEL:
            return joined(asked.map(lambda level: nominated_total_w * level_share(program, level)))
        case SignalKind.PRICE:
            return StepSeries()


def level_share(program: Program, level: float) -> float:
    """Part of the nominated reduction a SIMPLE level asks for; levels beyond 3 count as 3."""
    return program.level_shares[min(max(round(level), 0), len(program.level_shares) - 1)]


def closed_window(event: GridEvent, now: datetime, horizon: timedelta) -> Interval:
    """The event's window; for one until further notice, as far ahead as we plan.

    The end then moves on in whole steps of half the horizon, so that plans do not change at
    every look.
    """
    if event.window.end is not None:
        return event.window
    start, half = event.window.start, horizon / 2
    behind = max(timedelta(0), now - start) // half
    return Interval.lasting(start, half * (behind + 2))


def _refusal(program: Program | None, event: GridEvent, now: datetime) -> str | None:
    """Why we will not take part, or None."""
    if program is None or program.utility_id != event.utility_id:
        return f"not enrolled in program {event.program_id!r} of utility {event.utility_id!r}"
    if event.window.end is not None and event.window.end <= now:
        return f"too late: the event ended at {event.window.end.isoformat()}"
    if not program.accept_events:
        return f"standing opt-out rule of program {program.name!r}"
    if effective_signal(event) is None:
        kinds = ", ".join(sorted({signal.kind.value for signal in event.signals})) or "none"
        return f"no signal we can act on (got: {kinds})"
    return None


def _welcome(program: Program | None, event: GridEvent) -> str:
    signal = effective_signal(event)
    name = program.name if program else event.program_id
    followed = _IN_WORDS[signal.kind] if signal else "nothing"
    return f"program {name!r} accepts events; we follow {followed}"
