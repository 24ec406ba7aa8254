"""Registers as numbers: bytes of real devices, all types, and hostile ones."""

import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.devices.profiles.codec import as_register, by_sign, decode, encode
from site_agent.devices.profiles.library import catalog
from site_agent.devices.profiles.schema import (
    WORDS,
    BySign,
    Defaults,
    Point,
    Register,
    Step,
    TypeName,
)

BIG = Defaults()
LITTLE = Defaults(word_order="little")
TYPES: tuple[TypeName, ...] = get_args(TypeName)
WORD = st.integers(min_value=0, max_value=0xFFFF)


def of(profile: str, point: str) -> Point:
    return catalog()[profile].points[point]


@pytest.mark.row("trap:P1")
@pytest.mark.parametrize(
    ("point", "words", "value"),
    [
        ("power_factor", [0x01B3], 0.435),
        ("power_factor", [0x7FFF], None),
        ("active_power", [0x0000, 0x0036], 0.54),
        ("active_power", [0x7FFF, 0xFFFF], None),
        ("active_power", [0xFFFF, 0xFFFF], -0.01),
        ("current_l1", [0xFFFF, 0xFFFF], None),
        ("current_l1", [0x7FFF, 0xFFFF], 21474836.47),
        ("frequency", [0xFFFF], None),
        ("export_energy", [0xFFFF] * 4, None),
    ],
)
def test_abb_a_signed_invalid_is_7fff_an_unsigned_one_ffff(
    point: str, words: list[int], value: float | None
) -> None:
    assert decode(of("abb.b23", point), words, BIG) == pytest.approx(value)


@pytest.mark.row("trap:P2")
def test_sdm230_float32_with_the_high_word_first() -> None:
    power, energy = of("eastron.sdm230", "active_power"), of("eastron.sdm230", "import_energy")
    assert decode(energy, [0x462A, 0x7521], BIG) == pytest.approx(10909.28, abs=0.005)
    assert decode(power, [0x458E, 0x3C35], BIG) == pytest.approx(4551.53, abs=0.005)
    reply = bytes.fromhex("01 04 04 46 2a 75 21 29 8c")
    words = [int.from_bytes(reply[at : at + 2], "big") for at in (3, 5)]
    assert decode(energy, words, BIG) == pytest.approx(10909.28, abs=0.005)


@pytest.mark.row("trap:P3")
def test_sma_all_ones_before_it_falls_silent_are_no_value() -> None:
    power, energy = of("sma.tripower", "active_power"), of("sma.tripower", "export_energy")
    assert decode(power, [0x0000, 0x0977], BIG) == 2423.0
    assert decode(energy, [0, 0, 0x00E1, 0x4285], BIG) == 14762629.0
    assert decode(power, [0xFFFF, 0xFFFF], BIG) is None
    assert decode(power, [0x8000, 0x0000], BIG) is None
    assert decode(energy, [0xFFFF] * 4, BIG) is None


def test_em540_32_bits_with_the_low_word_first() -> None:
    total = of("carlo-gavazzi.em540", "active_power")
    assert decode(total, [61070, 65535], LITTLE) == pytest.approx(-446.6)


@pytest.mark.parametrize(
    ("register", "words", "value"),
    [
        (Register(address=0, type="bool"), [1], 1.0),
        (Register(address=0, type="int16"), [0xFFFF], -1.0),
        (Register(address=0, type="uint16", scale=0.1, offset=-40.0), [650], 25.0),
        (Register(address=0, type="float64"), [0x4005, 0xBF0A, 0x8B14, 0x5769], math.e),
        (Register(address=0, type="float32"), [0x7FC0, 0x0000], None),
        (Register(address=0, type="float32"), [0x7F80, 0x0000], None),
        (Register(address=0, type="uint16", bits=(2, 1)), [0b0100], 1.0),
        (Register(address=0, type="uint16", bits=(4, 4)), [0x12B3], 11.0),
        (Register(address=0, type="int16", bits=(12, 4)), [0xF123], 15.0),
        (Register(address=0, type="uint16", map={3: 1.0}), [3], 1.0),
        (Register(address=0, type="uint16", map={3: 1.0}), [4], None),
        (Register(address=0, type="uint16", map={3: 1.0}, otherwise=0.0), [4], 0.0),
        (Register(address=0, type="uint16", invalid=(9, "min")), [9], None),
        (Register(address=0, type="uint16", invalid=(9, "min")), [0x8000], None),
        (Register(address=0, type="uint16", invalid=()), [0xFFFF], 65535.0),
    ],
)
def test_every_way_to_say_a_number(
    register: Register, words: list[int], value: float | None
) -> None:
    assert decode(register, words, BIG) == pytest.approx(value)


REGISTERS = st.builds(
    Register,
    address=st.just(0),
    type=st.sampled_from(TYPES),
    word_order=st.sampled_from(["big", "little", None]),
    scale=st.floats(allow_nan=False, allow_infinity=False).filter(bool),
    offset=st.floats(allow_nan=False, allow_infinity=False),
)


@given(REGISTERS, st.data())
def test_no_content_of_registers_crashes_it(register: Register, data: st.DataObject) -> None:
    count = WORDS[register.type]
    value = decode(register, data.draw(st.lists(WORD, min_size=count, max_size=count)), BIG)
    assert value is None or math.isfinite(value)


@given(st.sampled_from(sorted(catalog())), st.data())
def test_no_content_crashes_any_register_that_comes_with_us(name: str, data: st.DataObject) -> None:
    profile = catalog()[name]
    for point in profile.points.values():
        for register in (point, *point.plus):
            count = WORDS[register.type]
            words = data.draw(st.lists(WORD, min_size=count, max_size=count))
            value = decode(register, words, profile.defaults)
            assert value is None or math.isfinite(value)


STEPS = st.builds(
    Step,
    address=st.just(0),
    type=st.sampled_from([one for one in TYPES if one != "bool"]),
    put=st.just("value"),
    scale=st.floats(allow_nan=False, allow_infinity=False).filter(bool),
    offset=st.floats(allow_nan=False, allow_infinity=False),
)


@given(STEPS, st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_can_be_written_somehow(step: Step, number: float) -> None:
    words = encode(step, number, BIG)
    assert len(words) == WORDS[step.type]
    assert all(0 <= word <= 0xFFFF for word in words)


@given(
    st.sampled_from(["int16", "int32", "int64"]),
    st.sampled_from([BIG, LITTLE]),
    st.integers(min_value=-3000, max_value=3000),
)
def test_what_is_written_reads_back(type_: TypeName, defaults: Defaults, tenths: int) -> None:
    step = Step(address=0, type=type_, put="value", scale=0.1)
    words = encode(step, tenths / 10, defaults)
    assert decode(as_register(step), words, defaults) == pytest.approx(tenths / 10)


def test_numbers_are_cut_to_the_range_and_the_type() -> None:
    percent = Step(address=0, type="uint16", put="value", scale=0.1, range=(0.0, 100.0))
    assert encode(percent, 130.0, BIG) == (1000,)
    assert encode(Step(address=0, type="int16", put="value"), 1e9, BIG) == (0x7FFF,)
    assert encode(Step(address=0, type="uint16", put="value"), -5.0, BIG) == (0,)
    assert encode(Step(address=0, type="bool", table="coil", put="value"), 1.0, BIG) == (1,)


def test_a_word_by_the_sign_of_the_setpoint() -> None:
    words = BySign(positive=1.0, negative=2.0, zero=3.0)
    assert [by_sign(words, value) for value in (5.0, -5.0, 0.0)] == [1.0, 2.0, 3.0]
