"""Vehicles that are cold, slow, sleepy or generous: physics stays physics."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot_sim.physics.evse import Evse
from depot_sim.physics.vehicle import Vehicle

VAN = Vehicle(id="v", id_tag="t", capacity_wh=60_000, soc_pct=50.0, max_ac_w=22_080)
OUTLET = Evse(rated_a=32, vehicle=VAN)

moves = st.lists(
    st.tuples(
        st.floats(0.05, 600.0),  # dt_s
        st.floats(-80.0, 80.0),  # limit_a
        st.integers(1, 3),  # phases
        st.booleans(),  # energised
    ),
    max_size=40,
)
vehicles = st.builds(
    Vehicle,
    id=st.just("v"),
    id_tag=st.just("t"),
    capacity_wh=st.floats(5_000, 400_000),
    soc_pct=st.floats(0, 100),
    max_ac_w=st.floats(1_400, 44_000),
    max_dc_w=st.floats(10_000, 150_000),
    max_discharge_w=st.floats(0, 22_000),
    min_soc_pct=st.floats(0, 60),
    phases=st.integers(1, 3),
    efficiency=st.floats(0.7, 1.0),
    fixed_loss_w=st.floats(0, 400),
    battery_c=st.floats(-30, 45),
    ambient_c=st.floats(-30, 45),
    reaction_s=st.floats(0, 5),
    sleeps_after_s=st.none() | st.floats(1, 2000),
)
outlets = st.builds(
    Evse,
    rated_a=st.sampled_from([16.0, 32.0, 63.0]),
    phases=st.integers(1, 3),
    dc=st.booleans(),
    bidirectional=st.booleans(),
    vehicle=vehicles,
)


def over(evse: Evse, seconds: float, limit_a: float, phases: int = 3, dt_s: float = 0.2) -> Evse:
    for _ in range(round(seconds / dt_s)):
        evse = evse.step(dt_s, limit_a=limit_a, phases=phases, energised=True)
    return evse


def with_vehicle(**changes: object) -> Evse:
    return replace(OUTLET, bidirectional=True, vehicle=replace(VAN, **changes))  # type: ignore[arg-type]  # any field


@given(evse=outlets, steps=moves)
def test_no_energy_comes_from_nowhere(
    evse: Evse, steps: list[tuple[float, float, int, bool]]
) -> None:
    for dt_s, limit_a, phases, energised in steps:
        after = evse.step(dt_s, limit_a=limit_a, phases=phases, energised=energised)
        assert evse.vehicle
        assert after.vehicle
        taken_wh = after.register_wh - evse.register_wh
        given_wh = after.export_wh - evse.export_wh
        gained_wh = after.vehicle.stored_wh - evse.vehicle.stored_wh
        assert taken_wh >= 0.0
        assert given_wh >= 0.0
        assert min(taken_wh, given_wh) == 0.0
        assert gained_wh <= taken_wh * evse.vehicle.efficiency - given_wh + 1e-6
        assert after.power_w * dt_s / 3600 == pytest.approx(taken_wh - given_wh, abs=1e-6)
        evse = after


@given(evse=outlets, steps=moves)
def test_state_of_charge_and_temperature_stay_where_they_can_be(
    evse: Evse, steps: list[tuple[float, float, int, bool]]
) -> None:
    assert evse.vehicle
    coldest_c = min(evse.vehicle.battery_c, evse.vehicle.ambient_c)
    lowest_pct = min(evse.vehicle.soc_pct, evse.vehicle.min_soc_pct)
    for dt_s, limit_a, phases, energised in steps:
        evse = evse.step(dt_s, limit_a=limit_a, phases=phases, energised=energised)
        assert evse.vehicle
        assert lowest_pct - 1e-6 <= evse.vehicle.soc_pct <= 100.0
        assert evse.vehicle.battery_c >= coldest_c - 1e-6
        assert abs(evse.current_a) <= evse.rated_a + 1e-9
        assert energised or evse.power_w == 0.0


@given(evse=outlets, limit_a=st.floats(-80.0, 80.0), phases=st.integers(1, 3))
def test_once_it_has_reacted_no_limit_is_passed(evse: Evse, limit_a: float, phases: int) -> None:
    evse = over(over(evse, 8, 80.0), 8, limit_a, phases)
    assert min(limit_a, 0.0) - 1e-9 <= evse.current_a <= max(limit_a, 0.0) + 1e-9


def test_a_new_pilot_is_followed_after_the_reaction_time() -> None:
    evse = over(with_vehicle(reaction_s=2.0), 10, 32.0)
    assert over(evse, 1.8, 10.0).current_a == pytest.approx(32.0)
    assert over(evse, 3.4, 10.0).current_a == pytest.approx(10.0)


def test_a_pilot_taken_back_in_time_leaves_the_whole_reaction_time_to_the_next() -> None:
    evse = over(with_vehicle(reaction_s=2.0), 10, 32.0)
    back = over(over(evse, 1.6, 10.0), 0.4, 32.0)
    assert over(back, 1.8, 10.0).current_a == pytest.approx(32.0)
    opened = over(evse, 1.6, 10.0).step(0.2, limit_a=0.0, phases=3, energised=False)
    assert over(opened, 1.8, 10.0).current_a == 0.0


def test_a_pilot_that_never_rests_is_followed_all_the_same() -> None:
    evse = with_vehicle(reaction_s=2.0)
    for step in range(50):
        evse = evse.step(0.2, limit_a=10.0 + step % 2, phases=3, energised=True)
    assert evse.current_a >= 10.0


def test_a_cold_battery_takes_less_and_warms_up() -> None:
    cold = with_vehicle(battery_c=-10.0, ambient_c=5.0)
    assert cold.vehicle
    first_w = cold.vehicle.acceptance_w()
    assert 0.1 * VAN.max_ac_w < first_w < 0.5 * VAN.max_ac_w
    later = over(cold, 3600.0, 32.0, dt_s=10.0)
    assert later.vehicle
    assert later.vehicle.battery_c > -8.0
    assert later.vehicle.acceptance_w() > first_w
    warm = over(with_vehicle(ambient_c=20.0, battery_c=20.0), 3600.0, 32.0, dt_s=10.0)
    assert warm.vehicle
    assert warm.vehicle.battery_c > 20.0


def test_charging_slowly_is_charging_poorly() -> None:
    def efficiency(limit_a: float) -> float:
        evse = over(with_vehicle(fixed_loss_w=200.0), 600.0, limit_a, dt_s=1.0)
        assert evse.vehicle
        return (evse.vehicle.stored_wh - VAN.stored_wh) / evse.register_wh

    assert efficiency(6.0) < efficiency(16.0) < efficiency(32.0) < VAN.efficiency


def test_a_vehicle_falls_asleep_and_is_woken() -> None:
    evse = over(with_vehicle(sleeps_after_s=60.0), 61, 0.0)
    assert evse.vehicle
    assert evse.vehicle.asleep
    assert over(evse, 5, 16.0).power_w == 0.0
    woken = replace(evse, vehicle=evse.vehicle.woken())
    assert over(woken, 5, 16.0).current_a == pytest.approx(16.0)
    assert over(with_vehicle(sleeps_after_s=60.0), 300, 16.0, dt_s=1.0).power_w > 0.0


def test_a_negative_limit_discharges_down_to_the_reserve() -> None:
    evse = over(with_vehicle(max_discharge_w=11_040.0, min_soc_pct=49.0), 5, -10.0)
    assert evse.power_w == pytest.approx(-6_900.0)
    assert sum(evse.phases_w) == pytest.approx(-6_900.0)
    empty = over(evse, 3600.0, -32.0, dt_s=5.0)
    assert empty.vehicle
    assert empty.vehicle.soc_pct == pytest.approx(49.0, abs=1e-6)
    assert empty.power_w == 0.0
    assert empty.export_wh == pytest.approx(600.0 * VAN.efficiency)
    assert empty.register_wh == 0.0


def test_a_vehicle_or_an_outlet_that_cannot_discharge_takes_nothing() -> None:
    assert over(with_vehicle(), 5, -10.0).power_w == 0.0
    one_way = replace(with_vehicle(max_discharge_w=11_040.0), bidirectional=False)
    assert one_way.suspends(-10.0)
    assert over(one_way, 5, -10.0).power_w == 0.0
