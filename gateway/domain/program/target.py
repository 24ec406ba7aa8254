"""What an event asks of the portfolio, by the program's rules."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.curves import joined, pointwise
from gateway.domain.event import GridEvent, SignalKind, effective_signal
from gateway.domain.program.program import Program
from gateway.domain.scope import scope_of


def reduction_target(
    program: Program, event: GridEvent, nominated_total: StepSeries, baseline_total: StepSeries
) -> StepSeries:
    """Reduction asked of the portfolio over the event, W, >= 0.

    A change of load counts as it is (negative asks for less); a setpoint or limit asks for what
    the baseline lies above it, so it is known only where `baseline_total` is; a level asks for the
    program's share of the reduction that is promised then. Prices ask for nothing yet. The baseline
    and what is asked are those of the event's scope: of generation, more load means less of it.
    """
    signal = effective_signal(event)
    if signal is None:
        return StepSeries()
    asked = signal.series.clip(event.window)
    match signal.kind:
        case SignalKind.DELTA_W:
            change = scope_of(event, program).counted(asked)
            return joined(change.map(lambda change_w: max(0.0, -change_w)))
        case SignalKind.SETPOINT_W:
            asked = scope_of(event, program).counted(asked)
            return joined(pointwise(lambda w: max(0.0, w[0] - w[1]), (baseline_total, asked)))
        case SignalKind.IMPORT_LIMIT_W | SignalKind.EXPORT_LIMIT_W | SignalKind.GENERATION_LIMIT_W:
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
