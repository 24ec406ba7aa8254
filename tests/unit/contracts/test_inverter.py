"""What an inverter can be told, and what it cannot."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from contracts.inverter import (
    MAX_POINTS,
    Curve,
    CurveKind,
    FixedPowerFactor,
    FixedVar,
    FrequencyDroop,
    InverterFunction,
    Point,
    Reference,
    slot,
)

ORIGIN = Point(x=0, y=0)
DROOP = FrequencyDroop(
    over_dead_band_hz=0.03,
    under_dead_band_hz=0.03,
    over_slope=0.05,
    under_slope=0.05,
    response_s=5.0,
)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Point(x=math.nan, y=0), "x: nan"),
        (lambda: Point(x=0, y=math.inf), "y: inf"),
        (lambda: Curve(kind=CurveKind.VOLT_VAR, points=()), "how many: 0"),
        (lambda: Curve(kind=CurveKind.VOLT_VAR, points=(ORIGIN,) * (MAX_POINTS + 1)), "many: 11"),
        (lambda: Curve(kind=CurveKind.VOLT_VAR, points=(ORIGIN,), response_s=-1), "response_s"),
        (
            lambda: FixedPowerFactor(power_factor=0, absorbs_var=True, while_="injecting"),
            "power_factor: 0 is outside 0.001 to 1",
        ),
        (lambda: FixedVar(percent=101, reference=Reference.MAX_W), "percent: 101"),
        (lambda: FixedVar(percent=10), "either percent with its reference, or var"),
        (FixedVar, "either percent with its reference, or var"),
        (
            lambda: FixedVar(percent=10, reference=Reference.MAX_W, var=5),
            "either percent with its reference, or var",
        ),
    ],
)
def test_what_no_inverter_can_do_is_refused(
    make: Callable[[], InverterFunction], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        make()


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (Curve(kind=CurveKind.HV_MAY_TRIP, points=(ORIGIN,)), "hv_may_trip"),
        (
            FixedPowerFactor(power_factor=1, absorbs_var=False, while_="absorbing"),
            "power_factor_absorbing",
        ),
        (FixedVar(var=-500.0), "fixed_var"),
        (DROOP, "frequency_droop"),
    ],
)
def test_each_function_has_a_slot_of_its_own(function: InverterFunction, expected: str) -> None:
    assert slot(function) == expected
