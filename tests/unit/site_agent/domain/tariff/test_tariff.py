"""Tariffs: seasons, days, holidays, clocks that are set; demand; export; market prices."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.days import (
    WEEKDAYS,
    WEEKENDS,
    Days,
    FromEaster,
    Holidays,
    NthWeekday,
    OnDate,
    easter,
)
from contracts.series import StepSeries
from contracts.time import Interval
from site_agent.domain.horizon import Horizon
from site_agent.domain.tariff.tariff import (
    DemandCharge,
    Dynamic,
    EnergySchedule,
    Export,
    PriceStep,
    Tariff,
)

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def steps(*prices: tuple[float, float]) -> tuple[PriceStep, ...]:
    return tuple(PriceStep(minute=round(60 * hour), per_kwh=price) for hour, price in prices)


WEEK = EnergySchedule(
    name="week", days=Days(kinds=WEEKDAYS), steps=steps((0, 0.1), (8, 0.3), (20.5, 0.1))
)
REST = EnergySchedule(name="rest", days=Days(kinds=WEEKENDS), steps=steps((0, 0.2)))


def tariff(*energy: EnergySchedule, **changed: object) -> Tariff:
    plain = Tariff(name="t", currency="EUR", zone=BERLIN, energy=energy or (WEEK, REST))
    return replace(plain, **changed)  # type: ignore[arg-type] # fields by their names


def local(day: int, hour: float = 0, month: int = 1, year: int = 2026) -> datetime:
    wall = datetime(year, month, day, tzinfo=BERLIN) + timedelta(hours=hour)
    return wall.astimezone(UTC)


def price_at(of: Tariff, at: datetime) -> float:
    return float(of.import_per_kwh(Horizon(start=at, count=1))[0])


@pytest.mark.row("site:U8")
@pytest.mark.parametrize(
    ("at", "price"),
    [
        pytest.param(local(5, 7.75), 0.1, id="a Monday before 8"),
        pytest.param(local(5, 8), 0.3, id="from 8 on"),
        pytest.param(local(5, 20.25), 0.3, id="up to 20:30"),
        pytest.param(local(5, 20.5), 0.1, id="from 20:30 on"),
        pytest.param(local(10, 12), 0.2, id="a Saturday"),
        pytest.param(local(1, 12), 0.2, id="a holiday is no weekday"),
        pytest.param(local(3, 12, month=4), 0.2, id="Good Friday"),
    ],
)
def test_prices_by_day_and_hour_of_the_local_clock(at: datetime, price: float) -> None:
    holidays = Holidays(rules=(OnDate(month=1, day=1), FromEaster(days=-2)))
    assert price_at(tariff(holidays=holidays), at) == pytest.approx(price)


def test_a_slot_across_a_change_has_the_mean_price() -> None:
    horizon = Horizon(start=local(5, 20), count=1, step=HOUR)
    assert tariff().import_per_kwh(horizon)[0] == pytest.approx(0.2)


def test_seasons_may_go_over_the_end_of_the_year() -> None:
    winter = EnergySchedule(
        name="winter", days=Days(first=(11, 1), last=(4, 30)), steps=steps((0, 1.0))
    )
    summer = EnergySchedule(
        name="summer", days=Days(first=(5, 1), last=(10, 31)), steps=steps((0, 2.0))
    )
    of = tariff(winter, summer)
    found = [
        price_at(of, local(day, 12, month=month))
        for month, day in ((10, 31), (11, 1), (12, 31), (1, 1), (4, 30), (5, 1))
    ]
    assert found == [2.0, 1.0, 1.0, 1.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("month", "day", "quarters"),
    [pytest.param(3, 29, 92, id="spring"), pytest.param(10, 25, 100, id="autumn")],
)
def test_on_days_when_clocks_are_set_prices_follow_the_wall_clock(
    month: int, day: int, quarters: int
) -> None:
    """Both days are Sundays; 2:00 to 3:00 is left out in spring and comes twice in autumn."""
    night = EnergySchedule(name="n", days=Days(), steps=steps((0, 0.0), (2, 1.0), (3, 0.0)))
    horizon = Horizon(start=local(day, month=month), count=quarters)
    assert horizon.end.astimezone(BERLIN).time().hour == 0
    price = tariff(night).import_per_kwh(horizon)
    walls = [start.astimezone(BERLIN).hour for start in horizon]
    assert price.tolist() == [1.0 if hour == 2 else 0.0 for hour in walls]
    assert price.sum() == (0.0 if month == 3 else 8.0)


def test_two_schedules_on_one_day_are_refused_by_name_and_day() -> None:
    with pytest.raises(ValueError, match=r"'a' and 'b' all hold on Monday 01-01: set their days"):
        tariff(
            EnergySchedule(name="a", days=Days(), steps=steps((0, 0.1))),
            EnergySchedule(name="b", days=Days(kinds=WEEKDAYS), steps=steps((0, 0.1))),
        )


def test_a_day_without_a_schedule_is_refused() -> None:
    with pytest.raises(ValueError, match="no schedule holds on Saturday 01-01"):
        tariff(WEEK)


def test_export_pays_a_flat_price_a_share_or_its_own_schedules() -> None:
    horizon = Horizon(start=local(5, 12), count=4)
    flat = tariff(export=Export(per_kwh=0.05)).export_per_kwh(horizon)
    share = tariff(export=Export(share_of_import=0.5)).export_per_kwh(horizon)
    sunny = EnergySchedule(name="sun", days=Days(), steps=steps((0, 0.0), (12, 0.08)))
    own = tariff(export=Export(schedules=(sunny,))).export_per_kwh(horizon)
    assert (flat[0], share[0], own[0]) == pytest.approx((0.05, 0.15, 0.08))


def test_market_prices_replace_the_schedules_where_they_are_known() -> None:
    horizon = Horizon(start=local(5, 12), count=8)
    known = StepSeries.of([(Interval.lasting(horizon.start, HOUR), -0.02)])
    price = tariff(dynamic=Dynamic(factor=1.2, adder_per_kwh=0.1)).import_per_kwh(horizon, known)
    assert price[:4] == pytest.approx(np.full(4, -0.024 + 0.1))
    assert price[4:] == pytest.approx(np.full(4, 0.3))


@pytest.mark.parametrize(
    ("hours", "hour", "counts"),
    [
        pytest.param((17, 20), 16.75, False, id="before"),
        pytest.param((17, 20), 17, True, id="from its first minute"),
        pytest.param((17, 20), 20, False, id="not in its last"),
        pytest.param((22, 6), 23, True, id="over midnight, late"),
        pytest.param((22, 6), 5, True, id="over midnight, early"),
        pytest.param((22, 6), 12, False, id="outside"),
    ],
)
def test_a_demand_charge_counts_in_its_hours(
    hours: tuple[int, int], hour: float, counts: bool
) -> None:
    charge = DemandCharge(
        name="peak", per_kw=10.0, from_minute=60 * hours[0], to_minute=60 * hours[1]
    )
    horizon = Horizon(start=local(5, hour), count=1)
    assert tariff(demand=(charge,)).charged(charge, horizon).tolist() == [counts]


def test_a_billing_month_begins_on_its_day_by_the_local_clock() -> None:
    of = tariff(billing_day=15)
    assert of.billing_month(local(14, 23.9)) == (2025, 12)
    assert of.billing_month(local(15)) == (2026, 1)


def test_an_nth_weekday_and_a_moved_sunday() -> None:
    thanks = Holidays(rules=(NthWeekday(month=11, weekday=3, nth=4),))
    memorial = Holidays(rules=(NthWeekday(month=5, weekday=0, nth=-1),))
    fourth = Holidays(rules=(OnDate(month=7, day=4),), sunday_to_monday=True)
    assert thanks.kind(date(2026, 11, 26)) == 7
    assert memorial.kind(date(2026, 5, 25)) == 7
    assert fourth.kind(date(2027, 7, 5)) == 7, "the 4th is a Sunday"
    assert fourth.kind(date(2026, 7, 6)) == 0


@pytest.mark.parametrize(
    "day", [date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5), date(2038, 4, 25)]
)
def test_easter_is_on_known_days(day: date) -> None:
    assert easter(day.year) == day


@settings(max_examples=20, deadline=None)
@given(
    start=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001 (UTC below)
    zone=st.sampled_from(["Europe/Berlin", "America/Los_Angeles", "Australia/Lord_Howe", "UTC"]),
)
def test_every_slot_has_the_price_of_its_wall_clock(start: datetime, zone: str) -> None:
    """Whatever the zone and season: the mean over a slot is that of its minutes."""
    of = replace(tariff(), zone=ZoneInfo(zone))
    horizon = Horizon(start=start.replace(minute=0, second=0, microsecond=0, tzinfo=UTC), count=9)
    shares = of.priced_periods(horizon)
    assert sum(share for share, _ in shares.values()) == pytest.approx(np.ones(9))
    for n, slot in enumerate(horizon):
        minutes = [(slot + timedelta(minutes=m)).astimezone(ZoneInfo(zone)) for m in range(15)]
        expected = np.mean([_by_hand(minute) for minute in minutes])
        assert of.import_per_kwh(horizon)[n] == pytest.approx(expected)


def _by_hand(wall: datetime) -> float:
    if wall.weekday() >= 5:
        return 0.2
    return 0.3 if 480 <= 60 * wall.hour + wall.minute < 1230 else 0.1
