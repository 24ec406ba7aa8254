"""Local days of 92, 96 and 100 quarters, and the kinds of days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.days import FromEaster, Holidays
from site_agent.domain.forecast.calendar import WALL, Calendar, DayType, day_table
from site_agent.domain.horizon import QUARTER
from support.forecast import BERLIN, CALENDAR, midnight

SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe")


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 6, 5), DayType.WORKDAY),
        (date(2026, 6, 6), DayType.SATURDAY),
        (date(2026, 6, 7), DayType.RESTDAY),
        (date(2026, 6, 4), DayType.RESTDAY),
    ],
)
def test_holidays_are_like_sundays(day: date, kind: DayType) -> None:
    calendar = Calendar(
        zone=BERLIN, holidays=Holidays(rules=(FromEaster(days=60),))
    )  # Corpus Christi
    assert calendar.day_type(day) is kind


def test_the_hour_that_comes_twice_is_averaged() -> None:
    values = np.arange(100, dtype=np.float64)
    table = day_table(midnight(AUTUMN), values, CALENDAR)
    assert table.days == (AUTUMN,)
    assert table.whole.tolist() == [True]
    assert table.values[0, :8].tolist() == list(range(8))
    assert table.values[0, 8:12].tolist() == [10.0, 11.0, 12.0, 13.0]  # 8..11 and 12..15
    assert table.values[0, 12] == 16.0


def test_the_hour_that_is_skipped_is_no_gap() -> None:
    table = day_table(midnight(SPRING), np.ones(92), CALENDAR)
    assert table.whole.tolist() == [True]
    assert np.flatnonzero(np.isnan(table.values[0])).tolist() == [8, 9, 10, 11]


def test_a_day_with_one_unknown_quarter_is_not_whole() -> None:
    values = np.ones(2 * WALL)
    values[100] = np.nan
    assert day_table(midnight(date(2026, 6, 1)), values, CALENDAR).whole.tolist() == [True, False]


@given(
    zone=st.sampled_from(ZONES),
    hours=st.integers(0, 24 * 800),
    quarters=st.integers(1, 500),
)
def test_every_quarter_has_the_place_its_wall_clock_says(
    zone: str, hours: int, quarters: int
) -> None:
    calendar = Calendar(zone=ZoneInfo(zone))
    start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    days, places = calendar.wall(start, quarters)
    assert len(places) == quarters
    for i in (0, quarters // 2, quarters - 1):
        local = (start + i * QUARTER).astimezone(calendar.zone)
        assert days[places[i] // WALL] == local.date()
        assert places[i] % WALL == 4 * local.hour + local.minute // 15
