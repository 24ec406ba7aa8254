"""Dated trips beside the daily plan, and what telematics say of the battery."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from site_agent.domain.fleet.agreed import (
    FleetVehicle,
    LeavesAfter,
    LeavesDaily,
    SocReport,
    Target,
    Trip,
    leaving,
    need_of,
)
from site_agent.domain.fleet.expected import expected_stays
from support.site import NOON, charger, charger_spec

HOUR = timedelta(hours=1)
BERLIN = ZoneInfo("Europe/Berlin")
SOC = Target(soc_pct=80.0, capacity_wh=50_000.0, arrival_soc_pct=20.0)
VAN = FleetVehicle(
    vehicle_id="van", departure=LeavesDaily(at=time(6, 0), zone=BERLIN), target=SOC, rank=3
)
"""NOON is a Monday, 13:00 in Berlin; it leaves at 05:00 UTC."""
SIX = datetime(2026, 1, 6, 5, 0, tzinfo=UTC)


def trip(departs_h: float, **facts: object) -> Trip:
    return replace(Trip(trip_id="t", departs=NOON + departs_h * HOUR), **facts)  # type: ignore[arg-type] # by name


@pytest.mark.parametrize(
    ("trips", "leaves", "soc_pct"),
    [
        ((), SIX, 80.0),
        ((trip(3),), NOON + 3 * HOUR, 80.0),  # still today
        ((trip(20),), NOON + 20 * HOUR, 80.0),  # 09:00 tomorrow instead of 06:00
        ((trip(44, required_soc_pct=100.0),), SIX, 80.0),  # the day after: tomorrow's plan holds
        ((trip(15, required_soc_pct=95.0),), NOON + 15 * HOUR, 95.0),
        ((trip(-5),), SIX, 80.0),  # over
        ((trip(-1),), NOON - HOUR, 80.0),  # late for it
        ((trip(20), trip(15)), NOON + 15 * HOUR, 80.0),
    ],
)
def test_a_trip_replaces_the_daily_departure_of_its_day(
    trips: tuple[Trip, ...], leaves: datetime, soc_pct: float
) -> None:
    departs, target = leaving(replace(VAN, trips=trips), NOON - 2 * HOUR, NOON)
    assert (departs, target.soc_pct) == (leaves, soc_pct)


def test_a_trip_within_a_day_ends_a_stay_that_only_counts_from_the_plug() -> None:
    van = replace(VAN, departure=LeavesAfter(stay=8 * HOUR), trips=(trip(12),))
    assert leaving(van, NOON, NOON)[0] == NOON + 12 * HOUR
    assert leaving(replace(van, trips=(trip(30),)), NOON, NOON)[0] == NOON + 8 * HOUR


def test_only_the_named_weekdays_count() -> None:
    some = LeavesDaily(at=time(6, 0), zone=BERLIN, days=frozenset({2, 4}))
    van = replace(VAN, departure=some)
    assert leaving(van, NOON, NOON)[0] == SIX + timedelta(days=1)  # Wednesday


def test_energy_for_a_trip_instead_of_a_state_of_charge() -> None:
    van = replace(VAN, trips=(trip(3, required_wh=7_000.0),))
    assert need_of(van, charger(energy_wh=2_000.0), NOON, NOON).required_wh == 5_000.0


@pytest.mark.parametrize(
    ("report_h", "pct", "charged_wh", "before_wh", "own_pct", "missing_wh"),
    [
        (-0.5, 50.0, 5_000.0, 0.0, None, 10_000.0),  # just before the plug-in: charging began there
        (-2.0, 50.0, 5_000.0, 0.0, None, 25_000.0),  # perhaps before a drive: 20 % assumed
        (0.5, 50.0, 5_000.0, 5_000.0, None, 15_000.0),  # in the stay
        (0.5, 50.0, 9_000.0, 5_000.0, None, 11_000.0),  # and charged since
        (0.5, 50.0, 5_000.0, 5_000.0, 60.0, 10_000.0),  # the charger's own fresh word goes first
    ],
)
def test_what_telematics_say_counts_until_the_charger_says_better(
    report_h: float,
    pct: float,
    charged_wh: float,
    before_wh: float,
    own_pct: float | None,
    missing_wh: float,
) -> None:
    van = replace(VAN, soc=SocReport(pct=pct, at=NOON + report_h * HOUR))
    state = charger(energy_wh=charged_wh, soc_pct=own_pct, at=NOON + HOUR)
    need = need_of(van, state, NOON, NOON + HOUR, before_report_wh=before_wh)
    assert need.required_wh == pytest.approx(missing_wh)


@pytest.mark.parametrize(("dc", "taken_w"), [(False, 7_000.0), (True, 20_000.0)])
def test_a_dc_charger_meets_the_dc_rating(dc: bool, taken_w: float) -> None:
    van = replace(VAN, max_power_w=7_000.0, max_dc_power_w=20_000.0)
    state = charger(replace(charger_spec(), dc=dc))
    assert need_of(van, state, NOON, NOON).max_power_w == taken_w


# --- vehicles that are expected -------------------------------------------------------------------

ROUND = replace(VAN, arrives_daily=LeavesDaily(at=time(18, 0), zone=BERLIN), bay="b1")
EVENING = datetime(2026, 1, 5, 17, 0, tzinfo=UTC)


def stays(van: FleetVehicle, after: datetime = NOON, now: datetime = NOON) -> list[datetime]:
    return [one.arrives for one in expected_stays(van, after, now, now + 36 * HOUR, 11_000.0)]


def test_a_daily_round_is_expected_with_what_it_needs() -> None:
    first, second = expected_stays(ROUND, NOON, NOON, NOON + 36 * HOUR, 11_000.0)
    assert (first.vehicle_id, first.evse_id, first.rank, first.probability) == ("van", "b1", 3, 1)
    assert (first.arrives, first.departs) == (EVENING, SIX)
    assert (first.required_wh, first.max_power_w) == (30_000.0, 11_000.0)
    assert second.arrives == EVENING + timedelta(days=1)


def test_an_arrival_that_was_told_replaces_the_usual_one() -> None:
    told = replace(ROUND, arrives=EVENING + 2 * HOUR)
    assert stays(told) == [EVENING + 2 * HOUR, EVENING + timedelta(days=1)]


def test_a_trips_return_is_expected_with_what_it_leaves() -> None:
    out = trip(1, returns=NOON + 4 * HOUR, arrival_soc_pct=10.0)
    (stay,) = expected_stays(replace(VAN, trips=(out,)), NOON, NOON, NOON + 36 * HOUR, 11_000.0)
    assert (stay.arrives, stay.departs, stay.required_wh) == (NOON + 4 * HOUR, SIX, 35_000.0)


def test_one_that_is_late_is_expected_now_and_after_two_hours_no_more() -> None:
    late = EVENING + HOUR
    assert stays(ROUND, NOON, late)[0] == late
    gone = EVENING + 2.5 * HOUR
    assert stays(ROUND, NOON, gone)[0] == EVENING + timedelta(days=1)


def test_a_vehicle_under_way_comes_with_no_more_than_it_tells() -> None:
    low = replace(ROUND, soc=SocReport(pct=12.0, at=NOON - 0.5 * HOUR))
    old = replace(ROUND, soc=SocReport(pct=12.0, at=NOON - 3 * HOUR))
    full = replace(ROUND, soc=SocReport(pct=70.0, at=NOON))
    found = [next(expected_stays(v, NOON, NOON, NOON + 36 * HOUR, 1.0)) for v in (low, old, full)]
    assert [stay.required_wh for stay in found] == [34_000.0, 30_000.0, 30_000.0]


def test_without_a_word_of_its_arrival_nothing_is_expected() -> None:
    assert stays(VAN) == []
