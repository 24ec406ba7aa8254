"""Flow reservation: a vehicle asks when it may charge or discharge (10.9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from contracts.sep2 import kinds
from contracts.sep2.fields import element
from contracts.sep2.resources.base import (
    DateTimeInterval,
    Event,
    IdentifiedObject,
    ResourceList,
)
from contracts.sep2.resources.quantity import ACTIVE_POWER, SIGNED_ENERGY, Scaled


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestStatus:
    """`RequestStatus`: 0 requested, 1 cancelled."""

    date_time: Annotated[datetime, element("dateTime", kinds.TIME)]
    request_status: Annotated[int, element("requestStatus", kinds.UINT8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowReservationRequest(IdentifiedObject):
    """`FlowReservationRequest`: positive energy and power charge, negative discharge."""

    mrid: Annotated[str, element("mRID", kinds.MRID)]
    creation_time: Annotated[datetime, element("creationTime", kinds.TIME)]
    duration_requested: Annotated[
        timedelta | None, element("durationRequested", kinds.SECONDS16)
    ] = None
    energy_requested: Annotated[Scaled, element("energyRequested", SIGNED_ENERGY)]
    interval_requested: Annotated[DateTimeInterval, element("intervalRequested", DateTimeInterval)]
    power_requested: Annotated[Scaled, element("powerRequested", ACTIVE_POWER)]
    request_status: Annotated[RequestStatus, element("RequestStatus", RequestStatus)]
    """All that may change later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowReservationRequestList(ResourceList):
    """`FlowReservationRequestList`."""

    items: Annotated[
        tuple[FlowReservationRequest, ...],
        element("FlowReservationRequest", FlowReservationRequest, many=True),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowReservationResponse(Event):
    """`FlowReservationResponse`: what was granted; a duration of zero refuses."""

    energy_available: Annotated[Scaled, element("energyAvailable", SIGNED_ENERGY)]
    power_available: Annotated[Scaled, element("powerAvailable", ACTIVE_POWER)]
    subject: Annotated[str, element("subject", kinds.MRID)]
    """The mRID of the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowReservationResponseList(ResourceList):
    """`FlowReservationResponseList`."""

    items: Annotated[
        tuple[FlowReservationResponse, ...],
        element("FlowReservationResponse", FlowReservationResponse, many=True),
    ] = ()
