"""Flow reservation: a vehicle asks when it may charge or discharge (IEEE 2030.5-2018, 10.9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.sep2.codes import ReasonCode
from contracts.sep2.hexes import canonical_mrid
from contracts.sep2.resources import FlowReservationRequest, Scaled
from vtn_sim.sep2.refusal import TOO_LARGE, Refused, bad_request

_MOST = 10_000
CANCELLED = 1
"""RequestStatus."""


@dataclass(slots=True)
class FlowGrant:
    """A FlowReservationResponse; a duration of zero refuses."""

    number: int
    mrid: str
    start: datetime
    duration: timedelta
    power: Scaled
    energy: Scaled
    created_at: datetime


@dataclass(slots=True)
class FlowRequest:
    """A FlowReservationRequest of an EndDevice and what became of it."""

    number: int
    lfdi: str
    resource: FlowReservationRequest
    received_at: datetime
    cancelled_at: datetime | None = None
    grant: FlowGrant | None = None


class FlowBook:
    """Every request."""

    def __init__(self) -> None:
        self._requests: dict[str, FlowRequest] = {}

    def post(
        self, resource: FlowReservationRequest, lfdi: str, now: datetime
    ) -> tuple[FlowRequest, bool]:
        """A new request, or the one of the same mRID again; whether it is new.

        Raises:
            Refused: 400, the mRID is another device's; 413, there are too many.
        """
        key = canonical_mrid(resource.mrid)
        known = self._requests.get(key)
        if known is not None:
            if known.lfdi != lfdi:
                raise bad_request("the mRID is another device's")
            return known, False
        if len(self._requests) >= _MOST:
            raise Refused(TOO_LARGE, "no room for more", ReasonCode.RESOURCE_LIMIT)
        request = FlowRequest(
            number=len(self._requests) + 1, lfdi=lfdi, resource=resource, received_at=now
        )
        self._requests[key] = request
        return request, True

    def update(self, request: FlowRequest, resource: FlowReservationRequest, now: datetime) -> None:
        """Take a changed RequestStatus: nothing else may change (10.9).

        Raises:
            Refused: 400, something else has changed.
        """
        old = request.resource
        if _asked(old) != _asked(resource):
            raise bad_request("only RequestStatus may change")
        request.resource = resource
        if resource.request_status.request_status == CANCELLED and request.cancelled_at is None:
            request.cancelled_at = now

    def grant(
        self,
        request: FlowRequest,
        mrid: str,
        now: datetime,
        *,
        start: datetime | None = None,
        duration: timedelta | None = None,
        power_w: float | None = None,
    ) -> FlowGrant:
        """Answer a request: what is left out is as was asked."""
        asked = request.resource
        window = asked.interval_requested
        lasting = asked.duration_requested or window.duration
        power = asked.power_requested if power_w is None else Scaled.of(power_w)
        length = lasting if duration is None else duration
        request.grant = FlowGrant(
            number=request.number,
            mrid=mrid,
            start=start or window.start,
            duration=length,
            power=power,
            energy=asked.energy_requested if length else Scaled(value=0),
            created_at=now,
        )
        return request.grant

    def of(self, lfdi: str) -> Sequence[FlowRequest]:
        """Those of one device: the start asked for rising, then creation falling (4.7)."""
        seen = [r for r in self._requests.values() if r.lfdi == lfdi]
        return sorted(seen, key=_order)

    def all(self) -> Sequence[FlowRequest]:
        """Every one, in order of arrival."""
        return tuple(self._requests.values())

    def by_mrid(self, mrid: str) -> FlowRequest | None:
        """By its identifier."""
        return self._requests.get(canonical_mrid(mrid))

    def granted(self, mrid: str) -> FlowRequest | None:
        """The request that was answered under this mRID."""
        wanted = canonical_mrid(mrid)
        granted = (r for r in self._requests.values() if r.grant)
        return next(
            (r for r in granted if r.grant and canonical_mrid(r.grant.mrid) == wanted), None
        )


def _asked(resource: FlowReservationRequest) -> tuple[object, ...]:
    return (
        canonical_mrid(resource.mrid),
        resource.duration_requested,
        resource.energy_requested.number,
        resource.interval_requested,
        resource.power_requested.number,
    )


def _order(request: FlowRequest) -> tuple[datetime, float]:
    asked = request.resource
    return asked.interval_requested.start, -asked.creation_time.timestamp()
