"""Modes of DER controls to bounds on a site: the only place where their signs and percents change.

========================  ====================================================================
opModImpLimW              `import_limit_w`, W at the connection point
opModExpLimW              `export_limit_w`, inverted
opModLoadLimW             `load_limit_w`, W of chargers and battery charging
opModGenLimW              `generation_limit_w`, inverted, W of PV and battery discharge
opModMaxLimW              `generation_limit_w`, inverted, percent of setMaxW
opModFixedW               `storage_power_w`, inverted: >= 0 percent of setMaxDischargeRateW (or
                          setMaxW) discharging, < 0 percent of setMaxChargeRateW charging
opModTargetW,             `storage_power_w`, inverted: output is positive (IEEE 2030.5-2018,
opModStorageTargetW       10.10.2; CSIP-AUS v1.3)
opModConnect,             `energize` of a site; of a part of it, false is a bound of zero on that
opModEnergize             part
what inverters do alone   `inverter_functions`; see `inverter_modes`
========================  ====================================================================

Settings equal ratings. An EndDevice that is only the battery has its generation and load limits
applied to PV and battery, chargers and battery together: tighter than asked, never looser.
`setGradW`, `setSoftGradW` and `rampTms` are carried, not acted on: sites ramp at their own pace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from contracts.sep2.resources import DERCurve, Scaled
from gateway.domain.der.device import Applicable, Rejection
from gateway.domain.operating_envelope import FREE, SiteBounds
from gateway.utility.sep2.curves import Setting
from gateway.utility.sep2.inverter_modes import INVERTER_MODES, UNCARRIED, function_of
from gateway.utility.sep2.refusals import UnusableModeError, invalid, not_applicable
from gateway.utility.sep2.settings import DeviceSettings, Scope

CARRIED = frozenset({"setGradW", "setSoftGradW"})
"""Ramp rates of a default: known, and without effect on bounds."""
_WHOLE = 10_000
"""Hundredths of a percent."""
_MOST_W = 1e9
"""What the site link can carry; a limit above it binds nothing we know."""


def bounds_of(mode: str, value: object, device: DeviceSettings) -> SiteBounds:
    """What a mode means for everything the EndDevice stands for.

    Raises:
        UnusableModeError: 252, the device has no such mode; 253, the value is out of range.
    """
    if mode in CARRIED:
        return FREE
    if mode in INVERTER_MODES or mode in UNCARRIED:
        return _by_inverters(mode, value, device)
    known = MODES.get(mode)
    if known is None:
        raise not_applicable(f"{mode} is not supported")
    if device.scope not in known.scopes:
        raise not_applicable(f"{mode} does not apply to {device.scope} alone")
    if known.needs_storage and not has_storage(device):
        raise not_applicable(f"{mode} needs a battery")
    try:
        return known.bounds(value, device)
    except UnusableModeError as error:
        raise UnusableModeError(error.code, f"{mode}: {error}") from None


def _by_inverters(mode: str, value: object, device: DeviceSettings) -> SiteBounds:
    try:
        return SiteBounds(inverter_functions=(function_of(mode, value, device),))
    except UnusableModeError as error:
        raise UnusableModeError(error.code, f"{mode}: {error}") from None


def applicable(device: DeviceSettings) -> Applicable:
    """The judgement of the device on a mode, for the event rules."""

    def judge(mode: str, value: object) -> Rejection | None:
        try:
            bounds_of(mode, value, device)
        except UnusableModeError as error:
            return Rejection(code=error.code, reason=str(error))
        return None

    return judge


def supported(device: DeviceSettings) -> frozenset[str]:
    """Every mode the device can follow."""
    steered = (
        name
        for name, mode in MODES.items()
        if device.scope in mode.scopes and (has_storage(device) or not mode.needs_storage)
    )
    return frozenset((*steered, *device.inverter_modes))


def has_storage(device: DeviceSettings) -> bool:
    """Whether there is a battery to steer."""
    return device.scope == "storage" or device.ratings.rtg_max_discharge_rate_w is not None


# --- one function per kind of mode -------------------------------------------------------------


def _limit_w(value: object) -> float:
    if not isinstance(value, Scaled):
        raise invalid("no power in W")
    if value.number < 0:
        raise invalid(f"a limit of {value.number:g} W is negative")
    return min(value.number, _MOST_W)


def _import_limit(value: object, device: DeviceSettings) -> SiteBounds:
    del device
    return SiteBounds(import_limit_w=_limit_w(value))


def _export_limit(value: object, device: DeviceSettings) -> SiteBounds:
    del device
    return SiteBounds(export_limit_w=_inverted(_limit_w(value)))


def _load_limit(value: object, device: DeviceSettings) -> SiteBounds:
    del device
    return SiteBounds(load_limit_w=_limit_w(value))


def _generation_limit(value: object, device: DeviceSettings) -> SiteBounds:
    del device
    return SiteBounds(generation_limit_w=_inverted(_limit_w(value)))


def _max_limit(value: object, device: DeviceSettings) -> SiteBounds:
    part = _part(value, low=0)
    return SiteBounds(generation_limit_w=_inverted(part * device.ratings.rtg_max_w))


def _fixed(value: object, device: DeviceSettings) -> SiteBounds:
    part = _part(value, low=-_WHOLE)
    base = _discharge_w(device) if part >= 0 else _charge_w(device)
    return SiteBounds(storage_power_w=_inverted(part * base))


def _target(value: object, device: DeviceSettings) -> SiteBounds:
    if not isinstance(value, Scaled):
        raise invalid("no power in W")
    output_w = value.number
    most_w = _discharge_w(device) if output_w >= 0 else _charge_w(device)
    if abs(output_w) > most_w:
        raise invalid(f"{output_w:g} W is beyond the rating of {most_w:g} W")
    return SiteBounds(storage_power_w=_inverted(output_w))


def _energized(value: object, device: DeviceSettings) -> SiteBounds:
    if not isinstance(value, bool):
        raise invalid("neither true nor false")
    match device.scope:
        case "site":
            return SiteBounds(energize=value)
        case _ if value:
            return FREE
        case "storage":
            return SiteBounds(storage_power_w=0.0)
        case "generation":
            return SiteBounds(generation_limit_w=0.0)
        case "load":
            return SiteBounds(load_limit_w=0.0)


def _part(value: object, low: int) -> float:
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid("no percentage")
    if not low <= value <= _WHOLE:
        raise invalid(f"{value / 100:g} % is outside {low // 100} to 100 %")
    return value / _WHOLE


def _discharge_w(device: DeviceSettings) -> float:
    ratings = device.ratings
    return ratings.rtg_max_discharge_rate_w or ratings.rtg_max_w


def _charge_w(device: DeviceSettings) -> float:
    if device.ratings.rtg_max_charge_rate_w is None:
        raise not_applicable("it cannot charge from the network")
    return device.ratings.rtg_max_charge_rate_w


def _inverted(watts: float) -> float:
    return 0.0 - watts


# --- the table ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mode:
    """Which EndDevices a mode fits, and what it binds."""

    bounds: Callable[[object, DeviceSettings], SiteBounds]
    scopes: frozenset[Scope]
    needs_storage: bool = False


_ANY: frozenset[Scope] = frozenset({"site", "storage", "generation", "load"})
_CONSUMES: frozenset[Scope] = _ANY - {"generation"}
_PRODUCES: frozenset[Scope] = _ANY - {"load"}

MODES: Mapping[str, Mode] = MappingProxyType(
    {
        "opModConnect": Mode(_energized, _ANY),
        "opModEnergize": Mode(_energized, _ANY),
        "opModImpLimW": Mode(_import_limit, _CONSUMES),
        "opModExpLimW": Mode(_export_limit, _PRODUCES),
        "opModLoadLimW": Mode(_load_limit, _CONSUMES),
        "opModGenLimW": Mode(_generation_limit, _PRODUCES),
        "opModMaxLimW": Mode(_max_limit, _PRODUCES),
        "opModFixedW": Mode(_fixed, _PRODUCES, needs_storage=True),
        "opModTargetW": Mode(_target, _PRODUCES, needs_storage=True),
        "opModStorageTargetW": Mode(_target, _PRODUCES, needs_storage=True),
    }
)
"""Modes we act on beside those of inverters; every other one is answered 252."""


def words(mode: str, value: Setting) -> str:
    """A mode with its value, for a person."""
    match value:
        case bool():
            return f"{mode} {'yes' if value else 'no'}"
        case int():
            return f"{mode} {value / 100:g} %"
        case Scaled():
            return f"{mode} {value.number:g} {'var' if mode == 'opModTargetVar' else 'W'}"
        case DERCurve():
            count = len(value.curve_data)
            return f"{mode} with a curve of {count} point{'' if count == 1 else 's'}"
        case _:
            return mode
