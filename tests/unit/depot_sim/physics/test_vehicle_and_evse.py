"""Outlets and vehicles: energy is conserved and no limit is ever passed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot_sim.physics.evse import Evse
from depot_sim.physics.vehicle import Vehicle

steps = st.lists(
    st.tuples(
        st.floats(0.05, 600.0),  # dt_s
        st.floats(0.0, 80.0),  # limit_a
        st.integers(1, 3),  # phases
        st.booleans(),  # energised
    ),
    max_size=40,
)
vehicles = st.builds(
    Vehicle,
    id=st.just("v"),
    id_tag=st.just("t"),
    capacity_wh=st.floats(1_000, 400_000),
    soc_pct=st.floats(0, 100),
    max_ac_w=st.floats(1_400, 44_000),
    max_dc_w=st.floats(10_000, 150_000),
    phases=st.sampled_from([1, 3]),
    efficiency=st.floats(0.7, 1.0),
)
evses = st.builds(
    Evse,
    rated_a=st.sampled_from([16.0, 32.0, 63.0]),
    phases=st.sampled_from([1, 3]),
    dc=st.booleans(),
    first_phase=st.integers(1, 3),
    vehicle=vehicles,
)


def vehicle(**changes: float) -> Vehicle:
    values = {"capacity_wh": 60_000.0, "soc_pct": 40.0, "max_ac_w": 11_040.0} | changes
    return Vehicle(id="v", id_tag="t", **values)  # type: ignore[arg-type]  # floats only


def settled(evse: Evse, limit_a: float, phases: int = 3) -> Evse:
    for _ in range(20):
        evse = evse.step(0.2, limit_a=limit_a, phases=phases, energised=True)
    return evse


@given(evse=evses, moves=steps)
def test_energy_out_of_the_outlet_is_energy_in_the_vehicle(
    evse: Evse, moves: list[tuple[float, float, int, bool]]
) -> None:
    assert evse.vehicle
    stored_wh, delivered_wh = evse.vehicle.stored_wh, 0.0
    for dt_s, limit_a, phases, energised in moves:
        evse = evse.step(dt_s, limit_a=limit_a, phases=phases, energised=energised)
        delivered_wh += evse.power_w * dt_s / 3600
        assert evse.vehicle
        assert 0.0 <= evse.vehicle.soc_pct <= 100.0
        assert 0.0 <= evse.power_w <= evse.rated_w * (1 + 1e-9)
        assert sum(evse.phases_w) == pytest.approx(evse.power_w)
        assert energised or evse.power_w == 0.0
    assert evse.vehicle
    assert evse.register_wh == pytest.approx(delivered_wh)
    gained_wh = evse.vehicle.stored_wh - stored_wh
    assert gained_wh == pytest.approx(delivered_wh * evse.vehicle.efficiency, rel=1e-6, abs=1e-3)


@given(evse=evses, limit_a=st.floats(0.0, 80.0), phases=st.integers(1, 3))
def test_after_the_ramp_no_limit_is_passed(evse: Evse, limit_a: float, phases: int) -> None:
    evse = settled(settled(evse, 80.0), limit_a, phases)
    assert evse.current_a <= min(limit_a, evse.rated_a) + 1e-9
    assert evse.phases_in_use <= phases


@pytest.mark.parametrize(
    ("limit_a", "current_a"), [(16.0, 16.0), (10.0, 10.0), (6.0, 6.0), (5.9, 0.0), (0.0, 0.0)]
)
def test_ac_vehicle_takes_six_ampere_or_nothing(limit_a: float, current_a: float) -> None:
    assert settled(Evse(rated_a=32, vehicle=vehicle()), limit_a).current_a == pytest.approx(
        current_a
    )


def test_dc_outlet_knows_no_floor() -> None:
    evse = Evse(rated_a=125, dc=True, vehicle=vehicle(max_dc_w=80_000.0))
    assert settled(evse, 3.0).power_w == pytest.approx(3 * 690)


def test_a_single_phase_vehicle_loads_one_phase() -> None:
    evse = Evse(rated_a=32, first_phase=2, vehicle=vehicle(phases=1))
    l1, l2, l3 = settled(evse, 16.0).phases_w
    assert (l1, l3) == (0.0, 0.0)
    assert l2 == pytest.approx(16 * 230)


def test_power_follows_within_a_second_and_not_at_once() -> None:
    evse = Evse(rated_a=32, vehicle=vehicle(max_ac_w=22_080.0))
    first = evse.step(0.2, limit_a=32, phases=3, energised=True)
    assert 0 < first.current_a < 32
    assert settled(evse, 32).current_a == pytest.approx(32)


def test_taper_falls_with_the_missing_charge_and_ends() -> None:
    full_w = vehicle(soc_pct=50.0).acceptance_w()
    assert vehicle(soc_pct=92.5).acceptance_w() == pytest.approx(full_w / 2)
    assert vehicle(soc_pct=99.95).acceptance_w() == 0.0


def test_a_vehicle_fills_in_finite_time() -> None:
    evse = Evse(rated_a=32, vehicle=vehicle(soc_pct=95.0))
    for _ in range(600):
        evse = evse.step(60.0, limit_a=32, phases=3, energised=True)
    assert evse.vehicle
    assert evse.vehicle.soc_pct >= 99.9
    assert evse.power_w == 0.0
