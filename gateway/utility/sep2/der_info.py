"""What a DER says of itself: ratings, settings, status and availability; pure (10.10.3).

An EndDevice that stands for several sites is off only if all of them are, operating if any is,
and faulty if any is. What nobody measures is not said (CSIP v2.1 G27).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.sep2.codes import (
    Connect,
    ControlMode,
    DerAlarm,
    DerType,
    DoeMode,
    OperationalMode,
    VppMode,
)
from contracts.sep2.dialect import CSIPAUS_V1_2
from contracts.sep2.resources import (
    CodeStatus,
    ConnectStatus,
    DERAvailability,
    DERCapability,
    DERSettings,
    DERStatus,
    Scaled,
    StateOfChargeStatus,
)
from contracts.site_link import points
from gateway.ports import SiteState
from gateway.utility.sep2.mapping_modes import has_storage, supported
from gateway.utility.sep2.settings import DeviceSettings, Scope

STALE_AFTER = timedelta(minutes=5)
"""An older reading says nothing of the present."""
_IDLE_PART = 0.01
"""Below this part of its rating a device is not operating."""
_CHARGING, _DISCHARGING, _HOLDING = 0, 1, 2
_HOUR = timedelta(hours=1)
_HUNDREDTHS = 100
_NO_RAMP_LIMIT = 0

_MODE_BITS: Mapping[str, ControlMode] = {
    "opModConnect": ControlMode.CONNECT,
    "opModEnergize": ControlMode.ENERGIZE,
    "opModFixedPFAbsorbW": ControlMode.FIXED_PF_ABSORB_W,
    "opModFixedPFInjectW": ControlMode.FIXED_PF_INJECT_W,
    "opModFixedVar": ControlMode.FIXED_VAR,
    "opModFixedW": ControlMode.FIXED_W,
    "opModFreqDroop": ControlMode.FREQ_DROOP,
    "opModHFRTMayTrip": ControlMode.HFRT_MAY_TRIP,
    "opModHFRTMustTrip": ControlMode.HFRT_MUST_TRIP,
    "opModHVRTMayTrip": ControlMode.HVRT_MAY_TRIP,
    "opModHVRTMomentaryCessation": ControlMode.HVRT_MOMENTARY_CESSATION,
    "opModHVRTMustTrip": ControlMode.HVRT_MUST_TRIP,
    "opModLFRTMayTrip": ControlMode.LFRT_MAY_TRIP,
    "opModLFRTMustTrip": ControlMode.LFRT_MUST_TRIP,
    "opModLVRTMayTrip": ControlMode.LVRT_MAY_TRIP,
    "opModLVRTMomentaryCessation": ControlMode.LVRT_MOMENTARY_CESSATION,
    "opModLVRTMustTrip": ControlMode.LVRT_MUST_TRIP,
    "opModMaxLimW": ControlMode.MAX_LIM_W,
    "opModTargetVar": ControlMode.TARGET_VAR,
    "opModTargetW": ControlMode.TARGET_W,
    "opModVoltVar": ControlMode.VOLT_VAR,
    "opModVoltWatt": ControlMode.VOLT_WATT,
    "opModWattVar": ControlMode.WATT_VAR,
}
_DOE_BITS: Mapping[str, DoeMode] = {
    "opModExpLimW": DoeMode.EXP_LIM_W,
    "opModImpLimW": DoeMode.IMP_LIM_W,
    "opModGenLimW": DoeMode.GEN_LIM_W,
    "opModLoadLimW": DoeMode.LOAD_LIM_W,
}
_POWERS: Mapping[Scope, tuple[str, ...]] = {
    "site": (points.CHARGING_POWER_W, points.BATTERY_POWER_W, points.PV_POWER_W),
    "storage": (points.BATTERY_POWER_W,),
    "generation": (points.PV_POWER_W,),
    "load": (points.CHARGING_POWER_W,),
}
"""What of a site the EndDevice is."""

_STORES: frozenset[Scope] = frozenset({"site", "storage"})
_CONSUMES: frozenset[Scope] = frozenset({"site", "load"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """Bit maps of modes, as capability and as settings."""

    modes: int
    doe: int | None
    """None where the utility does not speak CSIP-AUS."""
    vpp: int | None
    """None where it does not speak the storage extension."""


def ability(device: DeviceSettings, csipaus: str | None) -> Ability:
    """Every mode the device follows."""
    names, ratings = supported(device), device.ratings
    modes = sum(int(bit) for name, bit in _MODE_BITS.items() if name in names)
    if ratings.rtg_max_charge_rate_w is not None:
        modes |= int(ControlMode.CHARGE)
    if has_storage(device):
        modes |= int(ControlMode.DISCHARGE)
    doe = sum(bit for name, bit in _DOE_BITS.items() if name in names)
    vpp = int(VppMode.STORAGE_TARGET_W) if "opModStorageTargetW" in names else 0
    return Ability(
        modes=modes,
        doe=None if csipaus is None else int(doe),
        vpp=None if csipaus in (None, CSIPAUS_V1_2) else vpp,
    )


def capability(device: DeviceSettings, csipaus: str | None) -> DERCapability:
    """Nameplate ratings (CSIP, Table 12)."""
    able, ratings = ability(device, csipaus), device.ratings
    return DERCapability(
        modes_supported=able.modes,
        rtg_max_charge_rate_w=_scaled(ratings.rtg_max_charge_rate_w),
        rtg_max_discharge_rate_w=_scaled(ratings.rtg_max_discharge_rate_w),
        rtg_max_va=_scaled(ratings.rtg_max_va),
        rtg_max_var=_scaled(ratings.rtg_max_var),
        rtg_max_var_neg=_scaled(ratings.rtg_max_var_neg),
        rtg_max_w=_scaled(ratings.rtg_max_w),
        rtg_max_wh=_scaled(ratings.rtg_max_wh),
        type=int(_type(device)),
        doe_modes_supported=able.doe,
        vpp_modes_supported=able.vpp,
    )


def settings(device: DeviceSettings, csipaus: str | None, updated: datetime) -> DERSettings:
    """Settings in force: every rating in full, without a limit on ramps."""
    able, ratings = ability(device, csipaus), device.ratings
    return DERSettings(
        modes_enabled=able.modes,
        set_grad_w=_NO_RAMP_LIMIT,
        set_max_charge_rate_w=_scaled(ratings.rtg_max_charge_rate_w),
        set_max_discharge_rate_w=_scaled(ratings.rtg_max_discharge_rate_w),
        set_max_va=_scaled(ratings.rtg_max_va),
        set_max_var=_scaled(ratings.rtg_max_var),
        set_max_var_neg=_scaled(ratings.rtg_max_var_neg),
        set_max_w=_scaled(ratings.rtg_max_w),
        set_max_wh=_scaled(ratings.rtg_max_wh),
        updated_time=updated,
        doe_modes_enabled=able.doe,
        vpp_modes_enabled=able.vpp,
    )


def _type(device: DeviceSettings) -> DerType:
    match device.scope:
        case "site":
            return DerType.VIRTUAL_OR_MIXED
        case "storage":
            return DerType.OTHER_STORAGE
        case "generation":
            return DerType.PHOTOVOLTAIC_AND_STORAGE if has_storage(device) else DerType.PHOTOVOLTAIC
        case "load":
            return DerType.EVSE


def _scaled(number: float | None) -> Scaled | None:
    return None if number is None else Scaled.of(number)


# --- the present -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How the sites behind one EndDevice are."""

    operational: OperationalMode
    connect: Connect
    battery_w: float | None = None
    """Charging positive; None: not known."""
    soc_pct: float | None = None
    flex_down_w: float | None = None
    """How far import could be lowered for the next hour; None: not known."""


def condition(
    device: DeviceSettings,
    states: Sequence[SiteState],
    alarms: Collection[DerAlarm],
    now: datetime,
) -> Condition:
    """From the states of its sites (of our clock `now`) and the alarms raised there."""
    sites = [_site(device, state, now) for state in states if state.online]
    connect = Connect(0)
    for one in sites:
        connect |= one
    if alarms:
        connect |= Connect.FAULT
    if any(one & Connect.AVAILABLE for one in sites):
        mode = OperationalMode.OPERATIONAL
    else:
        mode = OperationalMode.OFF if len(sites) == len(states) else OperationalMode.UNKNOWN
    stores, consumes = device.scope in _STORES, device.scope in _CONSUMES
    return Condition(
        operational=mode,
        connect=connect,
        battery_w=_sum(states, points.BATTERY_POWER_W, now) if stores else None,
        soc_pct=_soc_pct(device, states, now) if stores else None,
        flex_down_w=_sum(states, points.FLEX_DOWN_W, now) if consumes else None,
    )


def status(
    device: DeviceSettings, found: Condition, alarms: Collection[DerAlarm], at: datetime
) -> DERStatus:
    """The status at an instant of the server's (CSIP, Table 13)."""
    connect = ConnectStatus(date_time=at, value=int(found.connect))
    soc, battery_w = found.soc_pct, found.battery_w
    return DERStatus(
        alarm_status=sum(1 << int(alarm) // 2 for alarm in alarms),
        gen_connect_status=None if device.scope == "storage" else connect,
        operational_mode_status=CodeStatus(date_time=at, value=int(found.operational)),
        reading_time=at,
        state_of_charge_status=None
        if soc is None
        else StateOfChargeStatus(date_time=at, value=round(soc * _HUNDREDTHS)),
        storage_mode_status=None
        if battery_w is None
        else CodeStatus(date_time=at, value=_storage_mode(device, battery_w)),
        stor_connect_status=connect if has_storage(device) else None,
    )


def availability(device: DeviceSettings, found: Condition, at: datetime) -> DERAvailability | None:
    """What could be done, as far as it is known; None when nothing is."""
    ratings, soc = device.ratings, found.soc_pct
    charge = None
    if soc is not None and ratings.rtg_max_wh and ratings.rtg_max_charge_rate_w:
        room_wh = ratings.rtg_max_wh * (1 - soc / 100)
        charge = timedelta(seconds=round(room_wh / ratings.rtg_max_charge_rate_w * 3600))
    if charge is None and found.flex_down_w is None:
        return None
    known = found.flex_down_w is not None
    return DERAvailability(
        availability_duration=_HOUR if known else None,
        max_charge_duration=charge,
        reading_time=at,
        stat_w_avail=_scaled(found.flex_down_w),
    )


def _site(device: DeviceSettings, state: SiteState, now: datetime) -> Connect:
    """One site that can be reached."""
    powers = [
        watts for point in _POWERS[device.scope] if (watts := _fresh(state, point, now)) is not None
    ]
    if not powers:
        return Connect.CONNECTED
    idle_w = _IDLE_PART * device.ratings.rtg_max_w
    operating = any(abs(watts) > idle_w for watts in powers)
    return Connect.CONNECTED | Connect.AVAILABLE | (Connect.OPERATING if operating else Connect(0))


def _storage_mode(device: DeviceSettings, battery_w: float) -> int:
    if abs(battery_w) <= _IDLE_PART * device.ratings.rtg_max_w:
        return _HOLDING
    return _CHARGING if battery_w > 0 else _DISCHARGING


def _sum(states: Sequence[SiteState], point: str, now: datetime) -> float | None:
    known = [watts for one in states if (watts := _fresh(one, point, now)) is not None]
    return sum(known) if known else None


def _soc_pct(device: DeviceSettings, states: Sequence[SiteState], now: datetime) -> float | None:
    """By the sites' weights: how much each can store is not known here."""
    known = [
        (device.shares[site], value)
        for site, one in zip(device.sites, states, strict=True)
        if (value := _fresh(one, points.BATTERY_SOC_PCT, now)) is not None
    ]
    weight = sum(share for share, _ in known)
    return sum(share * value for share, value in known) / weight if known else None


def _fresh(state: SiteState, point: str, now: datetime) -> float | None:
    reading = state.readings.get(point)
    return None if reading is None else reading.fresh(now, STALE_AFTER)
