"""Distributed energy resources: programs, controls, curves and what a DER tells (10.10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

from contracts.sep2 import kinds
from contracts.sep2.fields import element
from contracts.sep2.resources.base import (
    IdentifiedObject,
    Link,
    ListLink,
    RandomizableEvent,
    ResourceList,
    SubscribableResource,
)
from contracts.sep2.resources.quantity import PowerFactorWithExcitation, Scaled


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedVar:
    """`FixedVar`: `value` in hundredths of a percent of `ref_type` (`codes.UnitRef`)."""

    ref_type: Annotated[int, element("refType", kinds.UINT8)]
    value: Annotated[int, element("value", kinds.SIGNED_PERCENT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FreqDroop:
    """`FreqDroopType`: dead bands in mHz, slopes in thousandths per unit."""

    d_bof: Annotated[int, element("dBOF", kinds.UINT32)]
    d_buf: Annotated[int, element("dBUF", kinds.UINT32)]
    k_of: Annotated[int, element("kOF", kinds.UINT16)]
    k_uf: Annotated[int, element("kUF", kinds.UINT16)]
    open_loop_tms: Annotated[timedelta, element("openLoopTms", kinds.CENTISECONDS16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveLink(Link):
    """`DERCurveLink`: the mode follows the curve at this address."""


ModeValue = Scaled | PowerFactorWithExcitation | FixedVar | FreqDroop | CurveLink | bool | int
"""What a mode is set to; see `contracts.sep2.modes` for which mode takes which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DERControlBase:
    """`DERControlBase`: the modes that a control sets, by element name.

    Producer signs, as in the standard: injection positive (`opModFixedW`, `opModTargetW`).
    """

    modes: Mapping[str, ModeValue] = field(default_factory=dict)
    """`opModConnect` and `opModEnergize` bool; `opModFixedW` (signed) and `opModMaxLimW` int in
    hundredths of a percent; `opModTargetW`, `opModTargetVar` and the CSIP-AUS limits
    (`opModImpLimW`, ...) `Scaled`; `opModFixedPF...` `PowerFactorWithExcitation`; curve modes
    `CurveLink`."""
    ramp_tms: timedelta | None = None
    """Time to reach the new setting, in steps of 1/100 s; None means by `set_grad_w`."""
    extension: tuple[bytes, ...] = ()
    """Elements we do not know, as XML: modes that cannot be obeyed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DERControl(RandomizableEvent):
    """`DERControl`: an event that sets modes."""

    der_control_base: Annotated[DERControlBase, element("DERControlBase", DERControlBase)]
    device_category: Annotated[int | None, element("deviceCategory", kinds.BITS32)] = None
    """Bits of `codes.DeviceCategory`: who shall obey; None is everyone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DERControlList(ResourceList):
    """`DERControlList`, and the active one."""

    items: Annotated[tuple[DERControl, ...], element("DERControl", DERControl, many=True)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultDERControl(IdentifiedObject):
    """`DefaultDERControl`: what holds for a mode while no event sets it."""

    der_control_base: Annotated[DERControlBase, element("DERControlBase", DERControlBase)] = field(
        default_factory=DERControlBase
    )
    set_es_delay: Annotated[timedelta | None, element("setESDelay", kinds.CENTISECONDS)] = None
    set_es_high_freq: Annotated[int | None, element("setESHighFreq", kinds.UINT16)] = None
    """Enter service at most at, in 0.01 Hz."""
    set_es_high_volt: Annotated[int | None, element("setESHighVolt", kinds.INT16)] = None
    """Enter service at most at, in hundredths of a percent of the nominal voltage."""
    set_es_low_freq: Annotated[int | None, element("setESLowFreq", kinds.UINT16)] = None
    set_es_low_volt: Annotated[int | None, element("setESLowVolt", kinds.INT16)] = None
    set_es_ramp_tms: Annotated[timedelta | None, element("setESRampTms", kinds.CENTISECONDS)] = None
    set_es_random_delay: Annotated[
        timedelta | None, element("setESRandomDelay", kinds.CENTISECONDS)
    ] = None
    set_grad_w: Annotated[int | None, element("setGradW", kinds.UINT16)] = None
    """Default ramp, in hundredths of a percent of setMaxW per second; 0 means no limit."""
    set_soft_grad_w: Annotated[int | None, element("setSoftGradW", kinds.UINT16)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DERProgram(IdentifiedObject):
    """`DERProgram`: a group of controls; the lower `primacy` wins."""

    active_der_control_list_link: Annotated[
        ListLink | None, element("ActiveDERControlListLink", ListLink)
    ] = None
    default_der_control_link: Annotated[Link | None, element("DefaultDERControlLink", Link)] = None
    der_control_list_link: Annotated[ListLink | None, element("DERControlListLink", ListLink)] = (
        None
    )
    der_curve_list_link: Annotated[ListLink | None, element("DERCurveListLink", ListLink)] = None
    primacy: Annotated[int, element("primacy", kinds.UINT8)]
    extension: tuple[bytes, ...] = ()
    """Elements we do not know, as XML."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DERProgramList(ResourceList):
    """`DERProgramList`."""

    items: Annotated[tuple[DERProgram, ...], element("DERProgram", DERProgram, many=True)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CurveData:
    """`CurveData`: one point, to be multiplied by the curve's powers of ten."""

    excitation: Annotated[bool | None, element("excitation", kinds.BOOLEAN)] = None
    """Of a power factor: True absorbs reactive power."""
    x_value: Annotated[int, element("xvalue", kinds.INT32)]
    y_value: Annotated[int, element("yvalue", kinds.INT32)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DERCurve(IdentifiedObject):
    """`DERCurve`: up to ten points of a `codes.CurveType`."""

    autonomous_v_ref_enable: Annotated[
        bool | None, element("autonomousVRefEnable", kinds.BOOLEAN)
    ] = None
    autonomous_v_ref_time_constant: Annotated[
        timedelta | None, element("autonomousVRefTimeConstant", kinds.CENTISECONDS)
    ] = None
    creation_time: Annotated[
        datetime | None, element("creationTime", kinds.TIME, required=True)
    ] = None
    curve_data: Annotated[
        tuple[CurveData, ...], element("CurveData", CurveData, many=True, required=True)
    ] = ()
    curve_type: Annotated[int, element("curveType", kinds.UINT8)]
    open_loop_tms: Annotated[timedelta | None, element("openLoopTms", kinds.CENTISECONDS16)] = None
    ramp_dec_tms: Annotated[int | None, element("rampDecTms", kinds.UINT16)] = None
    """In hundredths of a percent per second."""
    ramp_inc_tms: Annotated[int | None, element("rampIncTms", kinds.UINT16)] = None
    """In hundredths of a percent per second."""
    ramp_pt1_tms: Annotated[timedelta | None, element("rampPT1Tms", kinds.CENTISECONDS16)] = None
    v_ref: Annotated[int | None, element("vRef", kinds.PERCENT)] = None
    x_multiplier: Annotated[int, element("xMultiplier", kinds.INT8)]
    y_multiplier: Annotated[int, element("yMultiplier", kinds.INT8)]
    y_ref_type: Annotated[int, element("yRefType", kinds.UINT8)]
    """A `codes.UnitRef`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DERCurveList(ResourceList):
    """`DERCurveList`."""

    items: Annotated[tuple[DERCurve, ...], element("DERCurve", DERCurve, many=True)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DER(SubscribableResource):
    """`DER`: where one DER's four information resources are."""

    associated_der_program_list_link: Annotated[
        ListLink | None, element("AssociatedDERProgramListLink", ListLink)
    ] = None
    associated_usage_point_link: Annotated[
        Link | None, element("AssociatedUsagePointLink", Link)
    ] = None
    current_der_program_link: Annotated[Link | None, element("CurrentDERProgramLink", Link)] = None
    der_availability_link: Annotated[Link | None, element("DERAvailabilityLink", Link)] = None
    der_capability_link: Annotated[Link | None, element("DERCapabilityLink", Link)] = None
    der_settings_link: Annotated[Link | None, element("DERSettingsLink", Link)] = None
    der_status_link: Annotated[Link | None, element("DERStatusLink", Link)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DERList(ResourceList):
    """`DERList`."""

    items: Annotated[tuple[DER, ...], element("DER", DER, many=True)] = ()
