"""What holds of every baseline, whatever the site, the day and the method."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.series import Step, StepSeries
from contracts.time import Interval
from gateway.domain.curves import merged
from gateway.domain.measure.baseline import (
    BaselineInputs,
    BaselineRun,
    history_windows,
    run_baseline,
)
from gateway.domain.measure.past_days import local_days
from gateway.domain.measure.presets import PRESETS
from gateway.domain.program.measuring import ExportRule
from gateway.domain.program.method import Adjustment, BaselineKind

QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
OF_DAYS = sorted(name for name, one in PRESETS.items() if one.method.reads_days)
OWN = sorted(set(PRESETS) - {"control-group-type", "firm-level-type", "flat-type"})
FIRST, ONE = date(2026, 1, 1), timedelta(days=1)
CHANGES = [date(2026, 3, 29), date(2026, 10, 25), date(2026, 3, 8), date(2026, 11, 1)]
"""Days on which a clock changes, or an event's past days lie beyond a change."""


def load(instant: datetime) -> float:
    """A load that is another one each quarter of an hour, never negative."""
    n = int(instant.timestamp()) // 900
    return 5_000.0 + 40.0 * (n % 96) + (n * 7919) % 1_000


def local(day: date, hour: float, zone: ZoneInfo) -> datetime:
    """An instant of the wall clock."""
    return (datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(hours=hour)).astimezone(
        UTC
    )


BASE = datetime(2025, 11, 1, tzinfo=UTC)


@cache
def measured() -> tuple[Step, ...]:
    """More than a year of quarters, made once."""
    pieces = Interval.lasting(BASE, timedelta(days=440)).split(QUARTER)
    return tuple(Step(interval=one, value=load(one.start)) for one in pieces)


def a_site(name: str, day: date, zone: ZoneInfo, **changes: object) -> BaselineInputs:
    """An event from 14:00 to 16:00 after 50 days that were measured."""
    event = Interval.lasting(local(day, 14, zone), 2 * HOUR)
    begins, ends = local(day - timedelta(days=50), 0, zone), local(day + ONE, 23, zone)
    base = BaselineInputs(
        method=PRESETS[name].method,
        zone=zone,
        event=event,
        span=Interval(start=event.start - HOUR, end=event.end + HOUR) if event.end else event,
        resolution=QUARTER,
        history=StepSeries(measured()[(begins - BASE) // QUARTER : (ends - BASE) // QUARTER]),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # a test's shorthand


days = st.integers(0, 364).map(lambda n: FIRST + timedelta(days=n))
zones = st.sampled_from(ZONES).map(ZoneInfo)


@pytest.mark.row("mv:M2")
@settings(max_examples=60)
@given(
    name=st.sampled_from(OF_DAYS),
    day=days,
    zone=zones,
    backs=st.sets(st.integers(1, 44), max_size=25),
    hour=st.integers(0, 22),
    export=st.sampled_from(ExportRule),
)
def test_a_baseline_never_uses_the_day_of_an_event_or_a_day_left_out(
    name: str, day: date, zone: ZoneInfo, backs: set[int], hour: int, export: ExportRule
) -> None:
    others = tuple(
        Interval.lasting(local(day - timedelta(days=n), hour, zone), 3 * HOUR) for n in backs
    )
    holidays = frozenset(day - timedelta(days=n) for n in range(3, 45, 9))
    inputs = a_site(name, day, zone, other_events=others, holidays=holidays, export=export)
    inputs = replace(inputs, method=replace(inputs.method, excludes_holidays=True))
    run = run_baseline(inputs)
    left_out = {one for event in others for one in local_days(event, zone)} | holidays
    assert not set(run.days_used) & (left_out | {day})
    assert all(one.reason for one in run.days_rejected)

    def spoilt(step: Step) -> float:
        """A load on days left out that would be seen at once."""
        on = step.interval.start.astimezone(zone).date()
        return 1e6 if on in left_out - {day} else step.value

    wrong = StepSeries.of((step.interval, spoilt(step)) for step in inputs.history)
    again = run_baseline(replace(inputs, history=wrong))
    assert again.days == run.days
    assert values(again) == pytest.approx(values(run), rel=1e-6)


@settings(max_examples=30)
@given(name=st.sampled_from(OWN), day=days, zone=zones, seed=st.integers(0, 999))
def test_the_order_of_ingest_is_of_no_matter(
    name: str, day: date, zone: ZoneInfo, seed: int
) -> None:
    inputs = a_site(name, day, zone)
    rows = [(step.interval, step.value) for step in inputs.history]
    Random(seed).shuffle(rows)
    assert run_baseline(replace(inputs, history=StepSeries.of(rows))) == run_baseline(inputs)


@settings(max_examples=30)
@given(name=st.sampled_from(OF_DAYS), day=days, late=st.integers(1, 12))
def test_a_day_that_comes_late_counts_as_if_it_had_been_in_time(
    name: str, day: date, late: int
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    inputs = a_site(name, day, zone)
    missing = day - timedelta(days=late)
    early = StepSeries(
        tuple(s for s in inputs.history if s.interval.start.astimezone(zone).date() != missing)
    )
    before, in_time = run_baseline(replace(inputs, history=early)), run_baseline(inputs)
    verdict = next((one for one in before.days if one.day == missing), None)
    assert missing not in before.days_used
    assert verdict is None or verdict.reason in ("no data", "other type of day")
    rows = [(s.interval, s.value) for s in early]
    known = {step.interval.start for step in early}
    rows += [(s.interval, s.value) for s in inputs.history if s.interval.start not in known]
    assert run_baseline(replace(inputs, history=StepSeries.of(rows))) == in_time
    if verdict is not None:
        assert before.inputs_hash != in_time.inputs_hash


@settings(max_examples=60)
@given(
    name=st.sampled_from(OWN),
    day=days | st.sampled_from(CHANGES),
    zone=zones,
    begins=st.integers(0, 20),
    lasts=st.integers(1, 24),
)
def test_what_is_read_holds_everything_a_run_looks_at(
    name: str, day: date, zone: ZoneInfo, begins: int, lasts: int
) -> None:
    """On any day of any zone, over clock changes too: a store is asked for no more than this."""
    event = Interval.lasting(local(day, begins, zone), lasts * HOUR)
    inputs = a_site(name, day, zone, event=event, span=event)
    windows = history_windows(inputs.method, zone, event, event)
    wanted = merged([one for one in windows if one.start != one.end])
    pieces = [step for window in wanted for step in inputs.history.clip(window)]
    only = StepSeries.of((step.interval, step.value) for step in pieces)
    read, whole = (run_baseline(replace(inputs, history=h)) for h in (only, inputs.history))
    assert (read.days, read.gaps, read.problem) == (whole.days, whole.gaps, whole.problem)
    assert values(read) == pytest.approx(values(whole), rel=1e-9)


@pytest.mark.parametrize("name", OF_DAYS)
@pytest.mark.parametrize(
    ("zone", "day", "quarters"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 92),
        ("Europe/Berlin", date(2026, 10, 25), 100),
        ("Europe/Berlin", date(2026, 7, 14), 96),
        ("America/New_York", date(2026, 3, 8), 92),
        ("America/New_York", date(2026, 11, 1), 100),
        ("Australia/Lord_Howe", date(2026, 4, 5), 98),
        ("Asia/Kolkata", date(2026, 3, 29), 96),
    ],
)
def test_a_day_has_as_many_quarters_as_its_clock_gives_it(
    name: str, zone: str, day: date, quarters: int
) -> None:
    """A load that follows the wall clock has itself as its baseline, whatever the clock does."""
    where = ZoneInfo(zone)
    whole = Interval(start=local_midnight(day, where), end=local_midnight(day + ONE, where))
    inputs = a_site(name, day, where, event=whole, span=whole)
    by_wall = StepSeries.of((s.interval, _wall(s.interval.start, where)) for s in inputs.history)
    method = replace(inputs.method, adjustment=Adjustment.NONE, buffer=timedelta(0))
    if method.kind is BaselineKind.MATCH_DAY:  # the event is all of the day: nothing to compare
        method = replace(method, kind=BaselineKind.X_OF_Y)
    run = run_baseline(replace(inputs, history=by_wall, method=method))
    assert len(run.series) == quarters
    assert not run.gaps
    expected = [_wall(step.interval.start, where) for step in run.series]
    assert values(run) == pytest.approx(expected, rel=1e-9)


def values(run: BaselineRun) -> list[float]:
    return [step.value for step in run.series]


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _wall(instant: datetime, zone: ZoneInfo) -> float:
    at = instant.astimezone(zone)
    return 1_000.0 + 60 * at.hour + at.minute
