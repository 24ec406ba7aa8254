"""Every mode inverters follow by themselves: units, base, whose inverters, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

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
from contracts.sep2 import resources
from contracts.sep2.codes import CurveType
from contracts.sep2.modes import CURVE_MODES
from contracts.sep2.resources import (
    CurveData,
    CurveLink,
    DERCurve,
    FreqDroop,
    PowerFactorWithExcitation,
    Scaled,
)
from gateway.domain.der.responses import ResponseCode
from gateway.utility.sep2.curves import Setting
from gateway.utility.sep2.inverter_modes import INVERTER_MODES, UNCARRIED, function_of
from gateway.utility.sep2.mapping_modes import applicable, bounds_of, supported, words
from gateway.utility.sep2.refusals import UnusableModeError
from gateway.utility.sep2.settings import DeviceSettings, InverterMode, RatingSettings, Scope

ALL_MODES: tuple[InverterMode, ...] = get_args(InverterMode)
VOLT_VAR_POINTS = ((9200, 44), (9800, 0), (10200, 0), (10800, -44))


def device(
    scope: Scope = "site", modes: tuple[InverterMode, ...] = ALL_MODES, **ratings: float
) -> DeviceSettings:
    return DeviceSettings(
        lfdi="A" * 40,
        sites=("depot-1",),
        scope=scope,
        inverter_modes=modes,
        ratings=RatingSettings.model_validate({"rtg_max_w": 100_000.0, **ratings}),
    )


def curve(
    kind: int, *points: tuple[int, int], x: int = 0, y: int = 0, ref: int = 0, **more: Any
) -> DERCurve:
    return DERCurve(
        mrid="AA",
        curve_type=kind,
        curve_data=tuple(CurveData(x_value=a, y_value=b) for a, b in points),
        x_multiplier=x,
        y_multiplier=y,
        y_ref_type=ref,
        **more,
    )


def points(*pairs: tuple[float, float]) -> tuple[Point, ...]:
    return tuple(Point(x=x, y=y) for x, y in pairs)


VOLT_VAR = curve(11, *VOLT_VAR_POINTS, x=-2, ref=3)


def volt_var(**more: Any) -> Curve:
    at = points((92.0, 44.0), (98.0, 0.0), (102.0, 0.0), (108.0, -44.0))
    fields = {"kind": CurveKind.VOLT_VAR, "points": at, "reference": Reference.AVAILABLE_VAR}
    return Curve(**(fields | more))


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def factor(displacement: int, *, absorbs: bool, multiplier: int = -2) -> PowerFactorWithExcitation:
    return PowerFactorWithExcitation(
        displacement=displacement, excitation=absorbs, multiplier=multiplier
    )


def trip(kind: CurveKind, *pairs: tuple[float, float]) -> Curve:
    return Curve(kind=kind, points=points(*pairs))


MEANINGS: list[tuple[str, Setting, InverterFunction]] = [
    ("opModVoltVar", VOLT_VAR, volt_var()),
    (
        "opModVoltVar",
        replace(VOLT_VAR, y_ref_type=2, open_loop_tms=seconds(5.25), v_ref=10_200),
        volt_var(reference=Reference.MAX_VAR, response_s=5.25, reference_voltage_pct=102.0),
    ),
    (
        "opModVoltVar",
        replace(
            VOLT_VAR,
            y_ref_type=1,
            autonomous_v_ref_enable=True,
            autonomous_v_ref_time_constant=seconds(300),
        ),
        volt_var(reference=Reference.MAX_W, autonomous_reference_s=300.0),
    ),
    (
        "opModVoltVar",
        replace(
            VOLT_VAR,
            autonomous_v_ref_enable=False,
            autonomous_v_ref_time_constant=seconds(300),
        ),
        volt_var(),
    ),
    (
        "opModVoltWatt",
        curve(12, (106, 1000), (110, 200), y=-1, ref=1, open_loop_tms=seconds(10)),
        Curve(
            kind=CurveKind.VOLT_WATT, points=points((106.0, 100.0), (110.0, 20.0)), response_s=10.0
        ),
    ),
    (
        "opModWattVar",
        curve(14, (-1, 4), (5, 0), (10, -4), x=1, y=1, ref=2),
        Curve(
            kind=CurveKind.WATT_VAR,
            points=points((-10.0, 40.0), (50.0, 0.0), (100.0, -40.0)),
            reference=Reference.MAX_VAR,
        ),
    ),
    (
        "opModHVRTMustTrip",
        curve(5, (16, 120), (16, 110), (1300, 110), x=-2, ref=4, open_loop_tms=seconds(1)),
        trip(CurveKind.HV_MUST_TRIP, (0.16, 120.0), (0.16, 110.0), (13.0, 110.0)),
    ),
    ("opModHVRTMayTrip", curve(3, (1, 115)), trip(CurveKind.HV_MAY_TRIP, (1.0, 115.0))),
    (
        "opModHVRTMomentaryCessation",
        curve(4, (1, 111), ref=4),
        trip(CurveKind.HV_MOMENTARY_CESSATION, (1.0, 111.0)),
    ),
    (
        "opModLVRTMustTrip",
        curve(10, (200, 5), x=-2, y=1, ref=4),
        trip(CurveKind.LV_MUST_TRIP, (2.0, 50.0)),
    ),
    ("opModLVRTMayTrip", curve(8, (1, 65)), trip(CurveKind.LV_MAY_TRIP, (1.0, 65.0))),
    (
        "opModLVRTMomentaryCessation",
        curve(9, (1, 50)),
        trip(CurveKind.LV_MOMENTARY_CESSATION, (1.0, 50.0)),
    ),
    (
        "opModHFRTMustTrip",
        curve(2, (16, 6200), (30_000, 6120), x=-2, y=-2),
        trip(CurveKind.HF_MUST_TRIP, (0.16, 62.0), (300.0, 61.2)),
    ),
    ("opModHFRTMayTrip", curve(1, (299, 61)), trip(CurveKind.HF_MAY_TRIP, (299.0, 61.0))),
    (
        "opModLFRTMustTrip",
        curve(7, (16, 565), x=-2, y=-1),
        trip(CurveKind.LF_MUST_TRIP, (0.16, 56.5)),
    ),
    ("opModLFRTMayTrip", curve(6, (299, 59)), trip(CurveKind.LF_MAY_TRIP, (299.0, 59.0))),
    (
        "opModFixedPFInjectW",
        factor(95, absorbs=True),
        FixedPowerFactor(power_factor=0.95, absorbs_var=True, while_="injecting"),
    ),
    (
        "opModFixedPFAbsorbW",
        factor(1, absorbs=False, multiplier=0),
        FixedPowerFactor(power_factor=1.0, absorbs_var=False, while_="absorbing"),
    ),
    (
        "opModFixedVar",
        resources.FixedVar(ref_type=2, value=-4_450),
        FixedVar(percent=-44.5, reference=Reference.MAX_VAR),
    ),
    (
        "opModFixedVar",
        resources.FixedVar(ref_type=3, value=10_000),
        FixedVar(percent=100.0, reference=Reference.AVAILABLE_VAR),
    ),
    ("opModTargetVar", Scaled.of(-12_500), FixedVar(var=-12_500.0)),
    (
        "opModFreqDroop",
        FreqDroop(d_bof=36, d_buf=17, k_of=50, k_uf=30, open_loop_tms=seconds(5.5)),
        FrequencyDroop(
            over_dead_band_hz=0.036,
            under_dead_band_hz=0.017,
            over_slope=0.05,
            under_slope=0.03,
            response_s=5.5,
        ),
    ),
]


@pytest.mark.row("sep2:22", "csip:P29")
@pytest.mark.parametrize(("mode", "value", "function"), MEANINGS)
def test_what_a_mode_means_to_an_inverter(
    mode: str, value: Setting, function: InverterFunction
) -> None:
    assert function_of(mode, value, device()) == function
    assert bounds_of(mode, value, device()).inverter_functions == (function,)


def test_the_tables_have_every_mode_there_is_and_agree_on_the_type_of_curve() -> None:
    assert set(ALL_MODES) == INVERTER_MODES.keys() == {mode for mode, _, _ in MEANINGS}
    assert set(CURVE_MODES) - UNCARRIED < INVERTER_MODES.keys()
    names = {name.removeprefix("opMod").lower(): name for name in CURVE_MODES}
    by_type = {kind: names[kind.name.replace("_", "").lower()] for kind in CurveType}
    for mode, value, _ in MEANINGS:
        if isinstance(value, DERCurve):
            assert by_type[CurveType(value.curve_type)] == mode


def test_the_module_that_says_the_units_names_every_mode() -> None:
    source = Path(function_of.__code__.co_filename).read_text(encoding="utf-8")
    heading = source.split('"""')[1]
    stems = {mode[:9] if "RT" in mode else mode for mode in INVERTER_MODES}
    assert all(stem in heading for stem in (*stems, *UNCARRIED))


@pytest.mark.row("sep2:22", "sep2:33")
@pytest.mark.parametrize(("mode", "value", "_function"), MEANINGS)
def test_a_mode_that_was_not_declared_is_not_applicable(
    mode: str, value: Setting, _function: object
) -> None:
    others: Any = tuple(one for one in ALL_MODES if one != mode)
    for one in (device(modes=()), device(modes=others)):
        verdict = applicable(one)(mode, value)
        assert verdict is not None
        assert verdict.code is ResponseCode.NOT_APPLICABLE
        assert mode in verdict.reason
        assert mode not in supported(one)
    assert mode in supported(device())


@pytest.mark.row("sep2:22")
@pytest.mark.parametrize(("mode", "kind"), [("opModFreqWatt", 0), ("opModWattPF", 13)])
def test_curves_without_a_sunspec_model_are_never_applicable(mode: str, kind: int) -> None:
    verdict = applicable(device())(mode, curve(kind, (60, 100), ref=1))
    assert verdict is not None
    assert verdict.code is ResponseCode.NOT_APPLICABLE
    assert "SunSpec" in verdict.reason


@pytest.mark.parametrize(
    ("scope", "ratings", "on"),
    [
        ("site", {}, Inverters.ALL),
        ("site", {"rtg_max_discharge_rate_w": 1.0}, Inverters.ALL),
        ("storage", {}, Inverters.STORAGE),
        ("generation", {}, Inverters.GENERATION),
        ("generation", {"rtg_max_discharge_rate_w": 1.0}, Inverters.ALL),
    ],
)
@pytest.mark.parametrize(("mode", "value", "function"), MEANINGS)
def test_whose_inverters_they_are(
    scope: Scope,
    ratings: dict[str, float],
    on: Inverters,
    mode: str,
    value: Setting,
    function: InverterFunction,
) -> None:
    assert function_of(mode, value, device(scope, ALL_MODES, **ratings)) == replace(function, on=on)


DROOP = FreqDroop(d_bof=36, d_buf=36, k_of=50, k_uf=50, open_loop_tms=seconds(5))


@pytest.mark.row("sep2:22", "sep2:33")
@pytest.mark.parametrize(
    ("mode", "value", "says"),
    [
        ("opModVoltVar", CurveLink(href="/dc/9"), "cannot be read"),
        ("opModVoltVar", True, "cannot be read"),
        ("opModVoltVar", replace(VOLT_VAR, curve_type=12), "curveType 12, not 11"),
        ("opModVoltVar", replace(VOLT_VAR, curve_type=200), "curveType 200"),
        ("opModVoltVar", replace(VOLT_VAR, curve_data=()), "0 points"),
        ("opModVoltVar", curve(11, *((n, 0) for n in range(90, 101)), ref=3), "11 points"),
        ("opModVoltVar", replace(VOLT_VAR, y_ref_type=0), "yRefType 0"),
        ("opModVoltVar", replace(VOLT_VAR, y_ref_type=5), "yRefType 5"),
        ("opModVoltVar", replace(VOLT_VAR, y_ref_type=99), "yRefType 99"),
        ("opModVoltVar", replace(VOLT_VAR, x_multiplier=0), "x of a point is 9200"),
        ("opModVoltVar", replace(VOLT_VAR, x_multiplier=127), "x: 9.2e"),
        ("opModVoltVar", replace(VOLT_VAR, y_multiplier=1), "y of a point is 440"),
        ("opModVoltVar", curve(11, (98, 0), (92, 44), ref=3), "not in order"),
        ("opModVoltVar", replace(VOLT_VAR, v_ref=65_535), "reference_voltage_pct"),
        ("opModVoltVar", replace(VOLT_VAR, v_ref=0), "reference_voltage_pct"),
        ("opModVoltVar", replace(VOLT_VAR, autonomous_v_ref_enable=True), "TimeConstant"),
        ("opModVoltWatt", curve(12, (106, 100), ref=2), "yRefType 2"),
        ("opModVoltWatt", curve(12, (106, 101), ref=1), "y of a point is 101"),
        ("opModWattVar", curve(14, (101, 0), ref=1), "x of a point is 101"),
        ("opModHVRTMustTrip", curve(5, (1, 201)), "y of a point is 201"),
        ("opModHVRTMustTrip", curve(5, (-1, 120)), "x of a point is -1"),
        ("opModHVRTMustTrip", curve(5, (1, 120), ref=1), "yRefType 1"),
        ("opModHVRTMustTrip", curve(3, (1, 120)), "curveType 3, not 5"),
        ("opModHFRTMustTrip", curve(2, (1, 6200)), "y of a point is 6200"),
        ("opModHFRTMustTrip", curve(2, (1, 62), ref=4), "yRefType 4"),
        ("opModFixedPFInjectW", factor(0, absorbs=True), "power_factor"),
        ("opModFixedPFInjectW", factor(101, absorbs=True), "power_factor"),
        ("opModFixedPFAbsorbW", factor(95, absorbs=True, multiplier=0), "power_factor"),
        ("opModFixedPFAbsorbW", 95, "no power factor"),
        ("opModFixedVar", resources.FixedVar(ref_type=0, value=1), "refType 0"),
        ("opModFixedVar", resources.FixedVar(ref_type=2, value=10_001), "percent"),
        ("opModFixedVar", Scaled.of(5), "no percentage"),
        ("opModTargetVar", Scaled.of(30_001), "beyond the rating of 30000 var"),
        ("opModTargetVar", Scaled.of(-20_001), "beyond the rating of 20000 var"),
        ("opModTargetVar", resources.FixedVar(ref_type=2, value=5), "no reactive power"),
        ("opModFreqDroop", replace(DROOP, k_of=0), "over_slope"),
        ("opModFreqDroop", replace(DROOP, k_uf=1001), "under_slope"),
        ("opModFreqDroop", replace(DROOP, d_bof=10_001), "over_dead_band_hz"),
        ("opModFreqDroop", replace(DROOP, d_buf=2**32 - 1), "under_dead_band_hz"),
        ("opModFreqDroop", 5, "no droop"),
    ],
)
def test_what_cannot_be_followed_is_invalid(mode: str, value: Setting, says: str) -> None:
    with pytest.raises(UnusableModeError, match=says) as caught:
        bounds_of(mode, value, device(rtg_max_var=30_000.0, rtg_max_var_neg=20_000.0))
    assert caught.value.code is ResponseCode.INVALID
    assert str(caught.value).startswith(f"{mode}: ")


def test_without_a_rating_for_absorbing_that_for_injecting_bounds_both() -> None:
    with pytest.raises(UnusableModeError, match="beyond"):
        function_of("opModTargetVar", Scaled.of(-30_001), device(rtg_max_var=30_000.0))


@pytest.mark.parametrize(
    ("mode", "value", "text"),
    [
        ("opModVoltVar", VOLT_VAR, "opModVoltVar with a curve of 4 points"),
        ("opModHVRTMayTrip", curve(3, (1, 115)), "opModHVRTMayTrip with a curve of 1 point"),
        ("opModTargetVar", Scaled.of(-500), "opModTargetVar -500 var"),
    ],
)
def test_words(mode: str, value: Setting, text: str) -> None:
    assert words(mode, value) == text
