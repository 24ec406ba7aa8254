"""The edge cases of measurement, in the words they were collected in."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.performance import measure
from gateway.domain.measure.rows import rows_of
from gateway.domain.program import Adjustment, BaselineMethod
from gateway.domain.program.measuring import ExportRule
from gateway.domain.program.method import Anchor, Fallback
from support.calls import HOUR, at
from support.deliveries import PLAIN, by_day, hours, load, run

pytestmark = pytest.mark.row("portfolio:A1")

SHIFTED = replace(
    PLAIN,
    adjustment=Adjustment.ADDITIVE,
    adjust_from=2 * HOUR,
    adjust_until=timedelta(0),
    adjust_low=0.0,
    adjust_high=2.0,
)


def flat(first: str, days: int, *changed: tuple[Interval, float]) -> StepSeries:
    """100 kW, but for some times."""

    def watts(instant: datetime) -> float:
        return next((value for when, value in changed if instant in when), 100_000.0)

    return load(first, days, watts)


# --- clocks


@pytest.mark.parametrize(
    ("day", "elapsed", "quarters"),
    [("2026-03-08", 23, 92), ("2026-07-14", 24, 96), ("2026-11-01", 25, 100)],
)
def test_a_day_has_92_96_or_100_quarters_each_with_a_baseline(
    day: str, elapsed: float, quarters: int
) -> None:
    event = hours(f"{day} 00:00", elapsed)
    before = date.fromisoformat(day) - timedelta(days=10)
    found = run(PLAIN, flat(before.isoformat(), 10), event)
    assert len(found.series) == quarters
    assert {step.value for step in found.series} == {100_000.0}


# --- midnight and month end


def test_an_event_23_01_h_is_measured_from_its_starts_local_day() -> None:
    """Days back are counted from 31 July; each past night runs over midnight as the event does."""
    night = hours("2026-07-31 23:00", 2)
    found = run(replace(PLAIN, y_days=3, x_days=3), load("2026-07-20", 12, by_day), night)
    assert [day.isoformat() for day in found.days_used] == [
        "2026-07-30",
        "2026-07-29",
        "2026-07-28",
    ]
    before, after = (
        found.series.value_at(night.start),
        found.series.value_at(at("2026-08-01 00:30")),
    )
    assert before is not None
    assert after == before + 1000.0


def test_a_night_that_reaches_into_another_event_after_midnight_is_no_ordinary_one() -> None:
    other = hours("2026-07-31 00:00", 1)
    found = run(
        PLAIN, load("2026-07-01", 31, by_day), hours("2026-07-31 23:00", 2), other_events=(other,)
    )
    assert found.days_rejected[0].day == date(2026, 7, 30)
    assert found.days_rejected[0].reason == "day of another event"


def test_a_baseline_never_uses_the_events_own_hours() -> None:
    long = hours("2026-07-14 16:00", 30)
    found = run(PLAIN, load("2026-06-20", 24, by_day), long)
    assert found.days_rejected[0].day == date(2026, 7, 13)
    assert found.days_rejected[0].reason == "the event itself had begun"


# --- holidays


def test_a_holiday_of_the_baseline_calendar_is_excluded_where_the_program_says_so() -> None:
    """Under the calendar of days off, a holiday may stand for a weekend day; or for no day."""
    saturday, holiday = hours("2026-07-11 16:00", 2), date(2026, 7, 9)
    past = load("2026-06-01", 41, by_day)
    method = BaselineMethod(adjustment=Adjustment.NONE)
    among = run(method, past, saturday, holidays=frozenset({holiday}))
    without = run(
        replace(method, excludes_holidays=True), past, saturday, holidays=frozenset({holiday})
    )
    assert holiday in among.days_used
    assert holiday not in without.days_used
    assert ("holiday", holiday) in [(day.reason, day.day) for day in without.days_rejected]


# --- counting: back to back


def test_back_to_back_the_seconds_adjustment_window_lies_in_the_first() -> None:
    first, second = hours("2026-07-14 16:00", 2), hours("2026-07-14 18:00", 2)
    past = flat("2026-07-01", 14, (first, 40_000.0))
    found = run(SHIFTED, past, second, other_events=(first,))
    assert found.adjustment.value is None
    assert found.adjustment.reason == "another event lies in the adjustment window"
    assert {step.value for step in found.series} == {100_000.0}


# --- daily dispatch


def test_daily_dispatch_leaves_less_than_10_clean_days_look_back_limit_then_fallback() -> None:
    every = [hours(f"2026-06-{day:02d} 16:00", 2) for day in range(5, 31)]
    event, past = hours("2026-07-01 16:00", 2), load("2026-05-01", 61, by_day)
    method = replace(PLAIN, look_back=timedelta(days=30), min_days=3)
    fewer = run(method, past, event, other_events=tuple(every))
    assert len(fewer.days) == 30
    assert [str(day) for day in fewer.days_used] == [f"2026-06-0{n}" for n in (4, 3, 2, 1)]
    assert fewer.fallback == "only 4 of 10 clean days within 30 days: the mean of these instead"
    none = run(replace(method, fallbacks=()), past, event, other_events=tuple(every))
    assert (len(none.series), none.problem) == (0, "4 usable days, at least 10 needed")
    few = run(replace(method, min_days=5), past, event, other_events=tuple(every))
    assert few.problem == "4 usable days, at least 5 needed"


def test_the_declared_fallback_after_too_few_days_is_days_of_any_type() -> None:
    weekdays = [
        hours(f"2026-06-{day:02d} 16:00", 2) for day in range(1, 31) if day % 7 not in (6, 0)
    ]
    event, past = hours("2026-07-01 16:00", 2), load("2026-05-01", 61, by_day)
    method = BaselineMethod(
        adjustment=Adjustment.NONE,
        look_back=timedelta(days=30),
        fallbacks=(Fallback.FEWER_DAYS, Fallback.ANY_DAY_TYPE),
    )
    found = run(method, past, event, other_events=tuple(weekdays))
    assert found.problem == ""
    assert found.fallback == "only 0 of 10 clean days within 30 days: 8 days of any type instead"
    assert all(day.weekday() >= 5 for day in found.days_used)
    assert len(found.days) == 30  # each with its verdict
    strict = run(
        replace(method, fallbacks=(Fallback.FEWER_DAYS,)), past, event, other_events=tuple(weekdays)
    )
    assert strict.problem == "0 usable days, at least 3 needed"
    assert found.inputs_hash != strict.inputs_hash


# --- the adjustment window


EVENT = hours("2026-07-14 16:00", 2)


@pytest.mark.parametrize(
    ("moved", "value", "flagged"),
    [
        ((), -30_000.0, 0),  # the pre-charge or curtailment goes into the baseline
        ((hours("2026-07-14 15:00", 1),), 0.0, 1),  # taken from 14-15 h alone
        ((hours("2026-07-14 12:00", 1),), -30_000.0, 0),  # not in the window
        ((hours("2026-07-14 13:00", 3),), None, 1),  # nothing is left of the window
    ],
)
def test_early_curtailment_moves_the_adjustment_window_unless_it_is_known(
    moved: tuple[Interval, ...], value: float | None, flagged: int
) -> None:
    """14-15 h ordinary, 15-16 h curtailed by 60 kW on our own instruction."""
    past = flat("2026-07-01", 14, (hours("2026-07-14 15:00", 1), 40_000.0))
    found = run(SHIFTED, past, EVENT, moved=moved)
    assert found.adjustment.value == value
    assert len(found.moved) == flagged
    if flagged:
        assert "our own instructions moved the load" in found.adjustment.reason


def test_pre_charge_moves_it_the_other_way() -> None:
    charged = hours("2026-07-14 14:30", 1.5)
    past = flat("2026-07-01", 14, (charged, 180_000.0))
    assert run(SHIFTED, past, EVENT).adjustment.value == 60_000.0
    known = run(SHIFTED, past, EVENT, moved=(charged,))
    assert known.adjustment.value == 0.0
    assert known.moved == (charged,)


def test_the_adjustment_lies_before_the_start_or_before_the_notification() -> None:
    """Told at 12:00; load fell at 13:00, as people knew of the event."""
    past = flat("2026-07-01", 14, (hours("2026-07-14 13:00", 5), 40_000.0))
    told = at("2026-07-14 12:00")
    by_start = run(SHIFTED, past, EVENT, notified=told)
    by_notice = run(replace(SHIFTED, anchor=Anchor.NOTIFICATION), past, EVENT, notified=told)
    assert (by_start.adjustment.value, by_notice.adjustment.value) == (-60_000.0, 0.0)
    later = run(
        replace(SHIFTED, anchor=Anchor.NOTIFICATION),
        past,
        EVENT,
        notified=at("2026-07-14 15:00"),
    )
    assert later.adjustment.value == -60_000.0
    assert later.inputs_hash != by_notice.inputs_hash


def test_a_notification_of_the_day_before_gives_no_adjustment() -> None:
    method = replace(SHIFTED, anchor=Anchor.NOTIFICATION)
    found = run(method, flat("2026-07-01", 14), EVENT, notified=at("2026-07-13 17:00"))
    assert found.adjustment.value is None
    assert found.adjustment.reason == "the notification came on an earlier day"


@pytest.mark.parametrize(("cap", "value"), [(0.2, 1.2), (0.4, 1.4)])
def test_the_cap_of_the_adjustment_is_a_share(cap: float, value: float) -> None:
    method = replace(SHIFTED, adjustment=Adjustment.RATIO, adjust_low=1 - cap, adjust_high=1 + cap)
    past = flat("2026-07-01", 14, (hours("2026-07-14 14:00", 2), 200_000.0))
    found = run(method, past, EVENT)
    assert (found.adjustment.value, found.adjustment.capped) == (value, True)


# --- export


@pytest.mark.parametrize(
    ("export", "delivered_kw"),
    [
        (ExportRule.COUNTED, [450, 450, 660]),
        (ExportRule.CLAMPED, [450, 450, 600]),
        (ExportRule.EXCLUDED, [450, 450, None]),
    ],
)
def test_export_is_counted_clamped_or_left_out(
    export: ExportRule, delivered_kw: list[float | None]
) -> None:
    window = hours("2026-07-14 16:00", 3)
    loads = zip(window.split(HOUR), (150_000.0, 150_000.0, -60_000.0), strict=True)
    found = measure(
        event=window,
        resolution=HOUR,
        observe_after=timedelta(0),
        baseline=StepSeries.of([(window, 600_000.0)]),
        actual=StepSeries.of(loads),
        asked=StepSeries.of([(window, 450_000.0)]),
        export=export,
    )
    wanted = [None if one is None else Decimal(one) for one in delivered_kw]
    assert [row.delivered_kw for row in rows_of(found.during)] == wanted


@pytest.mark.parametrize(
    ("export", "baseline_w"),
    [
        (ExportRule.COUNTED, 40_000.0),
        (ExportRule.CLAMPED, 50_000.0),
        (ExportRule.EXCLUDED, 100_000.0),
    ],
)
def test_export_on_past_days_is_treated_alike(export: ExportRule, baseline_w: float) -> None:
    sunny = hours("2026-07-13 16:00", 2)
    past = flat("2026-07-12", 2, (sunny, -20_000.0))
    method = replace(PLAIN, y_days=2, x_days=2, min_days=1)
    found = run(method, past, EVENT, export=export)
    assert {step.value for step in found.series} == {baseline_w}
