"""Functions in the words of SunSpec's curves: points of one `Crv` or `Ctl` by their path.

Signs need no flipping: here both sides count injected reactive power positive. What a model has no
point for is part of no curve and left out: a response time of watt-var (712) or of trips (707-710).
What it has a point for, but this inverter lacks, is refused when it is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.errors import PermanentError
from contracts.inverter import (
    Curve,
    CurveKind,
    FixedPowerFactor,
    FixedVar,
    FrequencyDroop,
    InverterFunction,
    Point,
    Reference,
)

Numbers = Mapping[str, float]
"""Numbers by the path of their point, in the unit of its definition."""

_DEPT_REF = {Reference.MAX_W: 0.0, Reference.MAX_VAR: 1.0, Reference.AVAILABLE_VAR: 2.0}
"""705.DeptRef, 712.DeptRef and 704.VarSetMod."""
_VARS = 4.0
"""704.VarSetMod: the setpoint is in var."""
_OF_MAXIMUM = 0.0
"""706.DeptRef: percent of the maximum active power."""
_NOMINAL_PCT = 100.0


@dataclass(frozen=True, slots=True)
class _Shape:
    """Where a curve's points go; trip curves turn x and y: their model names the limit first."""

    x: str
    y: str
    within: str = ""

    def numbers(self, points: tuple[Point, ...]) -> dict[str, float]:
        """The points and how many of them are active."""
        numbers = {f"{self.within}ActPt": float(len(points))}
        for number, point in enumerate(points, start=1):
            numbers[f"{self.within}Pt.{number}.{self.x}"] = point.x
            numbers[f"{self.within}Pt.{number}.{self.y}"] = point.y
        return numbers


_SHAPES: Mapping[CurveKind, _Shape] = {
    CurveKind.VOLT_VAR: _Shape("V", "Var"),
    CurveKind.VOLT_WATT: _Shape("V", "W"),
    CurveKind.WATT_VAR: _Shape("W", "Var"),
    CurveKind.HV_MUST_TRIP: _Shape("Tms", "V", "MustTrip."),
    CurveKind.HV_MAY_TRIP: _Shape("Tms", "V", "MayTrip."),
    CurveKind.HV_MOMENTARY_CESSATION: _Shape("Tms", "V", "MomCess."),
    CurveKind.LV_MUST_TRIP: _Shape("Tms", "V", "MustTrip."),
    CurveKind.LV_MAY_TRIP: _Shape("Tms", "V", "MayTrip."),
    CurveKind.LV_MOMENTARY_CESSATION: _Shape("Tms", "V", "MomCess."),
    CurveKind.HF_MUST_TRIP: _Shape("Tms", "Hz", "MustTrip."),
    CurveKind.HF_MAY_TRIP: _Shape("Tms", "Hz", "MayTrip."),
    CurveKind.LF_MUST_TRIP: _Shape("Tms", "Hz", "MustTrip."),
    CurveKind.LF_MAY_TRIP: _Shape("Tms", "Hz", "MayTrip."),
}

_WIDE = (Point(x=1.0, y=0.0), Point(x=200.0, y=0.0))
NEUTRAL: Mapping[int, Numbers] = {
    705: _SHAPES[CurveKind.VOLT_VAR].numbers(_WIDE),
    706: _SHAPES[CurveKind.VOLT_WATT].numbers((Point(x=1.0, y=100.0), Point(x=200.0, y=100.0))),
    711: {"DbOf": 10.0, "DbUf": 10.0},
    712: _SHAPES[CurveKind.WATT_VAR].numbers((Point(x=0.0, y=0.0), Point(x=100.0, y=0.0))),
}
"""Curves that do nothing, for an inverter to fall back to whose function was off before us."""


def curve(function: Curve | FrequencyDroop, points: int) -> dict[str, float]:
    """What a function sets in a curve with room for so many points.

    Raises:
        PermanentError: it has more points than the inverter has room for.
    """
    if isinstance(function, FrequencyDroop):
        return _droop(function)
    if len(function.points) > points:
        raise PermanentError(f"{len(function.points)} points: its curves have room for {points}")
    return _SHAPES[function.kind].numbers(function.points) | _options(function)


def optional(function: InverterFunction) -> dict[str, float]:
    """What is set where the inverter has the point, and is so anyhow where it has not."""
    if not isinstance(function, Curve) or function.kind is not CurveKind.VOLT_VAR:
        return {}
    numbers = {}
    if function.reference_voltage_pct is None:
        numbers["VRef"] = _NOMINAL_PCT
    if function.autonomous_reference_s is None:
        numbers["VRefAutoEna"] = 0.0
    return numbers


def fixed(function: FixedPowerFactor | FixedVar) -> dict[str, float]:
    """What a constant sets in 704, beside its switch."""
    if isinstance(function, FixedPowerFactor):
        group = "PFWInj" if function.while_ == "injecting" else "PFWAbs"
        return {f"{group}.PF": function.power_factor, f"{group}.Ext": float(function.absorbs_var)}
    if function.var is not None:
        return {"VarSetMod": _VARS, "VarSet": function.var}
    if function.percent is None or function.reference is None:  # its own rule says it cannot be
        raise PermanentError("neither var nor percent")
    return {"VarSetMod": _DEPT_REF[function.reference], "VarSetPct": function.percent}


def _options(function: Curve) -> dict[str, float]:
    numbers: dict[str, float] = {}
    match function.kind:
        case CurveKind.VOLT_VAR:
            if function.reference_voltage_pct is not None:
                numbers["VRef"] = function.reference_voltage_pct
            if function.autonomous_reference_s is not None:
                numbers["VRefAutoEna"] = 1.0
                numbers["VRefAutoTms"] = function.autonomous_reference_s
        case CurveKind.VOLT_WATT:
            numbers["DeptRef"] = _OF_MAXIMUM
        case _:
            pass
    if function.kind in (CurveKind.VOLT_VAR, CurveKind.WATT_VAR) and function.reference:
        numbers["DeptRef"] = _DEPT_REF[function.reference]
    if (
        function.kind in (CurveKind.VOLT_VAR, CurveKind.VOLT_WATT)
        and function.response_s is not None
    ):
        numbers["RspTms"] = function.response_s
    return numbers


def _droop(function: FrequencyDroop) -> dict[str, float]:
    return {
        "DbOf": function.over_dead_band_hz,
        "DbUf": function.under_dead_band_hz,
        "KOf": function.over_slope,
        "KUf": function.under_slope,
        "RspTms": function.response_s,
    }
