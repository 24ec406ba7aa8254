"""The grid, the building's day, and meters that are wrong."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depot_sim.physics.building import Building, Step
from depot_sim.physics.drift import Drift
from depot_sim.physics.grid import DEAD, Grid
from depot_sim.physics.instrument import RIGHT, Instrument
from depot_sim.physics.plant import Plant, reactive

DRIFT = Drift.seeded("grid", 300.0)
watts = st.floats(-200_000, 200_000)
factors = st.tuples(*[st.sampled_from([1.0, -1.0, 0.1, -10.0])] * 3)


@given(now_s=st.floats(0, 1e6))
def test_the_grid_wanders_within_its_bounds(now_s: float) -> None:
    supply = Grid(drift=DRIFT, wander_hz=0.05, wander_v=4.0).supply(now_s)
    assert 49.95 <= supply.frequency_hz <= 50.05
    assert 226.0 <= supply.voltage_v <= 234.0


def test_import_lowers_the_voltage_and_export_raises_it() -> None:
    grid = Grid(drift=DRIFT, impedance_ohm=0.1)
    supply = grid.supply(0.0, beside_hz=-0.3)
    assert supply.frequency_hz == pytest.approx(49.7)
    assert grid.at_the_meter_v(supply, (23_000.0, 0.0, -23_000.0)) == (220.0, 230.0, 240.0)
    assert grid.at_the_meter_v(DEAD, (1.0, 1.0, 1.0)) == (0.0, 0.0, 0.0)


def test_reactive_load_makes_current_without_power() -> None:
    plant = Plant(phases_w=(2_300.0, 0.0, 0.0), phases_var=reactive((2_300.0, 0.0, 0.0), 0.8))
    assert plant.phases_a[0] == pytest.approx(10 / 0.8)
    assert plant.power_factor == pytest.approx(0.8)
    assert Plant().power_factor == 1.0
    assert Plant(phases_v=(0.0, 0.0, 0.0)).phases_a == (0.0, 0.0, 0.0)


def building(**more: object) -> Building:
    return Building(base_w=10_000, swing_w=0, use=DRIFT, **more)  # type: ignore[arg-type]


def test_a_building_has_a_day() -> None:
    day = building(shape=(0.5, 0.5, 1.5, 1.0), begin_s=6 * 3600.0)
    assert day.power_w(0.0) == pytest.approx(5_000)
    assert day.power_w(6 * 3600) == pytest.approx(15_000)
    assert day.power_w(9 * 3600) == pytest.approx(12_500)
    assert day.power_w(86_400) == pytest.approx(5_000)


def test_loads_come_on_and_come_again() -> None:
    compressor = Step(at_s=10, for_s=5, power_w=6_000, every_s=60)
    lift = Step(at_s=0, for_s=1, power_w=2_000, phases=1, first_phase=2)
    shop = building(steps=(compressor, lift))
    seen = [shop.power_w(now_s) for now_s in (0.5, 5.0, 12.0, 15.0, 72.0)]
    assert seen == pytest.approx([12_000, 10_000, 16_000, 10_000, 16_000])
    assert shop.phases_w(0.5)[1] == pytest.approx(3_400 + 2_000)
    assert sum(shop.phases_w(12.0)) == pytest.approx(shop.power_w(12.0))


@given(
    moves=st.lists(
        st.tuples(st.floats(0.05, 900), st.tuples(watts, watts, watts), factors), max_size=20
    )
)
def test_a_wrong_meter_counts_what_it_believes_and_never_backwards(
    moves: list[tuple[float, tuple[float, float, float], tuple[float, float, float]]],
) -> None:
    plant, meter, believed_wh = Plant(), Instrument(), 0.0
    for dt_s, flow, wrong in moves:
        before = meter.shows(plant)
        plant = plant.step(dt_s, [flow])
        meter = meter.step(dt_s, plant, wrong)
        shown = meter.shows(plant)
        believed_w = sum(power_w * factor for power_w, factor in zip(flow, wrong, strict=True))
        believed_wh += believed_w * dt_s / 3600
        assert shown.power_w == pytest.approx(believed_w, abs=1e-6)
        assert shown.import_wh >= before.import_wh - 1e-6
        assert shown.export_wh >= before.export_wh - 1e-6
        assert math.isclose(shown.import_wh - shown.export_wh, believed_wh, abs_tol=1e-3)


def test_a_right_meter_shows_the_plant() -> None:
    plant = Plant(phases_w=(1.0, 2.0, 3.0), import_wh=7.0)
    assert Instrument().step(5.0, plant, RIGHT).shows(plant) == plant
