"""Responses to events (8.8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from contracts.sep2 import kinds
from contracts.sep2.fields import element
from contracts.sep2.resources.base import IdentifiedObject, ListLink, Resource, ResourceList
from contracts.sep2.resources.drlc import (
    ApplianceLoadReduction,
    DutyCycle,
    Offset,
    SetPoint,
    TargetReduction,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response(Resource):
    """`Response`: how one device fares with one event."""

    created_date_time: Annotated[datetime | None, element("createdDateTime", kinds.TIME)] = None
    end_device_lfdi: Annotated[str, element("endDeviceLFDI", kinds.LFDI)]
    status: Annotated[int | None, element("status", kinds.UINT8)] = None
    """A `codes.ResponseStatus`."""
    subject: Annotated[str, element("subject", kinds.MRID)]
    """The mRID of the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DERControlResponse(Response):
    """`DERControlResponse`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceResponse(Response):
    """`PriceResponse`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowReservationResponseResponse(Response):
    """`FlowReservationResponseResponse`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrResponse(Response):
    """`DrResponse`: to an `EndDeviceControl`, with what was really done."""

    appliance_load_reduction: Annotated[
        ApplianceLoadReduction | None, element("ApplianceLoadReduction", ApplianceLoadReduction)
    ] = None
    applied_target_reduction: Annotated[
        TargetReduction | None, element("AppliedTargetReduction", TargetReduction)
    ] = None
    duty_cycle: Annotated[DutyCycle | None, element("DutyCycle", DutyCycle)] = None
    offset: Annotated[Offset | None, element("Offset", Offset)] = None
    override_duration: Annotated[timedelta | None, element("overrideDuration", kinds.SECONDS16)] = (
        None
    )
    set_point: Annotated[SetPoint | None, element("SetPoint", SetPoint)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseList(ResourceList):
    """`ResponseList`."""

    items: Annotated[tuple[Response, ...], element("Response", Response, many=True)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSet(IdentifiedObject):
    """`ResponseSet`."""

    response_list_link: Annotated[ListLink | None, element("ResponseListLink", ListLink)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSetList(ResourceList):
    """`ResponseSetList`."""

    items: Annotated[tuple[ResponseSet, ...], element("ResponseSet", ResponseSet, many=True)] = ()
