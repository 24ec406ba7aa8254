"""Demand response and load control (10.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from contracts.sep2 import kinds
from contracts.sep2.fields import element
from contracts.sep2.resources.base import (
    IdentifiedObject,
    Link,
    ListLink,
    RandomizableEvent,
    Resource,
    ResourceList,
)
from contracts.sep2.resources.quantity import ACTIVE_POWER, Scaled


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplianceLoadReduction:
    """`ApplianceLoadReduction`: 0 delay the load, 1 reduce it for a short time."""

    type: Annotated[int, element("type", kinds.UINT8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReduction:
    """`TargetReduction`, `AppliedTargetReduction`: `type` 0 kWh, 1 kW, 2 W, 12 unitless, ..."""

    type: Annotated[int, element("type", kinds.UINT8)]
    value: Annotated[int, element("value", kinds.UINT16)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyCycle:
    """`DutyCycle`: how much of the time the load may be on, in percent."""

    normal_value: Annotated[int, element("normalValue", kinds.UINT8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """`Offset`: temperatures in 0.1 K, load in hundredths of a percent."""

    cooling_offset: Annotated[int | None, element("coolingOffset", kinds.UINT8)] = None
    heating_offset: Annotated[int | None, element("heatingOffset", kinds.UINT8)] = None
    load_adjustment_percentage_offset: Annotated[
        int | None, element("loadAdjustmentPercentageOffset", kinds.PERCENT)
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPoint:
    """`SetPoint`: temperatures in 0.01 degrees Celsius."""

    cooling_setpoint: Annotated[int | None, element("coolingSetpoint", kinds.INT16)] = None
    heating_setpoint: Annotated[int | None, element("heatingSetpoint", kinds.INT16)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDeviceControl(RandomizableEvent):
    """`EndDeviceControl`: an event for loads."""

    appliance_load_reduction: Annotated[
        ApplianceLoadReduction | None, element("ApplianceLoadReduction", ApplianceLoadReduction)
    ] = None
    device_category: Annotated[
        int | None, element("deviceCategory", kinds.BITS32, required=True)
    ] = None
    """Bits of `codes.DeviceCategory`: who shall obey."""
    dr_program_mandatory: Annotated[bool, element("drProgramMandatory", kinds.BOOLEAN)] = False
    duty_cycle: Annotated[DutyCycle | None, element("DutyCycle", DutyCycle)] = None
    load_shift_forward: Annotated[bool, element("loadShiftForward", kinds.BOOLEAN)] = False
    """True asks for more consumption, false for less."""
    offset: Annotated[Offset | None, element("Offset", Offset)] = None
    override_duration: Annotated[timedelta | None, element("overrideDuration", kinds.SECONDS16)] = (
        None
    )
    set_point: Annotated[SetPoint | None, element("SetPoint", SetPoint)] = None
    target_reduction: Annotated[
        TargetReduction | None, element("TargetReduction", TargetReduction)
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDeviceControlList(ResourceList):
    """`EndDeviceControlList`."""

    items: Annotated[
        tuple[EndDeviceControl, ...], element("EndDeviceControl", EndDeviceControl, many=True)
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandResponseProgram(IdentifiedObject):
    """`DemandResponseProgram`: the lower `primacy` wins."""

    active_end_device_control_list_link: Annotated[
        ListLink | None, element("ActiveEndDeviceControlListLink", ListLink)
    ] = None
    availability_update_percent_change_threshold: Annotated[
        int | None, element("availabilityUpdatePercentChangeThreshold", kinds.PERCENT)
    ] = None
    availability_update_power_change_threshold: Annotated[
        Scaled | None, element("availabilityUpdatePowerChangeThreshold", ACTIVE_POWER)
    ] = None
    end_device_control_list_link: Annotated[
        ListLink | None, element("EndDeviceControlListLink", ListLink)
    ] = None
    primacy: Annotated[int, element("primacy", kinds.UINT8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandResponseProgramList(ResourceList):
    """`DemandResponseProgramList`."""

    items: Annotated[
        tuple[DemandResponseProgram, ...],
        element("DemandResponseProgram", DemandResponseProgram, many=True),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadShedAvailability(Resource):
    """`LoadShedAvailability`: how much load could be shed, and for how long."""

    availability_duration: Annotated[
        timedelta | None, element("availabilityDuration", kinds.SECONDS)
    ] = None
    demand_response_program_link: Annotated[
        Link | None, element("DemandResponseProgramLink", Link)
    ] = None
    sheddable_percent: Annotated[int | None, element("sheddablePercent", kinds.PERCENT)] = None
    sheddable_power: Annotated[Scaled | None, element("sheddablePower", ACTIVE_POWER)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadShedAvailabilityList(ResourceList):
    """`LoadShedAvailabilityList`."""

    items: Annotated[
        tuple[LoadShedAvailability, ...],
        element("LoadShedAvailability", LoadShedAvailability, many=True),
    ] = ()
