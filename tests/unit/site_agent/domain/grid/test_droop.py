"""The droop line, and what of it a site gives inside its limits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.domain.decide.control import DEFAULT_POLICY, Decision, decide
from site_agent.domain.grid.droop import DroopPolicy, answered, response
from site_agent.domain.protect.envelope import Envelope
from site_agent.domain.site import SiteSnapshot
from support.site import battery, charger, envelope, need, snapshot

LINE = DroopPolicy(power_w=50_000.0, dead_band_hz=0.02, slope=0.01)
"""All of it 0.5 Hz beyond the dead band."""


@pytest.mark.parametrize(
    ("hertz", "change_w"),
    [
        (50.0, 0.0),
        (49.98, 0.0),
        (50.02, 0.0),
        (49.73, -25_000.0),
        (50.27, 25_000.0),
        (49.48, -50_000.0),
        (48.0, -50_000.0),
        (52.0, 50_000.0),
    ],
)
def test_the_line(hertz: float, change_w: float) -> None:
    assert response(hertz, LINE).change_w == pytest.approx(change_w, abs=1e-6)


def answer(here: SiteSnapshot, limits: Envelope, hertz: float) -> tuple[Decision, Decision]:
    calm = decide(here, limits)
    return calm, answered(calm, here, response(hertz, LINE), LINE, DEFAULT_POLICY)


@pytest.mark.row("site:U11")
def test_batteries_answer_first() -> None:
    here = snapshot(
        building_w=60_000.0, chargers=[charger(drawn_a=32.0, limit_a=32.0)], batteries=[battery()]
    )
    calm, moved = answer(here, envelope(here.model), 49.73)
    assert moved.batteries[0].power_w == pytest.approx(calm.batteries[0].power_w - 25_000.0)
    assert moved.batteries[0].cause == "answers the grid's frequency of 49.73 Hz"
    assert moved.chargers == calm.chargers


@pytest.mark.row("site:U11")
def test_then_chargers_down_to_their_least_and_never_who_would_be_late() -> None:
    here = snapshot(
        chargers=[charger(name, drawn_a=32.0, limit_a=32.0) for name in ("late", "lax", "none")],
        needs=[need("late", hours=1.0), need("lax", hours=8.0)],
    )
    _, moved = answer(here, envelope(here.model), 49.73)
    told = {one.evse_id: one.limit_a for one in moved.chargers}
    assert told == pytest.approx({"late": 32.0, "lax": 21.8, "none": 6.0}, abs=0.1)
    _, moved = answer(here, envelope(here.model), 48.0)
    told = {one.evse_id: one.limit_a for one in moved.chargers}
    assert told == pytest.approx({"late": 32.0, "lax": 6.0, "none": 6.0}, abs=0.1)


def test_a_battery_whose_inverter_answers_by_itself_is_left_alone() -> None:
    here = snapshot(
        building_w=60_000.0, chargers=[charger(drawn_a=32.0, limit_a=32.0)], batteries=[battery()]
    )
    calm = decide(here, envelope(here.model))
    own = frozenset({"battery"})
    asked = response(49.73, LINE)
    moved = answered(calm, here, asked, LINE, DEFAULT_POLICY, by_themselves=own)
    assert moved == calm


def test_more_is_taken_only_as_far_as_the_import_limit_leaves() -> None:
    here = snapshot(building_w=60_000.0, batteries=[battery(power_w=0.0)])
    _, moved = answer(here, envelope(here.model, 70_000.0), 52.0)
    assert 60_000.0 + moved.batteries[0].power_w <= 70_000.0
    assert moved.batteries[0].power_w > 5_000.0


def test_more_is_given_only_as_far_as_the_export_limit_leaves() -> None:
    here = snapshot(building_w=10_000.0, batteries=[battery()])
    _, moved = answer(here, envelope(here.model, export_w=0.0), 48.0)
    assert moved.batteries[0].power_w == pytest.approx(-10_000.0)


def test_without_the_meter_nothing_more_is_taken() -> None:
    here = snapshot(building_w=None, batteries=[battery()])
    calm, moved = answer(here, envelope(here.model), 52.0)
    assert moved.batteries[0].power_w == calm.batteries[0].power_w


@given(
    hertz=st.floats(45.0, 55.0),
    building_w=st.floats(-40_000.0, 150_000.0),
    stored_w=st.floats(-50_000.0, 50_000.0),
    soc_pct=st.floats(0.0, 100.0),
    drawn_a=st.floats(0.0, 32.0),
    event_w=st.none() | st.floats(0.0, 150_000.0),
    export_w=st.none() | st.floats(-50_000.0, 0.0),
)
def test_limits_that_are_kept_stay_kept(
    hertz: float,
    building_w: float,
    stored_w: float,
    soc_pct: float,
    drawn_a: float,
    event_w: float | None,
    export_w: float | None,
) -> None:
    """Nothing a response adds brings the site beyond a limit that it has not broken already."""
    here = snapshot(
        building_w=building_w,
        chargers=[charger("a", drawn_a=drawn_a, limit_a=drawn_a)],
        batteries=[battery(power_w=stored_w, soc_pct=soc_pct)],
        needs=[need("a")],
    )
    limits = envelope(here.model, event_w, export_w)
    calm, moved = answer(here, limits, hertz)
    change_w = moved.batteries[0].power_w - calm.batteries[0].power_w
    pcc_w = here.pcc.power_w.value or 0.0
    if change_w > 0:
        assert pcc_w + change_w <= limits.import_w.value + 1.0
    if change_w < 0 and limits.export_w is not None:
        assert pcc_w + change_w >= limits.export_w.value - 1.0
    limit_a = moved.chargers[0].limit_a
    assert limit_a <= calm.chargers[0].limit_a
    assert limit_a == calm.chargers[0].limit_a or limit_a >= 6.0
    spec = here.batteries[0].spec
    assert -spec.max_discharge_w - 1 <= moved.batteries[0].power_w <= spec.max_charge_w + 1


def test_a_response_without_batteries_or_vehicles_is_none() -> None:
    here = snapshot()
    calm, moved = answer(here, envelope(here.model), 49.0)
    assert moved == replace(calm)
