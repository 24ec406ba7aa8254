import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.sep2.resources import PowerFactor, PowerFactorWithExcitation, Scaled

INT16 = range(-(2**15), 2**15)


@pytest.mark.parametrize(
    ("number", "value", "multiplier"),
    [
        (0.0, 0, 0),
        (-0.0, 0, 0),
        (1500.0, 1500, 0),
        (32_767.0, 32_767, 0),
        (32_768.0, 3277, 1),
        (-32_768.0, -3277, 1),
        (150_000.0, 15_000, 1),
        (-2_000_000.0, -20_000, 2),
        (12.5, 125, -1),
        (0.0015, 2, -3),
        (18_250.5, 18_250, 0),
        (3.2767e13, 32_767, 9),
    ],
)
def test_the_multiplier_is_the_smallest_that_loses_least(
    number: float, value: int, multiplier: int
) -> None:
    assert Scaled.of(number) == Scaled(value=value, multiplier=multiplier)


@given(st.floats(-3.2e13, 3.2e13))
def test_what_is_made_fits_int16_and_is_near(number: float) -> None:
    made = Scaled.of(number)
    assert made.value in INT16
    assert abs(made.number - number) <= max(0.000501, abs(number) / 6500)


@given(st.integers(-32_767, 32_767), st.integers(0, 9))
def test_what_int16_can_hold_is_held_exactly(value: int, multiplier: int) -> None:
    assert Scaled.of(float(value * 10**multiplier)).number == float(value * 10**multiplier)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 1e15, -1e15])
def test_what_cannot_be_held_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match=r"quantity|too large"):
        Scaled.of(number)


def test_a_number_has_no_noise_of_its_scale() -> None:
    assert Scaled(value=3, multiplier=-1).number == 0.3
    assert Scaled(value=15_000, multiplier=1).number == 150_000.0
    assert math.isfinite(Scaled(value=2**47, multiplier=127).number)
    assert Scaled(value=1, multiplier=-128).number > 0.0


def test_power_factors_have_a_number() -> None:
    assert PowerFactor(displacement=95, multiplier=-2).number == 0.95
    with_excitation = PowerFactorWithExcitation(displacement=950, excitation=True, multiplier=-3)
    assert with_excitation.number == 0.95
