"""What a DER tells about itself: ratings, settings, status and availability (10.10.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from contracts.sep2 import kinds
from contracts.sep2.fields import element
from contracts.sep2.resources.base import Resource, SubscribableResource
from contracts.sep2.resources.quantity import (
    ACTIVE_POWER,
    REACTIVE_POWER,
    UNSIGNED,
    PowerFactor,
    Scaled,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DERCapability(Resource):
    """`DERCapability`: nameplate ratings (`rtg`), in W, VA, var, V, A, Wh, Ah."""

    modes_supported: Annotated[
        int | None, element("modesSupported", kinds.BITS32, required=True)
    ] = None
    """Bits of `codes.ControlMode`."""
    rtg_abnormal_category: Annotated[int | None, element("rtgAbnormalCategory", kinds.UINT8)] = None
    rtg_max_a: Annotated[Scaled | None, element("rtgMaxA", UNSIGNED)] = None
    rtg_max_ah: Annotated[Scaled | None, element("rtgMaxAh", UNSIGNED)] = None
    rtg_max_charge_rate_va: Annotated[Scaled | None, element("rtgMaxChargeRateVA", UNSIGNED)] = None
    rtg_max_charge_rate_w: Annotated[Scaled | None, element("rtgMaxChargeRateW", ACTIVE_POWER)] = (
        None
    )
    rtg_max_discharge_rate_va: Annotated[
        Scaled | None, element("rtgMaxDischargeRateVA", UNSIGNED)
    ] = None
    rtg_max_discharge_rate_w: Annotated[
        Scaled | None, element("rtgMaxDischargeRateW", ACTIVE_POWER)
    ] = None
    rtg_max_v: Annotated[Scaled | None, element("rtgMaxV", UNSIGNED)] = None
    rtg_max_va: Annotated[Scaled | None, element("rtgMaxVA", UNSIGNED)] = None
    rtg_max_var: Annotated[Scaled | None, element("rtgMaxVar", REACTIVE_POWER)] = None
    rtg_max_var_neg: Annotated[Scaled | None, element("rtgMaxVarNeg", REACTIVE_POWER)] = None
    rtg_max_w: Annotated[Scaled | None, element("rtgMaxW", ACTIVE_POWER, required=True)] = None
    rtg_max_wh: Annotated[Scaled | None, element("rtgMaxWh", UNSIGNED)] = None
    rtg_min_pf_over_excited: Annotated[
        PowerFactor | None, element("rtgMinPFOverExcited", PowerFactor)
    ] = None
    rtg_min_pf_under_excited: Annotated[
        PowerFactor | None, element("rtgMinPFUnderExcited", PowerFactor)
    ] = None
    rtg_min_v: Annotated[Scaled | None, element("rtgMinV", UNSIGNED)] = None
    rtg_normal_category: Annotated[int | None, element("rtgNormalCategory", kinds.UINT8)] = None
    rtg_over_excited_pf: Annotated[PowerFactor | None, element("rtgOverExcitedPF", PowerFactor)] = (
        None
    )
    rtg_over_excited_w: Annotated[Scaled | None, element("rtgOverExcitedW", ACTIVE_POWER)] = None
    rtg_reactive_susceptance: Annotated[
        Scaled | None, element("rtgReactiveSusceptance", UNSIGNED)
    ] = None
    rtg_under_excited_pf: Annotated[
        PowerFactor | None, element("rtgUnderExcitedPF", PowerFactor)
    ] = None
    rtg_under_excited_w: Annotated[Scaled | None, element("rtgUnderExcitedW", ACTIVE_POWER)] = None
    rtg_v_nom: Annotated[Scaled | None, element("rtgVNom", UNSIGNED)] = None
    type: Annotated[int | None, element("type", kinds.UINT8, required=True)] = None
    """A `codes.DerType`."""
    doe_modes_supported: Annotated[
        int | None, element("doeModesSupported", kinds.BITS8, csipaus=True)
    ] = None
    """Bits of `codes.DoeMode`; demanded by CSIP-AUS."""
    vpp_modes_supported: Annotated[
        int | None, element("vppModesSupported", kinds.BITS8, csipaus=True)
    ] = None
    """Bit 0 opModStorageTargetW; CSIP-AUS v1.3 storage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DERSettings(SubscribableResource):
    """`DERSettings`: settings in force (`set`), each at most its rating."""

    modes_enabled: Annotated[int | None, element("modesEnabled", kinds.BITS32)] = None
    """Bits of `codes.ControlMode`."""
    set_es_delay: Annotated[timedelta | None, element("setESDelay", kinds.CENTISECONDS)] = None
    set_es_high_freq: Annotated[int | None, element("setESHighFreq", kinds.UINT16)] = None
    set_es_high_volt: Annotated[int | None, element("setESHighVolt", kinds.INT16)] = None
    set_es_low_freq: Annotated[int | None, element("setESLowFreq", kinds.UINT16)] = None
    set_es_low_volt: Annotated[int | None, element("setESLowVolt", kinds.INT16)] = None
    set_es_ramp_tms: Annotated[timedelta | None, element("setESRampTms", kinds.CENTISECONDS)] = None
    set_es_random_delay: Annotated[
        timedelta | None, element("setESRandomDelay", kinds.CENTISECONDS)
    ] = None
    set_grad_w: Annotated[int | None, element("setGradW", kinds.UINT16, required=True)] = None
    """Default ramp, in hundredths of a percent of setMaxW per second; 0 means no limit."""
    set_max_a: Annotated[Scaled | None, element("setMaxA", UNSIGNED)] = None
    set_max_ah: Annotated[Scaled | None, element("setMaxAh", UNSIGNED)] = None
    set_max_charge_rate_va: Annotated[Scaled | None, element("setMaxChargeRateVA", UNSIGNED)] = None
    set_max_charge_rate_w: Annotated[Scaled | None, element("setMaxChargeRateW", ACTIVE_POWER)] = (
        None
    )
    set_max_discharge_rate_va: Annotated[
        Scaled | None, element("setMaxDischargeRateVA", UNSIGNED)
    ] = None
    set_max_discharge_rate_w: Annotated[
        Scaled | None, element("setMaxDischargeRateW", ACTIVE_POWER)
    ] = None
    set_max_v: Annotated[Scaled | None, element("setMaxV", UNSIGNED)] = None
    set_max_va: Annotated[Scaled | None, element("setMaxVA", UNSIGNED)] = None
    set_max_var: Annotated[Scaled | None, element("setMaxVar", REACTIVE_POWER)] = None
    set_max_var_neg: Annotated[Scaled | None, element("setMaxVarNeg", REACTIVE_POWER)] = None
    set_max_w: Annotated[Scaled | None, element("setMaxW", ACTIVE_POWER, required=True)] = None
    set_max_wh: Annotated[Scaled | None, element("setMaxWh", UNSIGNED)] = None
    set_min_pf_over_excited: Annotated[
        PowerFactor | None, element("setMinPFOverExcited", PowerFactor)
    ] = None
    set_min_pf_under_excited: Annotated[
        PowerFactor | None, element("setMinPFUnderExcited", PowerFactor)
    ] = None
    set_min_v: Annotated[Scaled | None, element("setMinV", UNSIGNED)] = None
    set_soft_grad_w: Annotated[int | None, element("setSoftGradW", kinds.UINT16)] = None
    set_v_nom: Annotated[Scaled | None, element("setVNom", UNSIGNED)] = None
    set_v_ref: Annotated[Scaled | None, element("setVRef", UNSIGNED)] = None
    set_v_ref_ofs: Annotated[Scaled | None, element("setVRefOfs", UNSIGNED)] = None
    updated_time: Annotated[datetime | None, element("updatedTime", kinds.TIME, required=True)] = (
        None
    )
    doe_modes_enabled: Annotated[
        int | None, element("doeModesEnabled", kinds.BITS8, csipaus=True)
    ] = None
    """Bits of `codes.DoeMode`."""
    vpp_modes_enabled: Annotated[
        int | None, element("vppModesEnabled", kinds.BITS8, csipaus=True)
    ] = None
    set_min_wh: Annotated[Scaled | None, element("setMinWh", UNSIGNED, csipaus=True)] = None
    """Energy at which a battery stops discharging; CSIP-AUS v1.3 storage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectStatus:
    """`ConnectStatusType`: bits of `codes.Connect`."""

    date_time: Annotated[datetime, element("dateTime", kinds.TIME)]
    value: Annotated[int, element("value", kinds.BITS8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeStatus:
    """The status types whose value is a code: inverter, local control, operational, storage."""

    date_time: Annotated[datetime, element("dateTime", kinds.TIME)]
    value: Annotated[int, element("value", kinds.UINT8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManufacturerStatus:
    """`ManufacturerStatusType`: a code of the manufacturer."""

    date_time: Annotated[datetime, element("dateTime", kinds.TIME)]
    value: Annotated[str, element("value", kinds.STRING6)]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateOfChargeStatus:
    """`StateOfChargeStatusType`: in hundredths of a percent of the usable capacity."""

    date_time: Annotated[datetime, element("dateTime", kinds.TIME)]
    value: Annotated[int, element("value", kinds.PERCENT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DERStatus(SubscribableResource):
    """`DERStatus`."""

    alarm_status: Annotated[int | None, element("alarmStatus", kinds.BITS32)] = None
    """Bit n stands for the `codes.DerAlarm` 2n."""
    gen_connect_status: Annotated[
        ConnectStatus | None, element("genConnectStatus", ConnectStatus)
    ] = None
    inverter_status: Annotated[CodeStatus | None, element("inverterStatus", CodeStatus)] = None
    local_control_mode_status: Annotated[
        CodeStatus | None, element("localControlModeStatus", CodeStatus)
    ] = None
    """0 local, 1 remote."""
    manufacturer_status: Annotated[
        ManufacturerStatus | None, element("manufacturerStatus", ManufacturerStatus)
    ] = None
    operational_mode_status: Annotated[
        CodeStatus | None, element("operationalModeStatus", CodeStatus)
    ] = None
    """A `codes.OperationalMode`."""
    reading_time: Annotated[datetime | None, element("readingTime", kinds.TIME, required=True)] = (
        None
    )
    state_of_charge_status: Annotated[
        StateOfChargeStatus | None, element("stateOfChargeStatus", StateOfChargeStatus)
    ] = None
    storage_mode_status: Annotated[CodeStatus | None, element("storageModeStatus", CodeStatus)] = (
        None
    )
    """0 charging, 1 discharging, 2 holding."""
    stor_connect_status: Annotated[
        ConnectStatus | None, element("storConnectStatus", ConnectStatus)
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DERAvailability(SubscribableResource):
    """`DERAvailability`: reserves, as forecast by the DER."""

    availability_duration: Annotated[
        timedelta | None, element("availabilityDuration", kinds.SECONDS)
    ] = None
    max_charge_duration: Annotated[
        timedelta | None, element("maxChargeDuration", kinds.SECONDS)
    ] = None
    reading_time: Annotated[datetime | None, element("readingTime", kinds.TIME, required=True)] = (
        None
    )
    reserve_charge_percent: Annotated[
        int | None, element("reserveChargePercent", kinds.PERCENT)
    ] = None
    reserve_percent: Annotated[int | None, element("reservePercent", kinds.PERCENT)] = None
    stat_var_avail: Annotated[Scaled | None, element("statVarAvail", REACTIVE_POWER)] = None
    stat_w_avail: Annotated[Scaled | None, element("statWAvail", ACTIVE_POWER)] = None
