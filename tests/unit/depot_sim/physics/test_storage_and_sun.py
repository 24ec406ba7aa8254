"""Battery, PV, building, plant and leases: bounds, balances, repeatability."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot_sim.physics.battery import Battery
from depot_sim.physics.building import Building
from depot_sim.physics.drift import Drift
from depot_sim.physics.lease import Lease
from depot_sim.physics.phases import spread
from depot_sim.physics.plant import Plant
from depot_sim.physics.pv import Pv
from depot_sim.physics.sky import DriftingSky

watts = st.floats(-200_000, 200_000)
durations = st.floats(0.05, 900.0)
flows = st.tuples(watts, watts, watts)


@given(
    soc_pct=st.floats(0, 100),
    efficiency=st.floats(0.7, 1.0),
    moves=st.lists(st.tuples(durations, watts), max_size=40),
)
def test_battery_keeps_its_energy_and_its_bounds(
    soc_pct: float, efficiency: float, moves: list[tuple[float, float]]
) -> None:
    battery = Battery(
        capacity_wh=50_000,
        max_charge_w=25_000,
        max_discharge_w=30_000,
        soc_pct=soc_pct,
        efficiency=efficiency,
    )
    begun_wh = battery.stored_wh
    for dt_s, setpoint_w in moves:
        battery = battery.step(dt_s, setpoint_w=setpoint_w)
        assert -30_000 <= battery.power_w <= 25_000
        assert 0.0 <= battery.soc_pct <= 100.0
        assert battery.power_w * setpoint_w >= 0.0
    expected_wh = battery.charged_wh * efficiency - battery.discharged_wh / efficiency
    assert battery.stored_wh - begun_wh == pytest.approx(expected_wh, rel=1e-6, abs=1e-3)


def test_an_empty_battery_gives_nothing_and_a_full_one_takes_nothing() -> None:
    battery = Battery(capacity_wh=1e4, max_charge_w=5e3, max_discharge_w=5e3, soc_pct=0.0)
    assert battery.step(1.0, setpoint_w=-5e3).power_w == 0.0
    assert battery.step(1e5, setpoint_w=5e3).step(1.0, setpoint_w=5e3).power_w == pytest.approx(0)


@given(seed=st.text(max_size=8), now_s=st.floats(0, 1e7))
def test_drift_is_bounded_and_repeats(seed: str, now_s: float) -> None:
    value = Drift.seeded(seed, 300.0).at(now_s)
    assert -1.0 <= value <= 1.0
    assert value == Drift.seeded(seed, 300.0).at(now_s)


def test_drift_differs_by_seed_and_moves_slowly() -> None:
    one, other = Drift.seeded("a", 300.0), Drift.seeded("b", 300.0)
    assert one.at(50.0) != other.at(50.0)
    assert abs(one.at(50.2) - one.at(50.0)) < 0.02


@given(now_s=st.floats(0, 1e6), limit_w=st.none() | st.floats(0, 80_000), dt_s=durations)
def test_pv_never_exceeds_sky_rating_or_limit(
    now_s: float, limit_w: float | None, dt_s: float
) -> None:
    pv = Pv(
        rated_w=50_000, sky=DriftingSky(clearness=0.8, swing=0.5, drift=Drift.seeded("sky", 300.0))
    )
    after = pv.step(now_s, dt_s, limit_w=limit_w)
    assert -50_000 <= after.power_w <= 0.0
    assert -after.power_w <= after.available_w
    assert limit_w is None or -after.power_w <= limit_w
    assert after.generated_wh == pytest.approx(-after.power_w * dt_s / 3600)


@given(now_s=st.floats(0, 1e6))
def test_building_stays_within_its_swing(now_s: float) -> None:
    building = Building(base_w=10_000, swing_w=3_000, use=Drift.seeded("use", 300.0))
    assert 7_000 <= building.power_w(now_s) <= 13_000
    assert sum(building.phases_w(now_s)) == pytest.approx(building.power_w(now_s))


@given(moves=st.lists(st.tuples(durations, st.lists(flows, max_size=5)), max_size=20))
def test_the_meter_is_the_sum_and_its_registers_balance(
    moves: list[tuple[float, list[tuple[float, float, float]]]],
) -> None:
    plant, net_wh = Plant(), 0.0
    for dt_s, connected in moves:
        before = plant
        plant = plant.step(dt_s, connected)
        total_w = sum(sum(flow) for flow in connected)
        net_wh += total_w * dt_s / 3600
        assert plant.power_w == pytest.approx(total_w, abs=1e-6)
        assert plant.import_wh >= before.import_wh
        assert plant.export_wh >= before.export_wh
    assert plant.import_wh - plant.export_wh == pytest.approx(net_wh, abs=1e-3)


@given(power_w=watts, phases=st.integers(1, 3), first=st.integers(1, 3))
def test_spread_loses_nothing(power_w: float, phases: int, first: int) -> None:
    shares = spread(power_w, phases, first)
    assert sum(shares) == pytest.approx(power_w)
    assert sum(share != 0 for share in shares) == (phases if power_w / phases else 0)
    assert shares[first - 1] == power_w / phases


def test_current_is_a_magnitude() -> None:
    plant = Plant().step(1.0, [(2300.0, -4600.0, 0.0)])
    assert plant.phases_a == pytest.approx((10.0, 20.0, 0.0))


@pytest.mark.parametrize(
    ("now_s", "value", "remaining_s"), [(0.0, 5.0, 10.0), (9.9, 5.0, 0.1), (10.0, 0.0, 0.0)]
)
def test_a_lease_lapses_to_its_fallback(now_s: float, value: float, remaining_s: float) -> None:
    lease = Lease(value=5.0, expires_s=10.0, fallback=0.0)
    assert lease.at(now_s) == value
    assert lease.remaining_s(now_s) == pytest.approx(remaining_s)


def test_a_lease_without_end_stays() -> None:
    lease = Lease(value=5.0, fallback=0.0)
    assert lease.at(1e9) == 5.0
    assert lease.remaining_s(1e9) == 0.0
