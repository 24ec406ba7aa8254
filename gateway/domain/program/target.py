"""What an event asks of the portfolio, by the program's rules."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import joined, pointwise
from gateway.domain.event import GridEvent, Signal, SignalKind
from gateway.domain.program.program import Program

USABLE = (
    SignalKind.DELTA_W,
    SignalKind.SETPOINT_W,
    SignalKind.IMPORT_LIMIT_W,
    SignalKind.LEVEL,
)
"""Signals we act on, the most exact first: of several in one event the first of these counts."""


def effective_signal(event: GridEvent) -> Signal | None:
    """The signal of the event that we act on, or None when there is none we can use."""
    for kind in USABLE:
        for signal in event.signals:
            if signal.kind is kind and len(signal.series):
                return signal
    return None


def reduction_target(
    program: Program, event: GridEvent, nominated_total: StepSeries, baseline_total: StepSeries
) -> StepSeries:
    """Reduction asked of the portfolio over the event, W, >= 0.

    A change of load counts as it is (negative asks for less); a setpoint or limit asks for what
    the baseline lies above it, so it is known only where `baseline_total` is; a level asks for the
    program's share of the reduction that is promised then. Prices ask for nothing yet.
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
            shares = asked.map(lambda level: level_share(program, level))
            return joined(pointwise(lambda w: w[0] * w[1], (nominated_total, shares)))
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
