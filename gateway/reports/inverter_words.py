"""What inverters are told to do by themselves, as people read it: "volt-var curve, 4 points"."""

from __future__ import annotations

from contracts.inverter import (
    Curve,
    CurveKind,
    FixedPowerFactor,
    FixedVar,
    FrequencyDroop,
    InverterFunction,
    Inverters,
    Reference,
)
from gateway.reports import words

_KINDS = {
    CurveKind.VOLT_VAR: "volt-var",
    CurveKind.VOLT_WATT: "volt-watt",
    CurveKind.WATT_VAR: "watt-var",
    CurveKind.HV_MUST_TRIP: "high-voltage trip",
    CurveKind.HV_MAY_TRIP: "high-voltage ride-through",
    CurveKind.HV_MOMENTARY_CESSATION: "high-voltage momentary cessation",
    CurveKind.LV_MUST_TRIP: "low-voltage trip",
    CurveKind.LV_MAY_TRIP: "low-voltage ride-through",
    CurveKind.LV_MOMENTARY_CESSATION: "low-voltage momentary cessation",
    CurveKind.HF_MUST_TRIP: "high-frequency trip",
    CurveKind.HF_MAY_TRIP: "high-frequency ride-through",
    CurveKind.LF_MUST_TRIP: "low-frequency trip",
    CurveKind.LF_MAY_TRIP: "low-frequency ride-through",
}
_REFERENCES = {
    Reference.MAX_W: "the maximum power",
    Reference.MAX_VAR: "the maximum reactive power",
    Reference.AVAILABLE_VAR: "the reactive power available",
}
_WHOSE = {
    Inverters.ALL: "",
    Inverters.GENERATION: " (generation alone)",
    Inverters.STORAGE: " (storage alone)",
}


def function_in_words(function: InverterFunction) -> str:
    """One function with its numbers, and whose it is where it is not for all inverters."""
    return f"{_what(function)}{_WHOSE[function.on]}"


def _what(function: InverterFunction) -> str:
    match function:
        case Curve():
            count = len(function.points)
            return f"{_KINDS[function.kind]} curve, {count} point{'' if count == 1 else 's'}"
        case FixedPowerFactor():
            does = "absorbing" if function.absorbs_var else "injecting"
            way = "delivering" if function.while_ == "injecting" else "taking"
            return f"power factor {function.power_factor:g} {does} var while {way} power"
        case FixedVar():
            return _fixed_var(function)
        case FrequencyDroop():
            over, under = function.over_slope * 100, function.under_slope * 100
            return (
                f"frequency droop, {over:g} % above {function.over_dead_band_hz:g} Hz too much, "
                f"{under:g} % below {function.under_dead_band_hz:g} Hz too little"
            )


def _fixed_var(function: FixedVar) -> str:
    amount = function.percent if function.var is None else function.var
    does = "absorb" if (amount or 0.0) < 0 else "inject"
    if function.var is not None:
        return f"{does} {words.number(abs(function.var) / 1000)} kvar"
    base = "" if function.reference is None else f" of {_REFERENCES[function.reference]}"
    return f"{does} {abs(amount or 0.0):g} %{base}"
