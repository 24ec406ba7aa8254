"""Register images: resolution, range, and who may write where."""

from __future__ import annotations

import pytest

from depot_sim.sunspec.image import BASE_ADDRESS, Image, scale_for

CONTROLS = {123: {"WMaxLimPct_SF": -1, "OutPFSet_SF": -3, "WMaxLimPct": 100.0}}
METER = {203: {"W_SF": 1, "A_SF": -1}}


@pytest.mark.parametrize(
    ("full_scale", "scale"),
    [(30, -3), (32.768, -2), (230, -2), (32_767, 0), (32_768, 1), (317_400, 1), (4_000_000, 3)],
)
def test_the_finest_scale_that_fits(full_scale: float, scale: int) -> None:
    assert scale_for(full_scale) == scale


def test_it_begins_with_the_marker_and_ends_with_the_end() -> None:
    registers = Image(METER).registers
    assert registers[:4] == [0x5375, 0x6E53, 203, 105]
    assert registers[-2:] == [0xFFFF, 0]


@pytest.mark.parametrize(
    ("power_w", "raw"),
    [(12_344, 1234), (-12_344, -1234), (1e9, 32_767), (-1e9, -32_767), (0, 0)],
)
def test_a_value_is_rounded_and_bounded(power_w: float, raw: int) -> None:
    image = Image(METER)
    image.put(203, "W", power_w)
    assert image.registers[image.address_of(203, "W") - BASE_ADDRESS] == raw % 2**16
    assert image.get(203, "W") == raw * 10


def test_what_is_not_put_is_not_implemented() -> None:
    image = Image(METER)
    assert image.registers[image.address_of(203, "WphA") - BASE_ADDRESS] == 0x8000
    assert image.get(203, "WphA") == 0


def test_written_registers_are_read_back_as_points() -> None:
    image = Image(CONTROLS)
    limit = image.address_of(123, "WMaxLimPct")
    image.write(limit, [255, 0, 60])
    assert image.get(123, "WMaxLimPct") == 25.5
    assert image.get(123, "WMaxLimPct_RvrtTms") == 60


def test_only_controls_are_writable() -> None:
    image = Image(CONTROLS)
    limit = image.address_of(123, "WMaxLimPct")
    assert image.writable(limit, 5)
    assert not image.writable(image.address_of(123, "WMaxLimPct_SF"), 1)
    assert not image.writable(image.address_of(123, "Conn_WinTms") - 1, 2)
    assert not image.writable(BASE_ADDRESS - 1, 1)
