"""What a meter's registers mean, import positive."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from contracts.reading import Quality
from site_agent.devices.sunspec.meter import METERS, meter_state
from support.sunspec_image import model

AT = datetime(2026, 1, 5, tzinfo=UTC)
SCALES = {"A_SF": -1, "W_SF": 0, "TotWh_SF": 1}


def state(
    raw: Mapping[str, float], model_id: int = 203, *, invert: bool = False
) -> list[float | None]:
    """`[power, three currents, energy]` of a meter with these registers."""
    scales = SCALES if model_id < 210 else {}
    values = METERS[model_id].decode(model(model_id, **scales, **raw))
    found = meter_state(values, AT, invert=invert)
    readings = [found.power_w, *found.current_a, found.import_wh]
    for reading in readings:
        assert reading.at == AT
        assert reading.quality is (Quality.INVALID if reading.value is None else Quality.GOOD)
    return [reading.value for reading in readings]


IMPORTING = {
    "W": 6000, "WphA": 1000, "WphB": 2000, "WphC": 3000,
    "AphA": 50, "AphB": 100, "AphC": 150, "TotWhImp": 777, "TotWhExp": 888,
}  # fmt: skip
EXPORTING = IMPORTING | {"W": -6000, "WphA": -1000, "WphB": -2000, "WphC": -3000}


def test_importing() -> None:
    assert state(IMPORTING) == [6000.0, 5.0, 10.0, 15.0, 7770.0]


def test_exporting_turns_unsigned_currents() -> None:
    assert state(EXPORTING) == [-6000.0, -5.0, -10.0, -15.0, 7770.0]


def test_exported_energy_is_told_as_well() -> None:
    values = METERS[203].decode(model(203, **SCALES, **IMPORTING))
    for invert, exported_wh in ((False, 8880.0), (True, 7770.0)):
        found = meter_state(values, AT, invert=invert)
        assert found.export_wh is not None
        assert found.export_wh.value == exported_wh


def test_phases_may_flow_in_different_directions() -> None:
    assert state(IMPORTING | {"WphB": -2000})[1:4] == [5.0, -10.0, 15.0]


def test_currents_that_already_have_a_sign_are_not_turned_twice() -> None:
    signed = EXPORTING | {"AphA": -50, "AphB": -100, "AphC": -150}
    assert state(signed)[1:4] == [-5.0, -10.0, -15.0]


def test_invert_turns_power_currents_and_energy() -> None:
    assert state(EXPORTING, invert=True) == [6000.0, 5.0, 10.0, 15.0, 8880.0]
    assert state(IMPORTING, invert=True) == [-6000.0, -5.0, -10.0, -15.0, 8880.0]


def test_without_phase_powers_the_total_decides() -> None:
    registers = {"W": -6000, "AphA": 50, "AphB": 100, "AphC": 150}
    assert state(registers)[1:4] == [-5.0, -10.0, -15.0]


def test_current_without_power_counts_as_load() -> None:
    registers = IMPORTING | {"W": 0, "WphA": 0, "WphB": 0, "WphC": 0}
    assert state(registers)[:4] == [0.0, 5.0, 10.0, 15.0]


@pytest.mark.parametrize("model_id", [201, 202, 203, 204, 211, 212, 213, 214])
def test_every_meter_model_decodes(model_id: int) -> None:
    found = state({"W": 6000, "AphA": 50, "TotWhImp": 777}, model_id)
    scaled = model_id < 210
    assert found == [6000.0, 5.0 if scaled else 50.0, None, None, 7770.0 if scaled else 777.0]


def test_a_single_phase_meter_may_give_only_the_total_current() -> None:
    assert state({"W": -230, "A": 10}, 201)[1:4] == [-1.0, None, None]


@pytest.mark.parametrize(
    ("lost", "missing"),
    [("W_SF", [0]), ("A_SF", [1, 2, 3]), ("TotWh_SF", [4])],
)
def test_a_missing_scale_factor_costs_its_points_only(lost: str, missing: list[int]) -> None:
    registers = model(203, **{k: v for k, v in SCALES.items() if k != lost}, **IMPORTING)
    found = meter_state(METERS[203].decode(registers), AT, invert=False)
    readings = [found.power_w, *found.current_a, found.import_wh]
    assert [i for i, reading in enumerate(readings) if reading.value is None] == missing


def test_one_read_holds_every_point() -> None:
    assert all(codec.span <= 125 for codec in METERS.values())
