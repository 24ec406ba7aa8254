"""Metering mirror and usage points (10.6, 10.11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from contracts.sep2 import kinds
from contracts.sep2.fields import element
from contracts.sep2.resources.base import (
    DateTimeInterval,
    IdentifiedObject,
    ListLink,
    ResourceList,
    SubscribableResource,
)
from contracts.sep2.resources.quantity import UnitValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingType(SubscribableResource):
    """`ReadingType`: what numbers mean; a value is times ten to `power_of_ten_multiplier`."""

    accumulation_behaviour: Annotated[int | None, element("accumulationBehaviour", kinds.UINT8)] = (
        None
    )
    """`codes.Accumulation`."""
    calorific_value: Annotated[UnitValue | None, element("calorificValue", UnitValue)] = None
    commodity: Annotated[int | None, element("commodity", kinds.UINT8)] = None
    """1 electricity, secondary metered; 2 primary metered."""
    conversion_factor: Annotated[UnitValue | None, element("conversionFactor", UnitValue)] = None
    data_qualifier: Annotated[int | None, element("dataQualifier", kinds.UINT8)] = None
    """`codes.DataQualifier`."""
    flow_direction: Annotated[int | None, element("flowDirection", kinds.UINT8)] = None
    """`codes.FlowDirection`."""
    interval_length: Annotated[timedelta | None, element("intervalLength", kinds.SECONDS)] = None
    kind: Annotated[int | None, element("kind", kinds.UINT8)] = None
    """`codes.ReadingKind`."""
    max_number_of_intervals: Annotated[int | None, element("maxNumberOfIntervals", kinds.UINT8)] = (
        None
    )
    number_of_consumption_blocks: Annotated[
        int | None, element("numberOfConsumptionBlocks", kinds.UINT8)
    ] = None
    number_of_tou_tiers: Annotated[int | None, element("numberOfTouTiers", kinds.UINT8)] = None
    phase: Annotated[int | None, element("phase", kinds.UINT8)] = None
    """`codes.Phase`."""
    power_of_ten_multiplier: Annotated[int | None, element("powerOfTenMultiplier", kinds.INT8)] = (
        None
    )
    sub_interval_length: Annotated[
        timedelta | None, element("subIntervalLength", kinds.SECONDS)
    ] = None
    supply_limit: Annotated[int | None, element("supplyLimit", kinds.UINT48)] = None
    tiered_consumption_blocks: Annotated[
        bool | None, element("tieredConsumptionBlocks", kinds.BOOLEAN)
    ] = None
    uom: Annotated[int | None, element("uom", kinds.UINT8)] = None
    """`codes.Uom`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading(SubscribableResource):
    """`Reading`: one value, in the unit of its `ReadingType`."""

    consumption_block: Annotated[int | None, element("consumptionBlock", kinds.UINT8)] = None
    quality_flags: Annotated[int | None, element("qualityFlags", kinds.BITS16)] = None
    """Bits of `codes.Quality`."""
    time_period: Annotated[DateTimeInterval | None, element("timePeriod", DateTimeInterval)] = None
    tou_tier: Annotated[int | None, element("touTier", kinds.UINT8)] = None
    value: Annotated[int | None, element("value", kinds.INT48)] = None
    local_id: Annotated[int | None, element("localID", kinds.BITS16)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorReadingSet(IdentifiedObject):
    """`MirrorReadingSet`: readings of consecutive intervals."""

    mrid: Annotated[str, element("mRID", kinds.MRID)]
    time_period: Annotated[DateTimeInterval, element("timePeriod", DateTimeInterval)]
    readings: Annotated[tuple[Reading, ...], element("Reading", Reading, many=True)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorMeterReading(IdentifiedObject):
    """`MirrorMeterReading`: one quantity; instantaneous `reading` or interval `reading_sets`."""

    mrid: Annotated[str, element("mRID", kinds.MRID)]
    last_update_time: Annotated[datetime | None, element("lastUpdateTime", kinds.TIME)] = None
    reading_sets: Annotated[
        tuple[MirrorReadingSet, ...], element("MirrorReadingSet", MirrorReadingSet, many=True)
    ] = ()
    next_update_time: Annotated[datetime | None, element("nextUpdateTime", kinds.TIME)] = None
    reading: Annotated[Reading | None, element("Reading", Reading)] = None
    reading_type: Annotated[ReadingType | None, element("ReadingType", ReadingType)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorMeterReadingList(ResourceList):
    """`MirrorMeterReadingList`."""

    items: Annotated[
        tuple[MirrorMeterReading, ...],
        element("MirrorMeterReading", MirrorMeterReading, many=True),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePointBase(IdentifiedObject):
    """What usage points and their mirrors have in common."""

    role_flags: Annotated[int, element("roleFlags", kinds.BITS16)]
    """Bits of `codes.RoleFlag`."""
    service_category_kind: Annotated[int, element("serviceCategoryKind", kinds.UINT8)] = 0
    """0 electricity."""
    status: Annotated[int | None, element("status", kinds.UINT8, required=True)] = None
    """0 off, 1 on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorUsagePoint(UsagePointBase):
    """`MirrorUsagePoint`: what a device measures, mirrored by the server."""

    mrid: Annotated[str, element("mRID", kinds.MRID)]
    device_lfdi: Annotated[str, element("deviceLFDI", kinds.LFDI)]
    meter_readings: Annotated[
        tuple[MirrorMeterReading, ...],
        element("MirrorMeterReading", MirrorMeterReading, many=True),
    ] = ()
    post_rate: Annotated[timedelta | None, element("postRate", kinds.SECONDS)] = None
    """How often the server wants to be told; it decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorUsagePointList(ResourceList):
    """`MirrorUsagePointList`."""

    items: Annotated[
        tuple[MirrorUsagePoint, ...], element("MirrorUsagePoint", MirrorUsagePoint, many=True)
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePoint(UsagePointBase):
    """`UsagePoint`."""

    device_lfdi: Annotated[str | None, element("deviceLFDI", kinds.LFDI)] = None
    meter_reading_list_link: Annotated[
        ListLink | None, element("MeterReadingListLink", ListLink)
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePointList(ResourceList):
    """`UsagePointList`."""

    items: Annotated[tuple[UsagePoint, ...], element("UsagePoint", UsagePoint, many=True)] = ()
