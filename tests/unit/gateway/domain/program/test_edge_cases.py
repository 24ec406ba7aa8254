"""The edge cases of program rules and of counting, in the words they were collected in."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.days import WEEKDAYS, Holidays, OnDate
from gateway.domain.measure.past_days import is_off
from gateway.domain.program import Effect, Program, RuleKind, Rules, findings, version_at
from gateway.domain.program.notice import Duration, Notice, Stage
from gateway.domain.program.quota import BackToBack, Counting, Per, Quota, Scope, Unit
from gateway.domain.program.season import DayClass, Season
from gateway.domain.program.use import occasions, used
from gateway.domain.program.wall import span_of
from gateway.domain.program.window import CallWindow
from support.calls import HOUR, NEW_YORK, at, call, program, said

pytestmark = pytest.mark.row("portfolio:A8")

FOUR_HOURS = Duration(longest=4 * HOUR)
EVERY_HOUR = (CallWindow(start=0, end=4 * 60),)
LATE = datetime(2027, 1, 1, tzinfo=UTC)


def count(one: Program, quota: Quota, first: str, last: str, *calls: object) -> float:
    period = span_of(date.fromisoformat(first), date.fromisoformat(last), one.zone)
    return used(quota, period, occasions(calls, one.rules, LATE))  # type: ignore[arg-type]


EVENTS, HOURS = Quota(limit=9, per=Per.MONTH), Quota(limit=9, per=Per.MONTH, unit=Unit.HOURS)


# --- clocks


@pytest.mark.parametrize(
    ("day", "start", "wall_hours"), [("2026-03-08", "00:00", 5), ("2026-11-01", "00:00", 3)]
)
def test_4_h_over_a_dst_change_is_3_or_5_wall_hours_bound_elapsed_time(
    day: str, start: str, wall_hours: int
) -> None:
    one = program(durations=(FOUR_HOURS,))
    asked = call(f"{day} {start}", 4)
    assert asked.window.end is not None
    wall = asked.window.end.astimezone(NEW_YORK)
    assert wall.hour == wall_hours
    assert said(one, asked) == []
    assert said(one, call(f"{day} {start}", 4.25)) == [(RuleKind.DURATION, Effect.BREACH)]


@pytest.mark.parametrize(("day", "elapsed"), [("2026-03-08", 3), ("2026-11-01", 5)])
def test_place_by_wall_time(day: str, elapsed: float) -> None:
    """A window from 00:00 to 04:00 has 3 or 5 h on such a day."""
    one = program(windows=EVERY_HOUR)
    assert said(one, call(f"{day} 00:00", elapsed)) == []
    assert said(one, call(f"{day} 00:00", elapsed + 0.25)) == [(RuleKind.WINDOW, Effect.BREACH)]


def test_store_zone_id_not_offset() -> None:
    """The same window is another instant in winter and in summer."""
    one = program(windows=(CallWindow(start=16 * 60, end=20 * 60),))
    for day, hour in (("2026-01-14", 21), ("2026-07-14", 20)):
        year, month, of_month = (int(part) for part in day.split("-"))
        start = datetime(year, month, of_month, hour, tzinfo=UTC)
        assert at(f"{day} 16:00") == start
        assert said(one, call(f"{day} 16:00", 4)) == []


def test_ontario_prints_fixed_est() -> None:
    fixed = ZoneInfo("EST")
    one = program(zone=fixed, windows=(CallWindow(start=16 * 60, end=20 * 60),))
    toronto = ZoneInfo("America/Toronto")
    assert said(one, call("2026-07-14 17:00", 4, toronto)) == []
    assert said(one, call("2026-07-14 16:00", 4, toronto)) == [(RuleKind.WINDOW, Effect.BREACH)]
    assert said(one, call("2026-01-14 16:00", 4, toronto)) == []


# --- midnight and month end


def test_an_event_23_01_h_is_one_event_on_its_starts_local_day_hours_fall_to_each_month() -> None:
    one, night = program(), call("2026-07-31 23:00", 2)
    july, august = ("2026-07-01", "2026-07-31"), ("2026-08-01", "2026-08-31")
    assert (count(one, EVENTS, *july, night), count(one, EVENTS, *august, night)) == (1, 0)
    assert (count(one, HOURS, *july, night), count(one, HOURS, *august, night)) == (1, 1)


def test_hours_are_limited_in_each_month_that_an_event_touches() -> None:
    one = program(quotas=(Quota(limit=2, per=Per.MONTH, unit=Unit.HOURS),))
    full_august = call("2026-08-14 16:00", 2)
    (found,) = findings(one, call("2026-07-31 23:00", 2), (full_august,), LATE)
    assert "from 2026-08-01 to 2026-08-31" in found.text


def test_dlrp_turns_voluntary_at_24_00_a_valid_end_time() -> None:
    must = CallWindow(start=6 * 60, end=24 * 60)
    rest = CallWindow(start=0, end=6 * 60, mandatory=False)
    one = program(windows=(must, rest))
    assert said(one, call("2026-07-14 20:00", 4)) == []
    (found,) = findings(one, call("2026-07-14 22:00", 3), (), LATE)
    assert (found.rule, found.effect) == (RuleKind.WINDOW, Effect.VOLUNTARY)
    assert found.text.startswith("2026-07-15 00:00 to 01:00 lies in a voluntary window")


def test_a_tariff_version_may_change_inside_a_season() -> None:
    limit = Quota(limit=2, per=Per.SEASON)
    season = Season(name="summer", first=(5, 1), last=(9, 30))
    old = program(seasons=(season,), quotas=(limit,))
    new = Program(
        program_id="p1",
        name="Relief",
        utility_id="u1",
        version="2",
        zone=NEW_YORK,
        valid_from=date(2026, 7, 1),
        rules=Rules(seasons=(season,), quotas=(Quota(limit=3, per=Per.SEASON),)),
    )
    assert version_at((new, old), at("2026-06-30 23:59")) is old
    assert version_at((new, old), at("2026-07-01 00:00")) is new
    spring = (call("2026-06-01 16:00"), call("2026-06-02 16:00"))
    assert said(old, call("2026-06-30 16:00"), *spring) == [(RuleKind.QUOTA, Effect.BREACH)]
    assert said(new, call("2026-07-01 16:00"), *spring) == []


def test_before_its_first_version_there_is_no_program() -> None:
    only = Program(program_id="p", name="n", utility_id="u", valid_from=date(2026, 7, 1))
    assert version_at((only,), datetime(2026, 6, 30, 23, tzinfo=UTC)) is None


# --- holidays


def test_separate_calendars_for_may_be_called_and_baseline_day() -> None:
    """A day without calls may well be a baseline day, and the other way round."""
    callable_off = Holidays(rules=(OnDate(month=7, day=14),))
    one = program(days=DayClass(kinds=WEEKDAYS, holidays=callable_off))
    baseline_off = frozenset({date(2026, 7, 15)})
    assert said(one, call("2026-07-14 16:00")) == [(RuleKind.DAY, Effect.BREACH)]
    assert not is_off(date(2026, 7, 14), baseline_off)
    assert said(one, call("2026-07-15 16:00")) == []
    assert is_off(date(2026, 7, 15), baseline_off)


# --- counting: each a flag


@pytest.mark.parametrize(("flag", "expected"), [(False, (0, 0)), (True, (1, 2))])
def test_counting_cancelled(flag: bool, expected: tuple[int, int]) -> None:
    one = program(counting=Counting(cancelled=flag))
    asked = call("2026-07-14 16:00", 2, cancelled=True)
    days = ("2026-07-01", "2026-07-31", asked)
    assert (count(one, EVENTS, *days), count(one, HOURS, *days)) == expected


@pytest.mark.parametrize(("flag", "hours"), [(False, 1), (True, 4)])
def test_counting_shortened(flag: bool, hours: float) -> None:
    one = program(counting=Counting(shortened_in_full=flag))
    asked = call("2026-07-14 16:00", 1, announced=call("2026-07-14 16:00", 4).window)
    assert count(one, HOURS, "2026-07-01", "2026-07-31", asked) == hours


@pytest.mark.parametrize(("flag", "hours"), [(True, 4), (False, 2)])
def test_counting_extended(flag: bool, hours: float) -> None:
    one = program(counting=Counting(extension=flag))
    asked = call("2026-07-14 16:00", 4, announced=call("2026-07-14 16:00", 2).window)
    assert count(one, HOURS, "2026-07-01", "2026-07-31", asked) == hours


@pytest.mark.parametrize(("flag", "expected"), [(False, (2, 4)), (True, (1, 3))])
def test_counting_overlapping_networks(flag: bool, expected: tuple[int, int]) -> None:
    one = program(counting=Counting(overlapping_as_one=flag))
    a = call("2026-07-14 16:00", 2, networks=frozenset({"a"}))
    b = call("2026-07-14 17:00", 2, networks=frozenset({"b"}))
    days = ("2026-07-01", "2026-07-31", a, b)
    assert (count(one, EVENTS, *days), count(one, HOURS, *days)) == expected


@pytest.mark.parametrize(("flag", "expected"), [(True, 1), (False, 0)])
def test_counting_test(flag: bool, expected: int) -> None:
    quota = Quota(limit=9, per=Per.MONTH, tests_count=flag)
    asked = call("2026-07-14 16:00", test=True)
    assert count(program(), quota, "2026-07-01", "2026-07-31", asked) == expected


def test_dlrp_inside_csrp_counts_in_each_program_for_itself() -> None:
    """A program's history holds its own calls; a call of another program is no part of it."""
    csrp = program(quotas=(Quota(limit=1, per=Per.DAY),))
    inside = call("2026-07-14 17:00", 1)
    assert said(csrp, call("2026-07-14 16:00", 4)) == []
    assert said(csrp, call("2026-07-14 16:00", 4), inside) == [(RuleKind.QUOTA, Effect.BREACH)]


@pytest.mark.parametrize(("as_one", "expected"), [(False, 2), (True, 1)])
def test_back_to_back_16_18_18_20_1_or_2_events_by_rule(as_one: bool, expected: int) -> None:
    one = program(back_to_back=BackToBack(one_event=as_one))
    pair = (call("2026-07-14 16:00", 2), call("2026-07-14 18:00", 2))
    assert count(one, EVENTS, "2026-07-01", "2026-07-31", *pair) == expected
    assert count(one, HOURS, "2026-07-01", "2026-07-31", *pair) == 4


def test_the_seconds_adjustment_window_lies_in_the_first() -> None:
    (found,) = findings(
        program(), call("2026-07-14 18:00", 2), (call("2026-07-14 16:00", 2),), LATE
    )
    assert (found.rule, found.effect) == (RuleKind.BACK_TO_BACK, Effect.NOTE)
    assert "its adjustment window lies in that event" in found.text


# --- standby


def test_standby_is_not_dispatch_hold_state_of_charge_change_no_load() -> None:
    one = program(
        notices=(Notice(stage=Stage.STANDBY, lead=21 * HOUR), Notice(lead=2 * HOUR)),
        quotas=(Quota(limit=0, per=Per.DAY, scope=Scope.PROGRAM),),
    )
    told = at("2026-07-13 12:00")
    standby = call("2026-07-14 16:00", 4, standby=True, told_at=told, first_told_at=told)
    (found,) = findings(one, standby, (), LATE)
    assert (found.rule, found.effect) == (RuleKind.STANDBY, Effect.NOTE)
    assert found.text == "standby only: keep energy for it, change no load"
    assert occasions((standby,), one.rules, LATE) == ()


def test_a_dispatch_after_a_standby_is_judged_by_each_stages_own_time() -> None:
    one = program(notices=(Notice(stage=Stage.STANDBY, lead=21 * HOUR), Notice(lead=2 * HOUR)))
    first, later = at("2026-07-13 12:00"), at("2026-07-14 14:00")
    asked = call("2026-07-14 16:00", 4, told_at=later, first_told_at=first)
    assert said(one, asked) == []


# --- a breach by the utility


def test_the_31st_hour_yields_a_finding_and_a_choice_not_silent_refusal() -> None:
    one = program(quotas=(Quota(limit=30, per=Per.MONTH, unit=Unit.HOURS),))
    used_up = [call(f"2026-07-{day:02d} 16:00", 6) for day in range(1, 6)]
    (found,) = findings(one, call("2026-07-14 16:00", 1), used_up, LATE)
    assert (found.rule, found.effect) == (RuleKind.QUOTA, Effect.BREACH)
    assert found.text.startswith("31 hours with it")


def test_an_event_without_end_counts_up_to_now() -> None:
    one, endless = program(), call("2026-07-14 16:00", None)
    now = endless.window.start + timedelta(hours=3)
    span = span_of(date(2026, 7, 1), date(2026, 7, 31), one.zone)
    assert used(HOURS, span, occasions((endless,), one.rules, now)) == 3
