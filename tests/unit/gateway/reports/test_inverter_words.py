"""What inverters are told, as people read it."""

from __future__ import annotations

import pytest

from contracts.inverter import (
    Curve,
    CurveKind,
    FixedPowerFactor,
    FixedVar,
    FrequencyDroop,
    InverterFunction,
    Inverters,
    Point,
    Reference,
)
from gateway.reports.inverter_words import function_in_words


def curve(kind: CurveKind, count: int, on: Inverters = Inverters.ALL) -> Curve:
    points = tuple(Point(x=float(n), y=50.0) for n in range(count))
    return Curve(kind=kind, points=points, on=on)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (curve(CurveKind.VOLT_VAR, 4), "volt-var curve, 4 points"),
        (curve(CurveKind.HF_MAY_TRIP, 1), "high-frequency ride-through curve, 1 point"),
        (
            curve(CurveKind.LV_MUST_TRIP, 2, Inverters.STORAGE),
            "low-voltage trip curve, 2 points (storage alone)",
        ),
        (
            FixedPowerFactor(power_factor=0.95, absorbs_var=True, while_="injecting"),
            "power factor 0.95 absorbing var while delivering power",
        ),
        (
            FixedPowerFactor(
                power_factor=1.0, absorbs_var=False, while_="absorbing", on=Inverters.GENERATION
            ),
            "power factor 1 injecting var while taking power (generation alone)",
        ),
        (FixedVar(var=12_500.0), "inject 12.5 kvar"),
        (
            FixedVar(percent=-44.0, reference=Reference.MAX_VAR),
            "absorb 44 % of the maximum reactive power",
        ),
        (
            FrequencyDroop(
                over_dead_band_hz=0.036,
                under_dead_band_hz=0.017,
                over_slope=0.05,
                under_slope=0.03,
                response_s=5.0,
            ),
            "frequency droop, 5 % above 0.036 Hz too much, 3 % below 0.017 Hz too little",
        ),
    ],
)
def test_words(function: InverterFunction, words: str) -> None:
    assert function_in_words(function) == words


def test_every_kind_of_curve_has_a_name_of_its_own() -> None:
    assert len({function_in_words(curve(kind, 1)) for kind in CurveKind}) == len(CurveKind)
