"""Modes that inverters follow by themselves, as `contracts.inverter` has them.

==============================  ==================================================================
opModVoltVar, opModWattVar      `Curve`; y is percent of what yRefType says, injecting positive
opModVoltWatt                   `Curve`; y is percent of setMaxW
opModHVRT..., opModLVRT...      `Curve` of duration in s and percent of the nominal voltage
opModHFRT..., opModLFRT...      `Curve` of duration in s and Hz
opModFixedPFInjectW,            `FixedPowerFactor`; excitation true absorbs reactive power
opModFixedPFAbsorbW
opModFixedVar                   `FixedVar` in percent, from hundredths
opModTargetVar                  `FixedVar` in var
opModFreqDroop                  `FrequencyDroop`; dead bands from mHz, slopes from thousandths
==============================  ==================================================================

Both sides count as a producer does, so that no sign changes here. Which of them there are, the
device's `inverter_modes` says. `opModFreqWatt` and `opModWattPF` are never among them: no SunSpec
model 700 to 712 takes such a curve (711 has the droop instead), so they are always answered 252.
A curve's ramps (rampDecTms, rampIncTms, rampPT1Tms) have no place there either and are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

from contracts.inverter import (
    MAX_POINTS,
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
from contracts.sep2.codes import CurveType, UnitRef
from contracts.sep2.resources import DERCurve, FreqDroop, PowerFactorWithExcitation, Scaled
from gateway.utility.sep2.refusals import invalid, not_applicable
from gateway.utility.sep2.settings import DeviceSettings

UNCARRIED = frozenset({"opModFreqWatt", "opModWattPF"})
"""Curves without a SunSpec model 700 to 712."""
_HUNDREDTHS = 100
_THOUSANDTHS = 1000


def function_of(mode: str, value: object, device: DeviceSettings) -> InverterFunction:
    """What the inverters behind the device are to do.

    Raises:
        UnusableModeError: 252, they have no such mode; 253, the value or curve is out of range or
            cannot be read.
    """
    if mode in UNCARRIED:
        raise not_applicable("no SunSpec model 700 to 712 carries such a curve")
    if mode not in device.inverter_modes:
        raise not_applicable("the inverters are not known to have it")
    try:
        return INVERTER_MODES[mode](value, device)
    except ValueError as error:
        raise invalid(str(error)) from None


# --- values without a curve ---------------------------------------------------------------------


def _inject_factor(value: object, device: DeviceSettings) -> InverterFunction:
    factor = _power_factor(value)
    return FixedPowerFactor(
        power_factor=factor.number,
        absorbs_var=factor.excitation,
        while_="injecting",
        on=_inverters(device),
    )


def _absorb_factor(value: object, device: DeviceSettings) -> InverterFunction:
    factor = _power_factor(value)
    return FixedPowerFactor(
        power_factor=factor.number,
        absorbs_var=factor.excitation,
        while_="absorbing",
        on=_inverters(device),
    )


def _power_factor(value: object) -> PowerFactorWithExcitation:
    if not isinstance(value, PowerFactorWithExcitation):
        raise invalid("no power factor")
    return value


def _fixed_var(value: object, device: DeviceSettings) -> InverterFunction:
    if not isinstance(value, resources.FixedVar):
        raise invalid("no percentage of reactive power")
    if value.ref_type not in _VAR:
        raise invalid(f"refType {value.ref_type} is no base of reactive power")
    percent = value.value / _HUNDREDTHS
    return FixedVar(percent=percent, reference=_VAR[value.ref_type], on=_inverters(device))


def _target_var(value: object, device: DeviceSettings) -> InverterFunction:
    if not isinstance(value, Scaled):
        raise invalid("no reactive power in var")
    ratings = device.ratings
    down = ratings.rtg_max_var_neg or ratings.rtg_max_var
    most_var = ratings.rtg_max_var if value.number >= 0 else down
    if most_var is not None and abs(value.number) > most_var:
        raise invalid(f"{value.number:g} var is beyond the rating of {most_var:g} var")
    return FixedVar(var=value.number, on=_inverters(device))


def _droop(value: object, device: DeviceSettings) -> InverterFunction:
    if not isinstance(value, FreqDroop):
        raise invalid("no droop")
    return FrequencyDroop(
        over_dead_band_hz=value.d_bof / _THOUSANDTHS,
        under_dead_band_hz=value.d_buf / _THOUSANDTHS,
        over_slope=value.k_of / _THOUSANDTHS,
        under_slope=value.k_uf / _THOUSANDTHS,
        response_s=value.open_loop_tms.total_seconds(),
        on=_inverters(device),
    )


def _inverters(device: DeviceSettings) -> Inverters:
    """Which inverters the EndDevice stands for; generation with a discharge rating is both."""
    match device.scope:
        case "storage":
            return Inverters.STORAGE
        case "generation" if device.ratings.rtg_max_discharge_rate_w is None:
            return Inverters.GENERATION
        case _:
            return Inverters.ALL


# --- curves --------------------------------------------------------------------------------------

_References = Mapping[int, Reference | None]
"""yRefTypes a curve may have, and what they mean."""
_Range = tuple[float, float]

_VAR: _References = {
    UnitRef.SET_MAX_W: Reference.MAX_W,
    UnitRef.SET_MAX_VAR: Reference.MAX_VAR,
    UnitRef.STAT_VAR_AVAIL: Reference.AVAILABLE_VAR,
}
_WATT: _References = {UnitRef.SET_MAX_W: None}
_VOLT: _References = {UnitRef.NOT_APPLICABLE: None, UnitRef.SET_EFFECTIVE_V: None}
_HERTZ: _References = {UnitRef.NOT_APPLICABLE: None}

_VOLT_PCT: _Range = (0, 200)
_PCT: _Range = (-100, 100)
_SECONDS: _Range = (0, 1e6)
_HZ: _Range = (40, 70)
"""No network has another frequency; what is written in other units shows."""


@dataclass(frozen=True, slots=True)
class _CurveMode:
    """What a curve must be for a mode to follow it."""

    kind: CurveKind
    curve_type: CurveType
    x: _Range
    y: _Range
    references: _References
    rises: bool = False
    """x never falls from one point to the next."""

    def __call__(self, value: object, device: DeviceSettings) -> InverterFunction:
        if not isinstance(value, DERCurve):
            raise invalid("its curve cannot be read")
        self._check(value)
        volt_var = self.kind is CurveKind.VOLT_VAR
        responds = self.rises and value.open_loop_tms is not None
        return Curve(
            kind=self.kind,
            points=self._points(value),
            reference=self.references[value.y_ref_type],
            response_s=_seconds(value) if responds else None,
            reference_voltage_pct=_reference_voltage_pct(value) if volt_var else None,
            autonomous_reference_s=_autonomous_s(value) if volt_var else None,
            on=_inverters(device),
        )

    def _check(self, curve: DERCurve) -> None:
        if curve.curve_type != self.curve_type:
            raise invalid(f"a curve of curveType {curve.curve_type}, not {self.curve_type:d}")
        if curve.y_ref_type not in self.references:
            raise invalid(f"yRefType {curve.y_ref_type} does not fit such a curve")
        count = len(curve.curve_data)
        if not 1 <= count <= MAX_POINTS:
            raise invalid(f"a curve of {count} points, not 1 to {MAX_POINTS}")

    def _points(self, curve: DERCurve) -> tuple[Point, ...]:
        points = tuple(
            Point(
                x=Scaled(value=one.x_value, multiplier=curve.x_multiplier).number,
                y=Scaled(value=one.y_value, multiplier=curve.y_multiplier).number,
            )
            for one in curve.curve_data
        )
        for point in points:
            _within("x", point.x, self.x)
            _within("y", point.y, self.y)
        if self.rises and any(b.x < a.x for a, b in pairwise(points)):
            raise invalid("the points of the curve are not in order")
        return points


def _seconds(curve: DERCurve) -> float | None:
    return None if curve.open_loop_tms is None else curve.open_loop_tms.total_seconds()


def _reference_voltage_pct(curve: DERCurve) -> float | None:
    return None if curve.v_ref is None else curve.v_ref / _HUNDREDTHS


def _autonomous_s(curve: DERCurve) -> float | None:
    if not curve.autonomous_v_ref_enable:
        return None
    if curve.autonomous_v_ref_time_constant is None:
        raise invalid("autonomousVRefEnable without autonomousVRefTimeConstant")
    return curve.autonomous_v_ref_time_constant.total_seconds()


def _within(name: str, value: float, limits: _Range) -> None:
    low, high = limits
    if not low <= value <= high:
        raise invalid(f"{name} of a point is {value:g}, outside {low:g} to {high:g}")


# --- the table -----------------------------------------------------------------------------------


def _voltage(kind: CurveKind, curve_type: CurveType) -> _CurveMode:
    return _CurveMode(kind, curve_type, _SECONDS, _VOLT_PCT, _VOLT)


def _frequency(kind: CurveKind, curve_type: CurveType) -> _CurveMode:
    return _CurveMode(kind, curve_type, _SECONDS, _HZ, _HERTZ)


INVERTER_MODES: Mapping[str, Callable[[object, DeviceSettings], InverterFunction]] = (
    MappingProxyType(
        {
            "opModFixedPFAbsorbW": _absorb_factor,
            "opModFixedPFInjectW": _inject_factor,
            "opModFixedVar": _fixed_var,
            "opModFreqDroop": _droop,
            "opModHFRTMayTrip": _frequency(CurveKind.HF_MAY_TRIP, CurveType.HFRT_MAY_TRIP),
            "opModHFRTMustTrip": _frequency(CurveKind.HF_MUST_TRIP, CurveType.HFRT_MUST_TRIP),
            "opModHVRTMayTrip": _voltage(CurveKind.HV_MAY_TRIP, CurveType.HVRT_MAY_TRIP),
            "opModHVRTMomentaryCessation": _voltage(
                CurveKind.HV_MOMENTARY_CESSATION, CurveType.HVRT_MOMENTARY_CESSATION
            ),
            "opModHVRTMustTrip": _voltage(CurveKind.HV_MUST_TRIP, CurveType.HVRT_MUST_TRIP),
            "opModLFRTMayTrip": _frequency(CurveKind.LF_MAY_TRIP, CurveType.LFRT_MAY_TRIP),
            "opModLFRTMustTrip": _frequency(CurveKind.LF_MUST_TRIP, CurveType.LFRT_MUST_TRIP),
            "opModLVRTMayTrip": _voltage(CurveKind.LV_MAY_TRIP, CurveType.LVRT_MAY_TRIP),
            "opModLVRTMomentaryCessation": _voltage(
                CurveKind.LV_MOMENTARY_CESSATION, CurveType.LVRT_MOMENTARY_CESSATION
            ),
            "opModLVRTMustTrip": _voltage(CurveKind.LV_MUST_TRIP, CurveType.LVRT_MUST_TRIP),
            "opModTargetVar": _target_var,
            "opModVoltVar": _CurveMode(
                CurveKind.VOLT_VAR, CurveType.VOLT_VAR, _VOLT_PCT, _PCT, _VAR, rises=True
            ),
            "opModVoltWatt": _CurveMode(
                CurveKind.VOLT_WATT, CurveType.VOLT_WATT, _VOLT_PCT, _PCT, _WATT, rises=True
            ),
            "opModWattVar": _CurveMode(
                CurveKind.WATT_VAR, CurveType.WATT_VAR, _PCT, _PCT, _VAR, rises=True
            ),
        }
    )
)
"""Every `settings.InverterMode`, and how it is read."""
