from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from contracts.device_class import DeviceClass
from contracts.series import StepSeries
from gateway.domain.event import GridEvent, Opt, Signal, SignalKind, effective_signal
from gateway.domain.program import (
    Program,
    closed_window,
    decide_opt,
    reduction_target,
)

PROGRAM = Program(program_id="p1", name="Peak relief", utility_id="u1")

At = Callable[[float], datetime]
Event = Callable[..., GridEvent]
Series = Callable[..., StepSeries]


def test_a_known_program_and_a_usable_signal_are_opted_in(event: Event, at: At) -> None:
    decision = decide_opt(PROGRAM, event(), at(-30))
    assert (decision.opt, decision.modification) == (Opt.IN, 0)
    assert "Peak relief" in decision.cause


@pytest.mark.parametrize(
    ("program", "changes", "minute", "words"),
    [
        (None, {}, -30, "not enrolled in program 'p1'"),
        (replace(PROGRAM, utility_id="u2"), {}, -30, "not enrolled"),
        (PROGRAM, {}, 60, "too late"),
        (replace(PROGRAM, accept_events=False), {}, -30, "standing opt-out rule"),
        (PROGRAM, {"kind": SignalKind.PRICE}, -30, "got: price"),
        (PROGRAM, {"signals": ()}, -30, "got: none"),
        (PROGRAM, {"values": []}, -30, "no signal we can act on"),
    ],
)
def test_refusals_say_why(
    event: Event,
    at: At,
    program: Program | None,
    changes: dict[str, object],
    minute: float,
    words: str,
) -> None:
    decision = decide_opt(program, event(**changes), at(minute))
    assert decision.opt is Opt.OUT
    assert words in decision.cause


def test_an_event_under_way_is_still_joined_and_one_without_end_is_never_too_late(
    event: Event, at: At
) -> None:
    assert decide_opt(PROGRAM, event(), at(59)).opt is Opt.IN
    assert decide_opt(PROGRAM, event(end=None), at(9999)).opt is Opt.IN


def test_a_cancellation_is_acknowledged_whatever_it_cancels(event: Event, at: At) -> None:
    decision = decide_opt(None, event().cancel(), at(99))
    assert (decision.opt, decision.cause) == (Opt.IN, "cancellation acknowledged")


def test_the_most_exact_signal_counts(event: Event, series: Series) -> None:
    level = Signal(kind=SignalKind.LEVEL, series=series((0, 60, 2.0)))
    delta = Signal(kind=SignalKind.DELTA_W, series=series((0, 60, -5.0)))
    assert effective_signal(event(signals=(level, delta))) == delta
    empty = replace(delta, series=StepSeries())
    assert effective_signal(event(signals=(level, empty))) == level


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (SignalKind.DELTA_W, -30_000.0, 30_000.0),
        (SignalKind.DELTA_W, 30_000.0, 0.0),
        (SignalKind.SETPOINT_W, 60_000.0, 40_000.0),
        (SignalKind.IMPORT_LIMIT_W, 120_000.0, 0.0),
        (SignalKind.LEVEL, 0.0, 0.0),
        (SignalKind.LEVEL, 1.0, 16_500.0),
        (SignalKind.LEVEL, 3.0, 50_000.0),
    ],
)
def test_reduction_asked(
    event: Event, series: Series, kind: SignalKind, value: float, expected: float
) -> None:
    asked = event(kind=kind, values=[(0, 60, value)])
    target = reduction_target(PROGRAM, asked, series((0, 60, 50_000.0)), series((0, 60, 100_000.0)))
    assert target == series((0, 60, expected))


def test_more_load_of_inverters_is_less_generation(event: Event, series: Series) -> None:
    made = series((0, 60, 100.0))
    less = event(values=[(0, 60, 30.0)], device_classes=(DeviceClass.PV,))
    assert reduction_target(PROGRAM, less, StepSeries(), made) == series((0, 60, 30.0))
    held = event(
        kind=SignalKind.SETPOINT_W, values=[(0, 60, -70.0)], device_classes=(DeviceClass.PV,)
    )
    assert reduction_target(PROGRAM, held, StepSeries(), made) == series((0, 60, 30.0))


@pytest.mark.row("portfolio:A3")
def test_a_level_asks_for_what_is_promised_at_the_time(event: Event, series: Series) -> None:
    asked = event(kind=SignalKind.LEVEL, values=[(0, 60, 3.0)])
    nominated = series((0, 20, 30_000.0), (20, 60, 50_000.0))
    assert reduction_target(PROGRAM, asked, nominated, StepSeries()) == nominated


def test_a_setpoint_asks_only_where_the_baseline_is_known(event: Event, series: Series) -> None:
    asked = event(kind=SignalKind.SETPOINT_W, values=[(0, 60, 10.0)])
    baseline = series((0, 20, 50.0), (40, 60, 30.0))
    found = reduction_target(PROGRAM, asked, StepSeries(), baseline)
    assert found == series((0, 20, 40.0), (40, 60, 20.0))


def test_a_price_asks_for_nothing_and_values_outside_the_window_do_not_count(
    event: Event, series: Series
) -> None:
    price = event(kind=SignalKind.PRICE)
    assert not len(reduction_target(PROGRAM, price, series((0, 60, 1.0)), StepSeries()))
    long = event(values=[(-60, 120, -7.0)])
    assert reduction_target(PROGRAM, long, StepSeries(), StepSeries()) == series((0, 60, 7.0))


def test_an_event_without_end_is_planned_ahead_in_whole_steps(event: Event, at: At) -> None:
    endless, horizon = event(end=None), timedelta(minutes=60)
    ends = [closed_window(endless, at(m), horizon).end for m in (-99, 0, 29, 30, 61)]
    assert ends == [at(60), at(60), at(60), at(90), at(120)]
    assert closed_window(event(), at(0), horizon) == event().window
