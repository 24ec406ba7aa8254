"""Expected stays: the roster first, then habit; the later it gets without a vehicle, the less."""

from datetime import date, datetime, timedelta

import pytest

from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.forecast.stays import PastStay, expected_stays, habitual_stays
from site_agent.domain.horizon import Horizon
from support.forecast import CALENDAR, MONDAY, at

TODAY = MONDAY + timedelta(days=28)


def stay(day: date, arrives: float, departs: float, **given: float | str) -> PastStay:
    """`departs`: hours after the midnight before `arrives`; over 24 is the next morning."""
    vehicle, evse = str(given.get("vehicle", "van-1")), str(given.get("evse", "bay-3"))
    return PastStay(
        vehicle_id=vehicle,
        evse_id=evse,
        arrived=at(day, arrives),
        left=at(day + timedelta(days=int(departs // 24)), departs % 24),
        energy_wh=float(given.get("energy_wh", 30_000.0)),
        missing_wh=float(given.get("missing_wh", 0.0)),
        max_power_w=11_000.0,
    )


def workdays(count: int) -> list[date]:
    days = (TODAY - timedelta(days=back) for back in range(1, 60))
    return [day for day in days if day.weekday() < 5][:count]


def expect(
    past: list[PastStay],
    now: datetime,
    roster: tuple[ExpectedStay, ...] = (),
    present: dict[str, datetime] | None = None,
    hours: int = 24,
) -> tuple[ExpectedStay, ...]:
    horizon = Horizon(start=now, count=4 * hours)
    habits = habitual_stays(past, horizon, CALENDAR)
    return expected_stays(habits, roster, present or {}, horizon, CALENDAR)


def test_a_habit_is_its_medians_and_how_often_it_came() -> None:
    days = workdays(10)
    arrivals = (17.5, 18.0, 18.0, 18.5, 23.0)
    past = [
        stay(day, arrival, 24 + 6.0, energy_wh=20_000.0, missing_wh=10_000.0 * (i == 4))
        for i, (day, arrival) in enumerate(zip(days[::2], arrivals, strict=True))
    ]
    past += [stay(days[-1], 11.0, 12.0, vehicle="other")]
    (found,) = expect(past, at(TODAY, 6))
    assert found.vehicle_id == "van-1"
    assert found.arrives == at(TODAY, 18)
    assert found.departs == at(TODAY + timedelta(days=1), 6)
    assert found.required_wh == 22_000.0
    assert found.probability == pytest.approx(5 / 9)  # first seen nine workdays ago
    assert (found.evse_id, found.max_power_w) == ("bay-3", 11_000.0)


def test_the_roster_goes_first_for_the_days_it_names() -> None:
    past = [stay(day, 18.0, 30.0) for day in workdays(5)]
    told = ExpectedStay(
        vehicle_id="van-1",
        arrives=at(TODAY, 21),
        departs=at(TODAY + timedelta(days=1), 7),
        required_wh=5_000.0,
        max_power_w=7_000.0,
    )
    found = expect(past, at(TODAY, 6), roster=(told,), hours=48)
    assert found[0] is told
    assert [one.arrives for one in found[1:]] == [at(TODAY + timedelta(days=1), 18)]


@pytest.mark.parametrize(("hour", "left"), [(16.0, 1.0), (18.25, 0.5), (20.0, None)])
def test_the_later_it_gets_without_it_the_less_is_it_expected(
    hour: float, left: float | None
) -> None:
    """It came at 17:00 and at 19:00 by turns, and stayed away never."""
    arrivals = (17.0, 19.0) * 5
    past = [stay(day, hours, 30.0) for day, hours in zip(workdays(10), arrivals, strict=True)]
    absent = [stay(day, 9.0, 10.0) for day in workdays(15)[10:]]
    found = [one for one in expect([*past, *absent], at(TODAY, hour)) if one.arrives.day == 29]
    evening = [one for one in found if one.arrives >= at(TODAY, hour)]
    if left is None:
        assert evening == []
    else:
        assert len(evening) == 1
        assert evening[0].arrives == at(TODAY, 18 if hour < 17 else 19)


def test_who_stands_here_since_today_is_not_expected_again_today() -> None:
    past = [stay(day, 18.0, 30.0) for day in workdays(5)]
    now = at(TODAY, 17)
    assert expect(past, now, present={"van-1": at(TODAY, 16)}) == ()
    (found,) = expect(past, now, present={"van-1": at(TODAY - timedelta(days=1), 18)})
    assert found.arrives == at(TODAY, 18)


def test_two_visits_a_day_are_two_stays() -> None:
    past = [stay(day, 12.0, 13.0, energy_wh=8_000.0) for day in workdays(6)]
    past += [stay(day, 19.0, 30.0, energy_wh=40_000.0) for day in workdays(6)]
    noon, evening = expect(past, at(TODAY, 6))
    assert (noon.arrives, noon.required_wh) == (at(TODAY, 12), 8_000.0)
    assert (evening.arrives, evening.required_wh) == (at(TODAY, 19), 40_000.0)
    done = [*past, stay(TODAY, 11.5, 12.5)]
    assert [one.arrives for one in expect(done, at(TODAY, 13), hours=8)] == [at(TODAY, 19)]


def test_after_midnight_is_late_not_early() -> None:
    arrivals = (23.5, 24.5, 24.0, 23.75, 24.25)
    past = []
    for day, hours in zip(workdays(5), arrivals, strict=True):
        on = day + timedelta(days=int(hours // 24))
        past.append(stay(on, hours % 24, hours % 24 + 5.0))
    found = expect(past, at(TODAY, 12))
    assert [one.arrives for one in found] == [at(TODAY + timedelta(days=1), 0)]


def test_one_visit_is_no_habit_and_a_saturday_is_no_workday() -> None:
    saturday = TODAY - timedelta(days=2)
    past = [stay(workdays(1)[0], 18.0, 30.0)]
    past += [stay(saturday - timedelta(days=7 * i), 18.0, 30.0, vehicle="van-2") for i in range(3)]
    assert expect(past, at(TODAY, 6)) == ()


def test_a_bay_is_named_only_where_it_is_usual() -> None:
    past = [stay(day, 18.0, 30.0, evse=f"bay-{i}") for i, day in enumerate(workdays(5))]
    (found,) = expect(past, at(TODAY, 6))
    assert found.evse_id is None


def test_arrivals_keep_their_wall_clock_over_a_change_of_time() -> None:
    after = date(2026, 10, 26)  # Monday after the clock went back
    past = [stay(after - timedelta(days=back), 18.0, 30.0) for back in range(3, 8)]
    (found,) = expect(past, at(after, 6))
    assert found.arrives == at(after, 18)
    assert found.departs == at(after + timedelta(days=1), 6)
