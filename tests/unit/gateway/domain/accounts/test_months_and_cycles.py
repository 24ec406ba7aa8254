"""Months by the wall clock, demand that is checked, and how hard a battery was worked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.site_link.points import PCC_POWER_W
from gateway.domain.accounts.cycles import cycles, rainflow, turning_points
from gateway.domain.accounts.demand import audits
from gateway.domain.accounts.month import Month
from support.accounts import grid_of, metered, terms

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "zone", "billing_day", "start", "hours"),
    [
        ("2026-10", "Europe/Berlin", 1, "2026-09-30T22:00", 31 * 24 + 1),  # clocks go back
        ("2026-03", "Europe/Berlin", 1, "2026-02-28T23:00", 31 * 24 - 1),  # and forward
        ("2026-02", "UTC", 1, "2026-02-01T00:00", 28 * 24),
        ("2028-02", "UTC", 1, "2028-02-01T00:00", 29 * 24),
        ("2026-12", "America/Los_Angeles", 1, "2026-12-01T08:00", 31 * 24),
        ("2026-10", "Europe/Berlin", 15, "2026-10-14T22:00", 31 * 24 + 1),
    ],
)
def test_a_month_lasts_as_long_as_its_wall_clock(
    text: str, zone: str, billing_day: int, start: str, hours: int
) -> None:
    window = Month.parse(text).window(ZoneInfo(zone), billing_day)
    assert window.start.isoformat()[:16] == start
    assert window.duration == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-1", "26-10", "0001-01", "oct"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no month: write year and month"):
        Month.parse(text)


# --- demand ---------------------------------------------------------------------------------------


def test_the_highest_intervals_and_what_they_cost() -> None:
    month = metered(6, pcc=[1000, 7000, -9000, 5000, 7000, 2000])
    [audit] = audits(
        terms(6, per_kw="10"), month.grid, month.import_wh, month.covered_s[PCC_POWER_W]
    )
    assert [(one.slots[0], one.mean_w) for one in audit.peaks] == [
        (1, 28_000.0),
        (4, 28_000.0),
        (3, 20_000.0),
        (5, 8_000.0),
        (0, 4_000.0),
    ]
    assert (audit.amount, audit.sure) == (Decimal("280.000"), True)


def test_an_interval_that_was_not_measured_makes_it_unsure() -> None:
    month = metered(3, pcc=[1000, 2000, 1000], covered={PCC_POWER_W: [900, 450, 0]})
    [audit] = audits(
        terms(3, per_kw="10"), month.grid, month.import_wh, month.covered_s[PCC_POWER_W]
    )
    assert [(one.mean_w, one.coverage) for one in audit.peaks] == [(16_000.0, 0.5), (4_000.0, 1.0)]
    assert (audit.sure, audit.unmeasured) == (False, 2)


def test_a_rolling_demand_finds_what_the_clocks_intervals_split() -> None:
    month = metered(4, pcc=[0, 5000, 5000, 0])
    half_hours = replace(terms(4, per_kw="1"), demand_interval=timedelta(minutes=30))
    known = month.grid, month.import_wh, month.covered_s[PCC_POWER_W]
    [by_clock] = audits(half_hours, *known)
    [rolling] = audits(replace(half_hours, rolling=True), *known)
    assert (by_clock.peaks[0].mean_w, rolling.peaks[0].mean_w) == (10_000.0, 20_000.0)


def test_hours_outside_a_charge_do_not_count() -> None:
    asked = terms(4, per_kw="1")
    evening = replace(asked.demand[0], hours=(grid_of(4).slot(3),))
    month = metered(4, pcc=[9000, 9000, 9000, 100])
    [audit] = audits(
        replace(asked, demand=(evening,)),
        month.grid,
        month.import_wh,
        month.covered_s[PCC_POWER_W],
    )
    assert [one.slots for one in audit.peaks] == [(3, 4)]


def test_a_demand_interval_must_be_whole_slots() -> None:
    asked = replace(terms(4, per_kw="1"), demand_interval=timedelta(minutes=20))
    month = metered(4)
    with pytest.raises(ValueError, match="no whole number of"):
        audits(asked, month.grid, month.import_wh, month.covered_s[PCC_POWER_W])


# --- cycles ---------------------------------------------------------------------------------------


def test_the_example_of_the_standard() -> None:
    """ASTM E1049-85, figure 6: ranges 3, 4, 4, 6, 8, 8, 9 with counts 0.5 .. as listed there."""
    found = sorted(rainflow([-2, 1, -3, 5, -1, 3, -4, 4, -2]))
    assert found == [(3, 0.5), (4, 0.5), (4, 1.0), (6, 0.5), (8, 0.5), (8, 0.5), (9, 0.5)]


@pytest.mark.parametrize(
    ("soc", "full", "by_depth"),
    [
        ([], 0.0, {}),
        ([50, 50.4, 50, 50.4], 0.0, {}),  # ripple
        ([0, 100, 0], 1.0, {100: 1.0}),
        ([20, 80, 20, 80, 20], 1.2, {60: 2.0}),
        ([20, float("nan"), 80], 0.3, {60: 0.5}),
    ],
)
def test_full_cycles_and_their_depths(
    soc: list[float], full: float, by_depth: dict[int, float]
) -> None:
    found = cycles(soc)
    assert found.equivalent_full == pytest.approx(full)
    assert found.by_depth == by_depth


@given(st.lists(st.floats(0, 100), max_size=60))
def test_no_swing_is_lost_or_counted_twice(soc: list[float]) -> None:
    points = turning_points(soc)
    swings = sum(abs(b - a) for a, b in pairwise(points))
    assert 2 * sum(depth * count for depth, count in rainflow(points)) == pytest.approx(swings)
