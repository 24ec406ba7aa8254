"""Periods, gates and slots on the wall of a program, over clock changes too."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts.days import WEEKDAYS, WEEKENDS
from contracts.time import Interval
from gateway.domain.nomination.period import (
    Slot,
    between,
    callable_hours,
    next_open,
    period_on,
    slots,
)
from gateway.domain.program.nominating import NominationRule, WeekPart
from gateway.domain.program.notice import Notice
from gateway.domain.program.quota import Per
from gateway.domain.program.season import DayClass, Season
from gateway.domain.program.window import CallWindow
from support.nominations import DAY, MONTH, NOW, program

HOUR = timedelta(hours=1)
ALWAYS: dict[str, Any] = {"windows": (), "days": DayClass()}
FOUR_PM = Notice(by=16 * 60, days_before=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.row("portfolio:A3")
@pytest.mark.parametrize(
    ("gate", "day", "closes"),
    [
        # Brussels: clocks go forward on 2026-03-29 at 02:00 and back on 2026-10-25 at 03:00.
        (None, date(2026, 3, 29), "2026-03-28T23:00"),
        (FOUR_PM, date(2026, 3, 29), "2026-03-28T15:00"),
        (FOUR_PM, date(2026, 3, 30), "2026-03-29T14:00"),
        # Left out on that wall: the earlier of its readings. There twice: the later.
        (Notice(by=2 * 60 + 30, days_before=1), date(2026, 3, 30), "2026-03-29T00:30"),
        (Notice(by=2 * 60 + 30, days_before=1), date(2026, 10, 26), "2026-10-25T01:30"),
        (Notice(lead=timedelta(hours=24)), date(2026, 3, 30), "2026-03-28T22:00"),
        (Notice(lead=timedelta(hours=24)), date(2026, 10, 26), "2026-10-24T23:00"),
        (Notice(business_days=1), date(2026, 10, 26), "2026-10-23T22:00"),
        (Notice(by=7 * 60, days_before=0), date(2026, 7, 1), "2026-07-01T05:00"),
    ],
)
def test_a_gate_is_on_the_programs_wall(gate: Notice | None, day: date, closes: str) -> None:
    found = period_on(program(), NominationRule(period=Per.DAY, gate=gate), day)
    assert found is not None
    assert (found.gate, found.stated) == (utc(closes), gate is not None)


@pytest.mark.parametrize(
    ("per", "label", "start", "end"),
    [
        (Per.DAY, "2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"),
        (Per.WEEK, "2026-03-23_2026-03-29", "2026-03-22T23:00", "2026-03-29T22:00"),
        (Per.MONTH, "2026-03", "2026-02-28T23:00", "2026-03-31T22:00"),
        (Per.SEASON, "2025-11-01_2026-04-30", "2025-10-31T23:00", "2026-04-30T22:00"),
        (Per.YEAR, "2025-11-01_2026-10-31", "2025-10-31T23:00", "2026-10-31T23:00"),
        (Per.TERM, "2026-02-01_2026-05-31", "2026-01-31T23:00", "2026-05-31T22:00"),
    ],
)
def test_a_period_is_whole_local_days(per: Per, label: str, start: str, end: str) -> None:
    winter = program(
        seasons=(Season(name="winter", first=(11, 1), last=(4, 30)),),
        year_starts=(11, 1),
        terms=((2, 1), (6, 1), (10, 1)),
    )
    found = period_on(winter, NominationRule(period=per), date(2026, 3, 29))
    assert found is not None
    assert found.label == label
    assert found.interval == Interval(start=utc(start), end=utc(end))


def test_where_no_period_follows_from_the_rules_there_is_none() -> None:
    day = date(2026, 3, 29)
    assert period_on(program(), NominationRule(), day) is None  # a contract's dates
    assert period_on(program(), NominationRule(period=Per.TERM), day) is None
    assert period_on(program(), NominationRule(period=Per.SEASON), day) is None


def test_a_contract_is_from_date_to_date() -> None:
    found = between(program(), NominationRule(), date(2026, 4, 1), date(2026, 9, 30))
    assert found.label == "2026-04-01_2026-09-30"
    assert found.gate == found.interval.start == utc("2026-03-31T22:00")
    for last in (date(2026, 3, 31), date(2037, 1, 1)):
        with pytest.raises(ValueError, match="on or after its first day"):
            between(program(), NominationRule(), date(2026, 4, 1), last)


@pytest.mark.parametrize(
    ("rule", "rules", "label"),
    [
        (MONTH, {}, "2026-07"),
        (DAY, {}, "2026-06-25"),
        # 12:00 on a Wednesday: tomorrow's gate closed at 10:00, so the day after it is next.
        (NominationRule(period=Per.DAY, gate=Notice(by=600)), {}, "2026-06-26"),
        (NominationRule(period=Per.DAY, gate=Notice(by=601, days_before=2)), {}, "2026-06-29"),
        # The program rests until September.
        (MONTH, {"seasons": (Season(name="s", first=(9, 1), last=(9, 30)),)}, "2026-09"),
        (NominationRule(period=Per.SEASON), {"seasons": ()}, None),
    ],
)
def test_the_next_period_is_the_first_that_is_open_and_can_be_called(
    rule: NominationRule, rules: dict[str, Any], label: str | None
) -> None:
    found = next_open(program(**rules), rule, NOW)
    assert (found.label if found else None) == label


def test_only_hours_in_which_the_program_calls_count() -> None:
    week = Interval(
        start=utc("2026-06-24T22:00"), end=utc("2026-06-29T22:00")
    )  # Thursday to Monday
    found = callable_hours(program(), week)
    assert [(one.start, one.end) for one in found] == [
        (utc(f"2026-06-{day}T14:00"), utc(f"2026-06-{day}T18:00")) for day in (25, 26, 29)
    ]
    by_choice = CallWindow(start=8 * 60, end=10 * 60, mandatory=False)
    held = program().rules.windows
    assert callable_hours(program(windows=(*held, by_choice)), week) == found
    assert callable_hours(program(**ALWAYS), week) == (week,)


def test_a_window_over_midnight_falls_to_both_periods() -> None:
    night = program(windows=(CallWindow(start=22 * 60, end=2 * 60),), days=DayClass())
    found = period_on(night, NominationRule(period=Per.DAY), date(2026, 7, 1))
    assert found is not None
    assert [(h.start, h.end) for h in callable_hours(night, found.interval)] == [
        (utc("2026-06-30T22:00"), utc("2026-07-01T00:00")),
        (utc("2026-07-01T20:00"), utc("2026-07-01T22:00")),
    ]


@pytest.mark.parametrize(
    ("day", "count", "first", "twice"),
    [
        (date(2026, 7, 1), 24, "00:00-01:00", 0),
        (date(2026, 3, 29), 23, "00:00-01:00", 0),
        (date(2026, 10, 25), 25, "00:00-01:00", 1),
    ],
)
def test_every_hour_of_a_day_has_a_quantity_once(
    day: date, count: int, first: str, twice: int
) -> None:
    one = program(**ALWAYS)
    found = period_on(one, DAY, day)
    assert found is not None
    held = slots(one, DAY, found)
    names = [slot.name for slot in held]
    assert (len(held), names[0], len(set(names))) == (count, first, count)
    assert sum(name.endswith("again") for name in names) == twice
    assert (
        sum((h.duration or HOUR for slot in held for h in slot.hours), timedelta()) == count * HOUR
    )
    halves = NominationRule(period=Per.DAY, resolution=timedelta(minutes=30))
    assert len(slots(one, halves, found)) == 2 * count


def test_parts_of_the_week_and_the_rest_share_out_every_hour() -> None:
    rule = NominationRule(
        period=Per.MONTH,
        parts=(
            WeekPart(name="morning", start=5 * 60, end=9 * 60, kinds=WEEKDAYS),
            WeekPart(name="weekend", start=15 * 60, end=21 * 60, kinds=WEEKENDS),
            WeekPart(name="rest", rest=True),
        ),
    )
    for month in (3, 7, 10):
        one = program(zone=ZoneInfo("America/Chicago"), **ALWAYS)
        found = period_on(one, rule, date(2026, month, 1))
        assert found is not None
        held = {slot.name: slot for slot in slots(one, rule, found)}
        assert list(held) == ["morning", "weekend", "rest"]
        assert len(held["morning"].hours) == (22, 23)[month == 7]
        assert sum(map(_length, held.values()), timedelta()) == found.interval.duration
        pieces = sorted((h.start, h.end) for slot in held.values() for h in slot.hours)
        assert all(one[1] == other[0] for one, other in pairwise(pieces))
    nothing = program(windows=(CallWindow(start=0, end=60),))
    found = period_on(nothing, rule, date(2026, 7, 1))
    assert found is not None
    assert [s.name for s in slots(nothing, rule, found)] == ["rest"]


def _length(slot: Slot) -> timedelta:
    return sum((one.duration or HOUR for one in slot.hours), timedelta())


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"period": Per.DAY, "resolution": timedelta(minutes=1)}, "at least 5 min"),
        ({"period": Per.MONTH, "resolution": HOUR}, "only for a day or a week"),
        ({"parts": (WeekPart(name="a"), WeekPart(name="a"))}, "a name of its own"),
        ({"step_w": 0.0}, "step_w"),
        ({"price_cap": -1.0}, "price_cap"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        NominationRule(**wrong)  # type: ignore[arg-type]


def test_a_rule_says_itself() -> None:
    rule = NominationRule(
        period=Per.DAY, resolution=HOUR, gate=FOUR_PM, own_price=True, price_cap=0.5, step_w=1000.0
    )
    assert rule.words == (
        "bid for every 1 h of a day at our own price of at most 0.5 per kWh, "
        "to be told by 16:00 the day before, in steps of 1.0 kW"
    )
    parts = (WeekPart(name="morning", end=600), WeekPart(name="rest", rest=True))
    assert NominationRule(parts=parts).words == (
        "nominated for the dates of a contract; apart for: morning, rest"
    )
