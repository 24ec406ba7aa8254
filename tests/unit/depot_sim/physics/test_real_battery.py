"""A battery that is not ideal: window, tapers, ramp, reaction, losses, temperature."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot_sim.physics.battery import Battery, Traits
from depot_sim.physics.warmth import cold_share, hot_share

TRAITS = Traits(
    lowest_pct=10.0,
    highest_pct=95.0,
    taper_from_pct=85.0,
    taper_below_pct=20.0,
    ramp_w_per_s=5_000.0,
    reaction_s=0.5,
    standby_w=150.0,
    resistive_loss=0.04,
    ambient_c=20.0,
)


def battery(soc_pct: float = 50.0, traits: Traits = TRAITS, **more: float) -> Battery:
    return Battery(
        capacity_wh=50_000,
        max_charge_w=25_000,
        max_discharge_w=30_000,
        soc_pct=soc_pct,
        efficiency=0.96,
        traits=traits,
        **more,
    )


@given(
    soc_pct=st.floats(0, 100),
    ambient_c=st.floats(-30, 50),
    moves=st.lists(st.tuples(st.floats(0.05, 900), st.floats(-60_000, 60_000)), max_size=40),
)
def test_no_energy_is_made_and_no_bound_broken(
    soc_pct: float, ambient_c: float, moves: list[tuple[float, float]]
) -> None:
    state = battery(soc_pct, replace(TRAITS, ambient_c=ambient_c), temperature_c=ambient_c)
    begun_wh = state.stored_wh
    for dt_s, setpoint_w in moves:
        before = state
        state = state.step(dt_s, setpoint_w=setpoint_w)
        assert -30_000 <= state.power_w <= 25_000
        if abs(state.power_w) > abs(before.power_w):  # what is not there ends at once
            assert abs(state.power_w - before.power_w) <= 5_000 * dt_s + 1e-6
        assert state.lost_wh >= before.lost_wh - 1e-9
        if state.power_w > 0:
            assert state.soc_pct <= max(95.0, before.soc_pct) + 1e-9
        if state.power_w < 0:
            assert state.soc_pct >= 10.0 - 150.0 * dt_s / 3600 / 500 - 1e-6
    net_wh = state.charged_wh - state.discharged_wh - state.lost_wh
    assert state.stored_wh - begun_wh == pytest.approx(net_wh, rel=1e-6, abs=1e-2)


def test_it_reacts_late_and_ramps() -> None:
    state, powers = battery(), []
    for _ in range(30):
        state = state.step(0.25, setpoint_w=20_000)
        powers.append(state.power_w)
    assert powers[0] == 0.0
    assert powers[1] == pytest.approx(1_250)
    assert powers[2] == pytest.approx(2_500)
    assert powers[-1] == 20_000


@pytest.mark.parametrize(
    ("soc_pct", "charge_w", "discharge_w"),
    [
        (50, 25_000, 30_000),
        (90, 12_500, 30_000),
        (95, 0, 30_000),
        (15, 25_000, 15_000),
        (10, 25_000, 0),
        (94.9, 1_250, 30_000),
    ],
)
def test_power_tapers_towards_the_ends_of_the_window(
    soc_pct: float, charge_w: float, discharge_w: float
) -> None:
    state = battery(soc_pct)
    assert state.charge_limit_w == pytest.approx(charge_w)
    assert state.discharge_limit_w == pytest.approx(discharge_w)


def test_full_power_costs_more_than_little_power() -> None:
    quick = Traits(resistive_loss=0.05)

    def efficiency(power_w: float) -> float:
        state = battery(50, quick).step(360, setpoint_w=power_w)
        return (state.stored_wh - 25_000) / state.charged_wh

    assert efficiency(2_500) == pytest.approx(0.96, abs=0.005)
    assert efficiency(25_000) == pytest.approx(0.96 - 0.05 * 25 / 30, abs=0.005)
    assert efficiency(25_000) < efficiency(12_500) < efficiency(2_500)


def test_standby_empties_it_and_stops_at_nothing() -> None:
    state = battery(50, Traits(standby_w=100)).step(3600, setpoint_w=0)
    assert state.stored_wh == pytest.approx(24_900)
    assert state.step(1e7, setpoint_w=0).stored_wh == 0.0


def test_cold_cells_charge_slowly_and_warm_while_they_do() -> None:
    state = battery(50, Traits(ambient_c=-10, resistive_loss=0.05), temperature_c=-10)
    assert state.charge_limit_w == pytest.approx(25_000 * cold_share(-10))
    assert state.discharge_limit_w == 30_000
    after = state.step(1800, setpoint_w=25_000)
    assert after.temperature_c > -10
    assert after.off(1e6).temperature_c == pytest.approx(-10)


def test_hot_cells_do_less_either_way() -> None:
    state = battery(50, temperature_c=52.5)
    assert state.charge_limit_w == pytest.approx(12_500)
    assert state.discharge_limit_w == pytest.approx(15_000)
    assert (hot_share(45), hot_share(60), hot_share(80)) == (1.0, 0.0, 0.0)
    assert (cold_share(15), cold_share(-20), cold_share(-40)) == (1.0, 0.1, 0.1)


def test_contactors_open_at_once() -> None:
    state = battery()
    for _ in range(40):
        state = state.step(1.0, setpoint_w=-20_000)
    assert state.power_w == -20_000
    assert state.off(0.2).power_w == 0.0
