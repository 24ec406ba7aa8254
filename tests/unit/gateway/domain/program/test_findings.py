"""Decision tables: one rule, one event, what is found."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts.days import HOLIDAY, WEEKDAYS, Holidays, OnDate
from gateway.domain.program import Effect, RuleKind, findings
from gateway.domain.program.notice import Duration, Late, Notice, Stage
from gateway.domain.program.opting import Blackout, OptOutRule, ProgramTests, StormBlackout
from gateway.domain.program.quota import BackToBack, MaxInRow, Per, Quota, Scope, Unit
from gateway.domain.program.rules import Outside
from gateway.domain.program.season import DayClass, Season
from gateway.domain.program.window import CallWindow
from support.calls import HOUR, at, call, program, said

SUMMER = Season(name="summer", first=(5, 1), last=(9, 30))
WINTER = Season(name="winter", first=(11, 1), last=(4, 30))
JULY_4 = DayClass(kinds=WEEKDAYS, holidays=Holidays(rules=(OnDate(month=7, day=3),)))
EVENING = CallWindow(start=16 * 60, end=21 * 60)
NIGHT = CallWindow(start=22 * 60, end=6 * 60)
BREACH, VOLUNTARY, NOTE = Effect.BREACH, Effect.VOLUNTARY, Effect.NOTE


@pytest.mark.row("portfolio:A1")
@pytest.mark.parametrize(
    ("rules", "start", "hours", "found"),
    [
        ({"seasons": (SUMMER,)}, "2026-05-01 00:00", 1, []),
        ({"seasons": (SUMMER,)}, "2026-09-30 23:00", 2, []),
        ({"seasons": (SUMMER,)}, "2026-10-01 00:00", 1, [(RuleKind.SEASON, BREACH)]),
        ({"seasons": (WINTER,)}, "2027-01-01 12:00", 1, []),
        ({"seasons": (WINTER,)}, "2026-07-01 12:00", 1, [(RuleKind.SEASON, BREACH)]),
        ({"seasons": (SUMMER, WINTER)}, "2026-07-01 12:00", 1, []),
        ({"days": JULY_4}, "2026-07-02 12:00", 1, []),
        ({"days": JULY_4}, "2026-07-03 12:00", 1, [(RuleKind.DAY, BREACH)]),
        ({"days": JULY_4}, "2026-07-05 12:00", 1, [(RuleKind.DAY, BREACH)]),
        (
            {"days": DayClass(kinds=WEEKDAYS | {HOLIDAY}, holidays=JULY_4.holidays)},
            "2026-07-03 12:00",
            1,
            [],
        ),
        ({"windows": (EVENING,)}, "2026-07-14 16:00", 5, []),
        ({"windows": (EVENING,)}, "2026-07-14 15:45", 1, [(RuleKind.WINDOW, BREACH)]),
        ({"windows": (EVENING,)}, "2026-07-14 15:00", 7, [(RuleKind.WINDOW, BREACH)] * 2),
        ({"windows": (EVENING,)}, "2026-07-14 17:00", None, []),
        (
            {"windows": (EVENING,), "outside": Outside.VOLUNTARY},
            "2026-07-14 12:00",
            1,
            [(RuleKind.WINDOW, VOLUNTARY)],
        ),
        ({"windows": (NIGHT,)}, "2026-07-14 23:00", 3, []),
        ({"windows": (NIGHT,)}, "2026-07-14 02:00", 3, []),
        ({"windows": (NIGHT,)}, "2026-07-14 05:00", 2, [(RuleKind.WINDOW, BREACH)]),
        (
            {"windows": (CallWindow(start=17 * 60, end=22 * 60, months=frozenset({5})), EVENING)},
            "2026-05-14 16:00",
            6,
            [],
        ),
        (
            {"windows": (CallWindow(start=17 * 60, end=22 * 60, months=frozenset({5})),)},
            "2026-06-14 17:00",
            1,
            [(RuleKind.WINDOW, BREACH)],
        ),
        ({"durations": (Duration(shortest=HOUR, longest=4 * HOUR),)}, "2026-07-14 16:00", 4, []),
        (
            {"durations": (Duration(shortest=HOUR, longest=4 * HOUR),)},
            "2026-07-14 16:00",
            0.5,
            [(RuleKind.DURATION, BREACH)],
        ),
        (
            {"durations": (Duration(longest=4 * HOUR),)},
            "2026-07-14 16:00",
            None,
            [(RuleKind.DURATION, NOTE)],
        ),
        (
            {
                "durations": (
                    Duration(shortest=HOUR, longest=2 * HOUR, product="short"),
                    Duration(shortest=4 * HOUR, longest=8 * HOUR, product="long"),
                )
            },
            "2026-07-14 12:00",
            3,
            [(RuleKind.DURATION, BREACH)],
        ),
        (
            {
                "blackouts": (
                    Blackout(name="fair", first=date(2026, 7, 15), last=date(2026, 7, 16)),
                )
            },
            "2026-07-14 23:00",
            2,
            [(RuleKind.BLACKOUT, BREACH)],
        ),
        (
            {"storms": StormBlackout(days_before=2, storms=(date(2026, 7, 16),))},
            "2026-07-14 12:00",
            1,
            [(RuleKind.BLACKOUT, BREACH)],
        ),
        (
            {"storms": StormBlackout(days_before=2, storms=(date(2026, 7, 17),))},
            "2026-07-14 12:00",
            1,
            [],
        ),
    ],
)
def test_when_and_how_long(
    rules: dict[str, Any],
    start: str,
    hours: float | None,
    found: list[tuple[RuleKind, Effect]],
) -> None:
    assert said(program(**rules), call(start, hours)) == found


DAY_AHEAD = Notice(by=17 * 60)
TWO_HOURS = Notice(lead=2 * HOUR)


@pytest.mark.row("portfolio:A1")
@pytest.mark.parametrize(
    ("notices", "told", "found"),
    [
        ((TWO_HOURS,), "2026-07-14 14:00", None),
        ((TWO_HOURS,), "2026-07-14 14:01", BREACH),
        ((Notice(lead=2 * HOUR, late=Late.VOLUNTARY),), "2026-07-14 16:30", VOLUNTARY),
        ((DAY_AHEAD,), "2026-07-13 17:00", None),
        ((DAY_AHEAD,), "2026-07-13 17:01", BREACH),
        ((DAY_AHEAD, TWO_HOURS), "2026-07-14 13:00", None),
        ((Notice(stage=Stage.STANDBY, lead=21 * HOUR), TWO_HOURS), "2026-07-14 12:00", BREACH),
        ((Notice(stage=Stage.REMINDER, lead=2 * HOUR),), "2026-07-14 15:59", None),
        ((Notice(business_days=1),), "2026-07-13 23:59", None),
        ((Notice(business_days=2),), "2026-07-11 12:00", BREACH),
    ],
)
def test_notice(notices: tuple[Notice, ...], told: str, found: Effect | None) -> None:
    asked = call("2026-07-14 16:00", told_at=at(told), first_told_at=at(told))
    expected = [] if found is None else [(RuleKind.NOTICE, found)]
    assert said(program(notices=notices), asked) == expected


AB = frozenset({"a", "b"})


def month(limit: float, unit: Unit = Unit.EVENTS, **more: object) -> Quota:
    return Quota(limit=limit, unit=unit, per=Per.MONTH, **more)  # type: ignore[arg-type]


@pytest.mark.row("portfolio:A8")
@pytest.mark.parametrize(
    ("quota", "found"),
    [
        (month(3), False),
        (month(2), True),
        (month(2, scope=Scope.NETWORK), False),
        (month(1, scope=Scope.NETWORK), True),
        (month(2, scope=Scope.RESOURCE), True),
        (month(2, tests_count=False), False),
        (month(5, Unit.HOURS), False),
        (month(4.5, Unit.HOURS), True),
        (Quota(limit=1, per=Per.DAY), False),
        (Quota(limit=1, per=Per.WEEK), True),
        (Quota(limit=2, per=Per.SEASON), True),
        (Quota(limit=2, per=Per.YEAR), True),
        (Quota(limit=2, per=Per.TERM), True),
    ],
)
def test_quotas_count_by_scope_period_and_unit(quota: Quota, found: bool) -> None:
    """A network event, a test of everybody and the new one: three events, five hours."""
    history = (
        call("2026-07-06 16:00", 2, networks=frozenset({"b"}), sites=frozenset({"s1"})),
        call(
            "2026-07-15 16:00",
            1,
            networks=AB,
            sites=frozenset({"s1"}),
            test=True,
        ),
    )
    asked = call("2026-07-14 16:00", 2, networks=frozenset({"a"}), sites=frozenset({"s1"}))
    one = program(seasons=(SUMMER,), terms=((2, 1), (6, 1), (10, 1)), quotas=(quota,))
    assert said(one, asked, *history) == [(RuleKind.QUOTA, BREACH)] * found


@pytest.mark.row("portfolio:A8")
def test_a_finding_says_the_figures() -> None:
    asked = call("2026-07-14 16:00", 4)
    one = program(quotas=(month(6, Unit.HOURS),))
    (found,) = findings(one, asked, (call("2026-07-02 16:00", 4),), asked.window.start)
    assert found.text == ("8 hours with it from 2026-07-01 to 2026-07-31; at most 6 hours a month")


@pytest.mark.row("portfolio:A8")
def test_days_in_a_row_are_bridged_by_a_day_between() -> None:
    one = program(in_row=(MaxInRow(days=3),))
    row = [call(f"2026-07-{day} 16:00") for day in (12, 13, 15)]
    assert said(one, call("2026-07-14 16:00"), *row) == [(RuleKind.IN_ROW, BREACH)]
    assert said(one, call("2026-07-17 16:00"), *row) == []


def test_events_that_must_lie_apart() -> None:
    one = program(back_to_back=BackToBack(gap=2 * HOUR, allowed=False))
    before = call("2026-07-14 12:00", 2)
    assert said(one, call("2026-07-14 16:00"), before) == [(RuleKind.BACK_TO_BACK, BREACH)]
    assert said(one, call("2026-07-14 16:01"), before) == []
    assert said(one, call("2026-07-14 11:00"), before) == [(RuleKind.BACK_TO_BACK, BREACH)]


TESTS = ProgramTests(
    count=1,
    longest=HOUR,
    windows=(Season(name="late summer", first=(8, 15), last=(9, 7)),),
    notice=Notice(business_days=5),
)


@pytest.mark.row("portfolio:A10")
@pytest.mark.parametrize(
    ("start", "hours", "told", "found"),
    [
        ("2026-08-20 14:00", 1, "2026-08-12 12:00", []),
        ("2026-08-20 14:00", 1, "2026-08-14 12:00", [RuleKind.NOTICE]),
        ("2026-08-20 14:00", 2, "2026-08-12 12:00", [RuleKind.TEST]),
        ("2026-07-20 14:00", 1, "2026-07-01 12:00", [RuleKind.SEASON]),
    ],
)
def test_rules_of_tests(start: str, hours: float, told: str, found: list[RuleKind]) -> None:
    one = program(seasons=(SUMMER,), notices=(TWO_HOURS,), tests=TESTS)
    asked = call(start, hours, test=True, told_at=at(told))
    assert [rule for rule, _ in said(one, asked)] == found


@pytest.mark.row("portfolio:A10")
def test_a_test_too_many_and_one_that_an_event_has_replaced() -> None:
    asked = call("2026-08-20 14:00", test=True)
    earlier = call("2026-08-16 14:00", test=True)
    event = call("2026-07-16 14:00")
    limited = program(seasons=(SUMMER,), tests=ProgramTests(count=1))
    assert said(limited, asked, earlier, event) == [(RuleKind.TEST, BREACH)]
    waived = program(seasons=(SUMMER,), tests=ProgramTests(waived_by_event=True))
    assert said(waived, asked, event) == [(RuleKind.TEST, BREACH)]
    assert said(waived, asked, earlier) == []


@pytest.mark.row("portfolio:A7")
def test_used_opt_outs_are_told() -> None:
    one = program(seasons=(SUMMER,), opt_outs=(OptOutRule(count=2),))
    refused = [call(f"2026-06-{day} 14:00", accepted=False) for day in (10, 11)]
    assert said(one, call("2026-08-20 14:00"), *refused) == [(RuleKind.OPT_OUT, NOTE)]
    assert said(one, call("2026-08-20 14:00"), *refused[:1]) == []


def test_a_cancelled_event_breaks_no_rule() -> None:
    one = program(windows=(EVENING,))
    assert said(one, call("2026-07-14 02:00", cancelled=True)) == []


def test_a_notice_says_one_thing() -> None:
    with pytest.raises(ValueError, match="one of lead"):
        Notice(lead=HOUR, by=60)


def test_a_window_that_a_clock_change_swallows_is_empty() -> None:
    gone = CallWindow(start=2 * 60, end=3 * 60)
    days, zone = DayClass(), ZoneInfo("America/New_York")
    found = gone.on(date(2026, 3, 8), days, zone)
    assert found is not None
    assert found.duration == timedelta(0)
    assert found.start == datetime(2026, 3, 8, 7, tzinfo=UTC)
