"""Whose energy it was, where it came from and what it cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.accounts.balance import Metered, Source, Use, balance
from gateway.domain.accounts.bearing import total
from gateway.domain.accounts.bill import Component, bill
from gateway.domain.accounts.carbon import Intensity, carbon
from gateway.domain.accounts.charged import charged, used
from support.accounts import START, STEP, grid_of, metered, session, terms

pytestmark = pytest.mark.row("mv:M8")

MICRO = Decimal("1e-12")


# --- where energy comes from ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pcc", "pv", "battery", "evse", "grid", "sun", "stored", "unmetered"),
    [
        # pcc  pv     battery evse   charging comes from
        (4000, 0, 0, 3000, 3000, 0, 0, 0),  # all from the grid
        (0, -4000, 0, 4000, 0, 4000, 0, 0),  # all from the roof
        (2000, -2000, 0, 4000, 2000, 2000, 0, 0),  # half and half
        (1000, 0, -3000, 2000, 500, 0, 1500, 0),  # a battery helps, the building takes as much
        (-2000, -6000, 0, 3000, 0, 3000, 0, 0),  # exporting
        (1000, 0, 0, 4000, 1000, 0, 0, 3000),  # more metered below than comes in
    ],
)
def test_charging_takes_its_share_of_every_source(
    pcc: float,
    pv: float,
    battery: float,
    evse: float,
    grid: float,
    sun: float,
    stored: float,
    unmetered: float,
) -> None:
    month = metered(1, pcc=[pcc], pv=[pv], battery=[battery], evses={"a": [evse]})
    assert balance(month).mix_wh(Use.CHARGING) == pytest.approx(
        {
            Source.GRID: grid,
            Source.PV: sun,
            Source.BATTERY: stored,
            Source.VEHICLES: 0.0,
            Source.UNMETERED: unmetered,
        }
    )


WH = st.floats(-5e4, 5e4, allow_nan=False).map(lambda wh: round(wh, 3))
MONTHS = st.integers(2, 12).flatmap(
    lambda count: st.fixed_dictionaries(
        {
            "count": st.just(count),
            "pcc": st.lists(WH, min_size=count, max_size=count),
            "pv": st.lists(WH.map(lambda wh: -abs(wh)), min_size=count, max_size=count),
            "battery": st.lists(WH, min_size=count, max_size=count),
            "a": st.lists(WH, min_size=count, max_size=count),
            "b": st.lists(WH.map(abs), min_size=count, max_size=count),
        }
    )
)


def of(month: dict[str, Any]) -> tuple[int, Metered]:
    rest = {name: month[name] for name in ("pcc", "pv", "battery")}
    return month["count"], metered(month["count"], **rest, evses={"a": month["a"], "b": month["b"]})


@given(MONTHS)
def test_energy_by_source_adds_up_to_the_consumption(month: dict[str, Any]) -> None:
    _, known = of(month)
    books = balance(known)
    into = sum(one.sum() for one in books.sources.values())
    assert into == pytest.approx(sum(one.sum() for one in books.uses.values()), abs=1e-6)
    for use in Use:
        mix = books.mix_wh(use)
        assert sum(mix.values()) == pytest.approx(float(books.uses[use].sum()), abs=1e-6)
        assert min(mix.values()) >= 0.0


# --- what it costs --------------------------------------------------------------------------------


def test_a_bill_by_hand() -> None:
    """Four quarters: a van takes 4 kWh in the second and third, the building 1 kWh in each."""
    month = metered(4, pcc=[1000, 5000, 5000, 1000], evses={"a": [0, 4000, 4000, 0]})
    paid = bill(
        terms(
            4,
            prices=[(0, "night", "0.10"), (2, "day", "0.30")],
            per_kw="6",
            fixed="12",
        ),
        month,
        charged(month, [session("s", "a", 1, 3)]),
    )
    assert [(line.component, line.name, line.quantity, line.amount) for line in paid.lines] == [
        (Component.ENERGY, "night", Decimal("6.000"), Decimal("0.60000")),
        (Component.ENERGY, "day", Decimal("6.000"), Decimal("1.80000")),
        (Component.DEMAND, "any hour", Decimal("20.000"), Decimal("120.000")),
        (Component.FIXED, "fixed", Decimal(1), Decimal(12)),
    ]
    [van] = paid.sessions
    assert van.energy == pytest.approx(Decimal("1.60"))  # 4 kWh at 0.10, 4 kWh at 0.30
    assert van.demand == pytest.approx(Decimal(96))  # 16 of the 20 kW
    assert van.fixed == pytest.approx(Decimal(8))  # 8 of 12 kWh
    assert paid.nobodys.total == pytest.approx(Decimal(0), abs=MICRO)


def test_what_is_stored_by_night_is_paid_by_whom_it_serves_by_day() -> None:
    """2 kWh bought at 0.10 for the battery; by day the van takes them, nothing else is bought."""
    month = metered(2, pcc=[2000, 0], battery=[2000, -2000], evses={"a": [0, 2000]})
    paid = bill(
        terms(2, prices=[(0, "night", "0.10"), (1, "day", "0.30")]),
        month,
        charged(month, [session("s", "a", 1, 2)]),
    )
    assert paid.sessions[0].energy == pytest.approx(Decimal("0.20"))
    assert paid.uses[Use.STORAGE].energy == 0
    assert paid.from_before_wh == 0.0


def test_what_a_battery_held_before_and_what_it_loses_are_told_apart() -> None:
    month = metered(3, pcc=[0, 1000, 0], battery=[-500, 1000, -900], evses={"a": [500, 0, 900]})
    paid = bill(terms(3), month, charged(month, []))
    assert paid.from_before_wh == 500.0
    assert paid.nobodys.energy == pytest.approx(Decimal("0.18"))
    assert paid.uses[Use.STORAGE].energy == pytest.approx(Decimal("0.02"))


def test_export_is_the_sites_credit() -> None:
    month = metered(2, pcc=[-3000, 1000], pv=[-3000, 0])
    paid = bill(terms(2, export="0.07"), month, ())
    credit = [line for line in paid.lines if line.component is Component.EXPORT]
    assert [(line.quantity, line.amount) for line in credit] == [
        (Decimal("3.000"), Decimal("-0.21000"))
    ]


def test_time_without_a_price_is_told() -> None:
    month = metered(2, pcc=[3000, 1000])
    paid = bill(terms(2, prices=[(1, "flat", "0.20")]), month, ())
    assert paid.unpriced_wh == 3000.0
    assert paid.amount == Decimal("0.20000")


@given(MONTHS, st.sampled_from(["0", "7.5"]), st.sampled_from(["0", "3.10"]))
def test_costs_of_sessions_add_up_to_the_sites(
    month: dict[str, Any], per_kw: str, fixed: str
) -> None:
    count, known = of(month)
    sessions = [
        session("1", "a", 0, count // 2),
        session("2", "a", count // 2, count),
        session("3", "b", 0, count, vehicle="van-2"),
    ]
    asked = terms(
        count,
        prices=[(0, "night", "0.1234"), (1, "day", "-0.05")],
        per_kw=per_kw,
        fixed=fixed,
        export="0.07",
    )
    paid = bill(asked, known, charged(known, sessions))
    imported = [line for line in paid.lines if line.component is not Component.EXPORT]
    assert total(list(paid.uses.values())).total == pytest.approx(
        sum(line.amount for line in imported), abs=MICRO
    )
    assert (total(paid.sessions) + paid.nobodys).total == pytest.approx(
        paid.uses[Use.CHARGING].total, abs=MICRO
    )
    # Each EVSE was in a session all the time, so nothing of its energy is nobody's.
    assert abs(paid.nobodys.energy) < Decimal("1e-9")


@given(MONTHS)
def test_carbon_adds_up_to_what_was_imported(month: dict[str, Any]) -> None:
    count, known = of(month)
    grid = grid_of(count)
    series = StepSeries.of([(grid.slot(0), 400.0), (grid.slot(1), 50.0)])
    intensity = Intensity(g_per_kwh=series, source="test")
    sessions = [session("1", "a", 0, count), session("2", "b", 0, count)]
    found = carbon(intensity, known, charged(known, sessions))
    assert sum(found.by_use.values()) == pytest.approx(found.imported_kg, abs=1e-9)
    assert sum(found.sessions) == pytest.approx(found.by_use[Use.CHARGING], abs=1e-9)


def test_carbon_without_an_intensity_is_unknown_not_nothing() -> None:
    month = metered(2, pcc=[3000, 1000])
    series = StepSeries.of([(grid_of(2).slot(0), 400.0)])
    found = carbon(Intensity(g_per_kwh=series, source="test"), month, ())
    assert found.imported_kg == pytest.approx(1.2)
    assert found.unknown_wh == 1000.0
    assert found.mean_g_per_kwh == pytest.approx(400.0)


# --- who charged ----------------------------------------------------------------------------------


def test_energy_is_that_of_the_session_that_ran() -> None:
    month = metered(4, evses={"a": [1000, 2000, 3000, 4000]}, covered={"a": [900, 900, 450, 0]})
    first, second = charged(month, [session("1", "a", 0, 1), session("2", "a", 1, 4)])
    assert (first.first, first.wh.tolist()) == (0, [1000])
    assert (second.first, second.wh.tolist()) == (1, [2000, 3000, 4000])
    assert [second.within_wh(span) for span in ((0, 1), (0, 3), (2, 9))] == [0, 5000, 7000]
    assert (first.coverage, second.coverage) == (1.0, 0.5)


def test_how_an_evse_served() -> None:
    month = metered(8, evses={"a": [0, 3000, 3000, 0, 0, 0, 0, 0]})
    [one] = used(month, [session("1", "a", 1, 5)])
    assert (one.sessions, one.energy_wh) == (1, 6000.0)
    assert (one.plugged_share, one.charging_share, one.idle_share) == (0.5, 0.25, 0.25)


def test_slots_must_fit_the_window() -> None:
    grid = grid_of(3)
    first, lasting = grid.overlaps_s(Interval.lasting(START + STEP / 3, STEP))
    assert (first, lasting.tolist()) == (0, [600, 300])
    assert grid.overlaps_s(grid.slot(1))[0] == 1
    assert grid.overlaps_s(grid_of(2, start=grid.end).window)[1].tolist() == []
