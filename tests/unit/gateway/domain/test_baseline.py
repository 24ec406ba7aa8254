from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.baseline import (
    BaselineInputs,
    BaselineRun,
    adjustment_window,
    describe,
    history_windows,
    run_baseline,
)
from gateway.domain.measure.past_days import days_back, local_days
from gateway.domain.program import Adjustment, BaselineMethod, DayType

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
PLAIN = BaselineMethod(adjustment=Adjustment.NONE, day_type=DayType.ANY, look_back=timedelta(14))

Load = Callable[[datetime], float]


def local(day: date, hour: float) -> datetime:
    """An instant from Berlin wall time."""
    wall = datetime(day.year, day.month, day.day, tzinfo=BERLIN) + timedelta(hours=hour)
    return wall.astimezone(UTC)


def history(first: date, days: int, load_w: Load, step: timedelta = QUARTER) -> StepSeries:
    whole = Interval(start=local(first, 0), end=local(first + timedelta(days), 0))
    return StepSeries.of((piece, load_w(piece.start)) for piece in whole.split(step))


def inputs(
    method: BaselineMethod, past: StepSeries, day: date, **changes: object
) -> BaselineInputs:
    event = Interval(start=local(day, 14), end=local(day, 16))
    base = BaselineInputs(
        method=method, zone=BERLIN, event=event, span=event, resolution=QUARTER, history=past
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test's shorthand


def by_wall_clock(instant: datetime) -> float:
    """A load that depends on the local time of day alone."""
    wall = instant.astimezone(BERLIN)
    return 1000.0 * (wall.hour + wall.minute / 60)


@pytest.mark.parametrize("event_day", [date(2026, 3, 31), date(2026, 10, 27), date(2026, 7, 1)])
def test_past_days_are_matched_by_wall_clock_over_both_clock_changes(event_day: date) -> None:
    past = history(event_day - timedelta(12), 12, by_wall_clock)
    run = run_baseline(inputs(PLAIN, past, event_day))
    assert [step.value for step in run.series] == [14_000 + 250 * n for n in range(8)]
    assert len(run.days_used) == 10


@pytest.mark.parametrize(("day", "quarters"), [(date(2026, 3, 29), 92), (date(2026, 10, 25), 100)])
def test_an_event_over_a_whole_day_of_a_clock_change(day: date, quarters: int) -> None:
    past = history(day - timedelta(10), 10, by_wall_clock)
    whole = Interval(start=local(day, 0), end=local(day + timedelta(1), 0))
    run = run_baseline(inputs(PLAIN, past, day, event=whole, span=whole))
    assert len(run.series) == quarters
    for step in run.series:
        assert step.value == pytest.approx(by_wall_clock(step.interval.start))


@given(
    start=st.integers(0, 2 * 365 * 96).map(lambda n: FIRST + n * QUARTER),
    days=st.integers(0, 400),
)
def test_days_back_keeps_wall_clock_and_length(start: datetime, days: int) -> None:
    interval = Interval.lasting(start, QUARTER)
    before = days_back(interval, days, BERLIN)
    assert before.duration == QUARTER
    then, now = before.start.astimezone(BERLIN), start.astimezone(BERLIN)
    skipped = then.hour == now.hour + 1 and then.dst() and not (now - timedelta(days)).dst()
    assert (then.hour, then.minute) == (now.hour, now.minute) or skipped
    assert (now.date() - then.date()).days == days


def test_local_days_of_an_event_over_midnight() -> None:
    day = date(2026, 6, 1)
    late = Interval(start=local(day, 23), end=local(day, 25))
    assert local_days(late, BERLIN) == {day, date(2026, 6, 2)}
    until_midnight = Interval(start=local(day, 23), end=local(day, 24))
    assert local_days(until_midnight, BERLIN) == {day}
    assert local_days(Interval(start=local(day, 9), end=None), BERLIN) == {day}


def test_the_same_inputs_give_the_same_run_and_hash_whatever_else_is_known() -> None:
    day = date(2026, 5, 20)
    short = history(day - timedelta(15), 15, by_wall_clock)
    long = history(day - timedelta(40), 41, by_wall_clock)
    first, again = (run_baseline(inputs(PLAIN, short, day)) for _ in range(2))
    assert first == again
    assert run_baseline(inputs(PLAIN, long, day)).inputs_hash == first.inputs_hash


def test_the_hash_is_pinned() -> None:
    """A report made a year ago must be reproducible: change this only with a reason."""
    day = date(2026, 5, 20)
    run = run_baseline(inputs(PLAIN, history(day - timedelta(15), 15, by_wall_clock), day))
    assert run.inputs_hash == PINNED


def test_any_input_looked_at_changes_the_hash() -> None:
    day = date(2026, 5, 20)
    past = history(day - timedelta(20), 20, by_wall_clock)
    base = inputs(PLAIN, past, day)
    window = history_windows(PLAIN, BERLIN, base.event, base.span)[3]
    nudged = StepSeries.of(
        (s.interval, s.value + (s.interval.start == window.start + HOUR)) for s in past
    )
    untouched = StepSeries.of(
        (s.interval, s.value + (s.interval.start < local(day - timedelta(11), 0))) for s in past
    )
    variants = [
        replace(base, history=nudged),
        replace(base, holidays=frozenset({day})),
        replace(base, method=replace(PLAIN, y_days=9)),
        replace(base, other_events=(Interval.lasting(local(day, 20), HOUR),)),
    ]
    hashes = {run_baseline(variant).inputs_hash for variant in variants}
    assert len(hashes) == len(variants)
    assert run_baseline(base).inputs_hash not in hashes
    assert run_baseline(replace(base, history=untouched)).inputs_hash == (
        run_baseline(base).inputs_hash
    )


def adjusted(kind: Adjustment, factor: float, **method: object) -> BaselineRun:
    """Flat 10 kW on past days, `factor` times that on the event day before the event."""
    day = date(2026, 5, 20)
    wanted = replace(PLAIN, adjustment=kind, **method)  # type: ignore[arg-type]  # shorthand
    flat = history(day - timedelta(12), 13, lambda at: 1e4 if at < local(day, 0) else 1e4 * factor)
    return run_baseline(inputs(wanted, flat, day))


@pytest.mark.parametrize(
    ("kind", "factor", "value", "capped", "result"),
    [
        (Adjustment.RATIO, 1.1, 1.1, False, 11_000.0),
        (Adjustment.RATIO, 1.5, 1.2, True, 12_000.0),
        (Adjustment.RATIO, 0.1, 0.8, True, 8_000.0),
        (Adjustment.ADDITIVE, 1.1, 1_000.0, False, 11_000.0),
        (Adjustment.ADDITIVE, 1.5, 2_000.0, True, 12_000.0),
        (Adjustment.ADDITIVE, 0.1, -2_000.0, True, 8_000.0),
    ],
)
def test_adjustment_follows_the_day_within_its_bounds(
    kind: Adjustment, factor: float, value: float, capped: bool, result: float
) -> None:
    run = adjusted(kind, factor)
    assert run.adjustment.value == pytest.approx(value)
    assert run.adjustment.capped is capped
    assert [step.value for step in run.series] == pytest.approx([result] * 8)
    assert [step.value for step in run.unadjusted] == pytest.approx([1e4] * 8)


def test_no_adjustment_without_data_or_over_another_event_or_for_an_exporting_site() -> None:
    day = date(2026, 5, 20)
    method = replace(PLAIN, adjustment=Adjustment.RATIO)
    past = history(day - timedelta(12), 12, lambda _: 1e4)
    early = run_baseline(inputs(method, past, day))
    assert early.adjustment.value is None
    assert "0 % of the adjustment window" in early.adjustment.reason
    with_today = history(day - timedelta(12), 13, lambda _: 1e4)
    earlier = (Interval.lasting(local(day, 11), HOUR),)
    blocked = run_baseline(inputs(method, with_today, day, other_events=earlier))
    assert "another event" in blocked.adjustment.reason
    export = history(day - timedelta(12), 13, lambda _: -1e4)
    assert "needs import" in run_baseline(inputs(method, export, day)).adjustment.reason


def test_too_few_days_give_no_baseline_and_say_so() -> None:
    day = date(2026, 5, 20)
    run = run_baseline(inputs(PLAIN, history(day - timedelta(2), 2, by_wall_clock), day))
    assert not len(run.series)
    assert run.problem == "2 usable days, at least 3 needed"
    assert {d.reason for d in run.days_rejected} == {"no data"}


def test_before_and_after_the_event_are_covered_by_the_span() -> None:
    day = date(2026, 5, 20)
    past = history(day - timedelta(12), 12, by_wall_clock)
    span = Interval(start=local(day, 13), end=local(day, 17.5))
    run = run_baseline(inputs(PLAIN, past, day, span=span))
    assert run.series.steps[0].interval.start == span.start
    assert run.series.steps[-1].interval.end == span.end
    assert len(run.series) == 18


def test_an_interval_half_measured_on_a_past_day_counts_and_less_does_not() -> None:
    day = date(2026, 5, 20)
    method = replace(PLAIN, min_days=1, min_coverage=0.5, y_days=1, x_days=1)
    eve = local(day - timedelta(1), 14)
    seven, eight = timedelta(minutes=7), timedelta(minutes=8)
    past = StepSeries.of(
        [(Interval.lasting(eve, seven), 1.0), (Interval.lasting(eve + QUARTER, eight), 2.0)]
        + [(Interval.lasting(eve + n * QUARTER, QUARTER), 3.0) for n in range(2, 8)]
    )
    run = run_baseline(inputs(method, past, day))
    assert [step.value for step in run.series] == [2.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0]
    assert run.series.steps[0].interval.start == local(day, 14.25)


def test_windows_to_read_hold_everything_a_run_looks_at() -> None:
    day = date(2026, 5, 20)
    method = replace(PLAIN, adjustment=Adjustment.RATIO)
    everything = inputs(method, history(day - timedelta(20), 22, by_wall_clock), day)
    windows = history_windows(method, BERLIN, everything.event, everything.span)
    assert len(windows) == 15
    pieces = [step for w in windows for step in everything.history.clip(w)]
    only = StepSeries.of((step.interval, step.value) for step in pieces)
    assert run_baseline(replace(everything, history=only)) == run_baseline(everything)


def test_the_rule_in_words() -> None:
    said = describe(BaselineMethod())
    assert "10-of-10 type: mean of the last 10 eligible days" in said
    assert "ratio adjustment over 4 h to 1 h before the event, bounded 0.8 to 1.2" in said
    high = replace(PLAIN, x_days=5, name="high 5 of 10")
    assert "mean of the 5 highest of the last" not in describe(PLAIN)
    assert "mean of the 5 highest" in describe(high)
    assert describe(high).endswith("no same-day adjustment")
    none = adjustment_window(PLAIN, Interval(start=local(date(2026, 5, 20), 1), end=None), BERLIN)
    assert none.duration == timedelta(0)


PINNED = "39490bb2f6242cfe81d8d93e1b0df7a0f0f17240796719e65fa22716e60970d8"
