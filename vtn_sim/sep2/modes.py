"""Control modes as people write them, and as resources."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from contracts.config import Settings
from contracts.sep2.modes import CSIPAUS_MODES, CURVE_MODES, STANDARD_MODES
from contracts.sep2.resources import (
    CurveLink,
    FixedVar,
    FreqDroop,
    ModeValue,
    PowerFactorWithExcitation,
    Scaled,
)

_PERCENT_MODES = ("opModMaxLimW", "opModFixedW")
_BOOLEAN_MODES = ("opModConnect", "opModEnergize")
_POWER_FACTOR_MODES = ("opModFixedPFAbsorbW", "opModFixedPFInjectW")
_HUNDREDTHS = 100
_PF_MULTIPLIER = -3


class PowerFactorSpec(Settings):
    """A power factor."""

    power_factor: Annotated[float, Field(ge=0, le=1)]
    absorbs: bool
    """The DER absorbs reactive power (under-excited)."""


class FixedVarSpec(Settings):
    """Reactive power as a part of something."""

    percent: Annotated[float, Field(ge=-100, le=100)]
    of: Annotated[int, Field(ge=0, le=7)] = 2
    """`contracts.sep2.codes.UnitRef`: 2 is setMaxVar."""


class FreqDroopSpec(Settings):
    """Frequency droop: dead bands in Hz, slopes per unit."""

    over_hz: Annotated[float, Field(ge=0, le=10)]
    under_hz: Annotated[float, Field(ge=0, le=10)]
    over_slope: Annotated[float, Field(ge=0, le=65)]
    under_slope: Annotated[float, Field(ge=0, le=65)]
    open_loop_s: Annotated[float, Field(ge=0, le=600)] = 5.0


ModeSpec = bool | float | str | PowerFactorSpec | FixedVarSpec | FreqDroopSpec


def check_mode(name: str, spec: ModeSpec) -> None:
    """Whether a mode may be set so.

    Raises:
        ValueError: no such mode, or a value it does not take.
    """
    mode_value(name, spec, lambda curve: curve)


def mode_value(name: str, spec: ModeSpec, curve_href: Callable[[str], str]) -> ModeValue:
    """The value a DERControlBase carries; `curve_href` gives the address of a curve by name.

    Raises:
        ValueError: as `check_mode`.
    """
    if name not in STANDARD_MODES and name not in CSIPAUS_MODES:
        raise ValueError(f"unknown mode {name!r}")
    value = _value(name, spec, curve_href)
    if value is None:
        raise ValueError(f"{name} does not take {spec!r}")
    return value


def _value(name: str, spec: ModeSpec, curve_href: Callable[[str], str]) -> ModeValue | None:
    match spec:
        case bool():
            return spec if name in _BOOLEAN_MODES else None
        case str():
            return CurveLink(href=curve_href(spec)) if name in CURVE_MODES else None
        case PowerFactorSpec():
            return _power_factor(spec) if name in _POWER_FACTOR_MODES else None
        case FixedVarSpec():
            return _fixed_var(spec) if name == "opModFixedVar" else None
        case FreqDroopSpec():
            return _freq_droop(spec) if name == "opModFreqDroop" else None
        case float():
            return _number(name, spec)


def _number(name: str, number: float) -> ModeValue | None:
    """A power, or a share in hundredths of a percent."""
    if name in _PERCENT_MODES:
        low = 0.0 if name == "opModMaxLimW" else -100.0
        return round(number * _HUNDREDTHS) if low <= number <= 100.0 else None  # noqa: PLR2004 - %
    if name in CSIPAUS_MODES:
        signed = name == "opModStorageTargetW"
        return Scaled.of(number) if signed or number >= 0 else None
    return Scaled.of(number) if name in ("opModTargetW", "opModTargetVar") else None


def _power_factor(spec: PowerFactorSpec) -> PowerFactorWithExcitation:
    return PowerFactorWithExcitation(
        displacement=round(spec.power_factor * 1000),
        excitation=spec.absorbs,
        multiplier=_PF_MULTIPLIER,
    )


def _fixed_var(spec: FixedVarSpec) -> FixedVar:
    return FixedVar(ref_type=spec.of, value=round(spec.percent * _HUNDREDTHS))


def _freq_droop(spec: FreqDroopSpec) -> FreqDroop:
    return FreqDroop(
        d_bof=round(spec.over_hz * 1000),
        d_buf=round(spec.under_hz * 1000),
        k_of=round(spec.over_slope * 1000),
        k_uf=round(spec.under_slope * 1000),
        open_loop_tms=timedelta(seconds=spec.open_loop_s),
    )
