"""Autonomous inverter functions: what an inverter does by itself once it is told how.

The common words of utilities and devices: IEEE 2030.5 DER controls with curves on one side, SunSpec
models 704-712 on the other, both after IEEE 1547-2018 (5.3, 5.4, 6.4, 6.5). These are parameters of
a function, not flows, so that signs here are the producer's as in all three: injecting is positive.
Values out of range raise `ValueError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

MAX_POINTS = 10
"""Of one curve (IEEE 2030.5-2018, DERCurve)."""
MAX_FUNCTIONS = 40
"""In force at one site at one time: every kind of curve and the rest, for generation and storage
apart, with room."""
_MOST = 1e9
_LONGEST_S = 1e6


class Inverters(StrEnum):
    """Which inverters of a site a function is for."""

    ALL = "all"
    GENERATION = "generation"
    STORAGE = "storage"


class CurveKind(StrEnum):
    """What a curve relates; voltages are percent of the nominal one, frequencies Hz."""

    VOLT_VAR = "volt_var"
    """Voltage to reactive power, percent of `Curve.reference`."""
    VOLT_WATT = "volt_watt"
    """Voltage to the most active power, percent of the maximum."""
    WATT_VAR = "watt_var"
    """Active power, percent of the maximum, to reactive power, percent of `Curve.reference`."""
    HV_MUST_TRIP = "hv_must_trip"
    """Duration in s to voltage, as all that follow; those of frequency to Hz."""
    HV_MAY_TRIP = "hv_may_trip"
    HV_MOMENTARY_CESSATION = "hv_momentary_cessation"
    LV_MUST_TRIP = "lv_must_trip"
    LV_MAY_TRIP = "lv_may_trip"
    LV_MOMENTARY_CESSATION = "lv_momentary_cessation"
    HF_MUST_TRIP = "hf_must_trip"
    HF_MAY_TRIP = "hf_may_trip"
    LF_MUST_TRIP = "lf_must_trip"
    LF_MAY_TRIP = "lf_may_trip"


class Reference(StrEnum):
    """What a percentage of reactive power is a percentage of."""

    MAX_W = "max_w"
    MAX_VAR = "max_var"
    AVAILABLE_VAR = "available_var"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of a curve, in the units of its kind."""

    x: float
    y: float

    def __post_init__(self) -> None:
        _within("x", self.x, -_MOST, _MOST)
        _within("y", self.y, -_MOST, _MOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A function given by 1 to `MAX_POINTS` points, with straight lines between them."""

    function: Literal["curve"] = "curve"
    kind: CurveKind
    points: tuple[Point, ...]
    reference: Reference | None = None
    """Of y where that is reactive power."""
    response_s: float | None = None
    """Open-loop response time; None leaves the inverter's own."""
    reference_voltage_pct: float | None = None
    """Moves the curve to another voltage than the nominal one (vRef)."""
    autonomous_reference_s: float | None = None
    """Time constant of a reference voltage the inverter finds by itself; None: it does not."""
    on: Inverters = Inverters.ALL

    def __post_init__(self) -> None:
        _within("points: how many", len(self.points), 1, MAX_POINTS)
        _within("response_s", self.response_s, 0, _LONGEST_S)
        _within("reference_voltage_pct", self.reference_voltage_pct, 1, 200)
        _within("autonomous_reference_s", self.autonomous_reference_s, 0, _LONGEST_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedPowerFactor:
    """A constant power factor (IEEE 1547-2018, 5.3.2)."""

    function: Literal["power_factor"] = "power_factor"
    power_factor: float
    """Above 0, at most 1."""
    absorbs_var: bool
    """Under-excited: reactive power is absorbed."""
    while_: Literal["injecting", "absorbing"]
    """The direction of active power for which it holds."""
    on: Inverters = Inverters.ALL

    def __post_init__(self) -> None:
        _within("power_factor", self.power_factor, 0.001, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedVar:
    """Constant reactive power, percent of `reference`, or `var` where that is None (5.3.5)."""

    function: Literal["fixed_var"] = "fixed_var"
    percent: float | None = None
    reference: Reference | None = None
    var: float | None = None
    on: Inverters = Inverters.ALL

    def __post_init__(self) -> None:
        _within("percent", self.percent, -100, 100)
        _within("var", self.var, -_MOST, _MOST)
        relative = self.percent is not None and self.reference is not None
        if relative is (self.var is not None):
            raise ValueError("give either percent with its reference, or var")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequencyDroop:
    """Active power against frequency (IEEE 1547-2018, 6.5.2.7)."""

    function: Literal["frequency_droop"] = "frequency_droop"
    over_dead_band_hz: float
    under_dead_band_hz: float
    over_slope: float
    """Change of frequency per change of power, both per unit; above 0, at most 1."""
    under_slope: float
    response_s: float
    on: Inverters = Inverters.ALL

    def __post_init__(self) -> None:
        _within("over_dead_band_hz", self.over_dead_band_hz, 0, 10)
        _within("under_dead_band_hz", self.under_dead_band_hz, 0, 10)
        _within("over_slope", self.over_slope, 1e-4, 1)
        _within("under_slope", self.under_slope, 1e-4, 1)
        _within("response_s", self.response_s, 0, _LONGEST_S)


InverterFunction: TypeAlias = Curve | FixedPowerFactor | FixedVar | FrequencyDroop


def slot(function: InverterFunction) -> str:
    """What at most one function of an inverter can occupy: the newer replaces the older."""
    match function:
        case Curve():
            return function.kind.value
        case FixedPowerFactor():
            return f"{function.function}_{function.while_}"
        case FixedVar() | FrequencyDroop():
            return function.function


def _within(name: str, value: float | None, low: float, high: float) -> None:
    """Refuse what is out of range, and NaN, as `ValueError`."""
    if value is not None and not low <= value <= high:
        raise ValueError(f"{name}: {value:g} is outside {low:g} to {high:g}")
