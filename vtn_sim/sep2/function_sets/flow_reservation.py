"""FlowReservationRequests of vehicles and what the utility answers (10.9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from contracts.sep2.codes import EventState
from contracts.sep2.resources import (
    FlowReservationRequest,
    FlowReservationRequestList,
    FlowReservationResponse,
    FlowReservationResponseList,
)
from vtn_sim.sep2.devices import Device
from vtn_sim.sep2.events import Status
from vtn_sim.sep2.flow import FlowGrant, FlowRequest
from vtn_sim.sep2.function_sets.common import FunctionSet, event_status, interval
from vtn_sim.sep2.refusal import not_found
from vtn_sim.sep2.routing import Call, Posted, Route
from vtn_sim.sep2.server_time import whole


class FlowReservationFunctionSet(FunctionSet):
    """When vehicles may charge or discharge."""

    def routes(self) -> Iterator[Route]:
        """Every path; none unless the function set is offered."""
        if self.utility.settings.flow_reservation is None:
            return
        yield Route(
            pattern="edev/{device}/frq",
            kind="FlowReservationRequestList",
            get=self.requests,
            post=self.ask,
        )
        yield Route(
            pattern="edev/{device}/frq/{request}",
            kind="FlowReservationRequest",
            get=lambda call: self._request_at(self.device(call), self._request(call)),
            put=self.update,
        )
        yield Route(
            pattern="edev/{device}/frp",
            kind="FlowReservationResponseList",
            get=self.responses,
            identified_by="device",
        )
        yield Route(
            pattern="edev/{device}/frp/{request}",
            kind="FlowReservationResponse",
            get=self.response,
        )

    def requests(self, call: Call) -> FlowReservationRequestList:
        """What was asked."""
        device = self.device(call)
        return self.listed(
            FlowReservationRequestList,
            f"{self.hrefs.device(device.number)}/frq",
            self.utility.flows.of(device.lfdi),
            call,
            partial(self._request_at, device),
            time_of=lambda request: request.resource.interval_requested.start,
        )

    def _request_at(self, device: Device, request: FlowRequest) -> FlowReservationRequest:
        href = f"{self.hrefs.device(device.number)}/frq/{request.number}"
        return replace(request.resource, href=href)

    def _request(self, call: Call) -> FlowRequest:
        for request in self.utility.flows.of(self.device(call).lfdi):
            if str(request.number) == call.params["request"]:
                return request
        raise not_found("no such FlowReservationRequest")

    def ask(self, call: Call) -> Posted:
        """A new request, answered by the utility's policy."""
        device, posted = self.device(call), call.read(FlowReservationRequest)
        request, new = self.utility.flows.post(posted, device.lfdi, self.utility.now())
        if new:
            self.utility.consider(request)
        return Posted(location=f"{self.hrefs.device(device.number)}/frq/{request.number}", new=new)

    def update(self, call: Call) -> None:
        """Usually a cancellation."""
        request, posted = self._request(call), call.read(FlowReservationRequest)
        self.utility.flows.update(request, posted, self.utility.now())
        self._changed(self.device(call))

    def _changed(self, device: Device) -> None:
        self.utility.changed(("FlowReservationResponseList", str(device.number)))

    def responses(self, call: Call) -> FlowReservationResponseList:
        """What was answered: start rising, then creation falling."""
        device = self.device(call)
        granted = [request for request in self.utility.flows.of(device.lfdi) if request.grant]
        href = f"{self.hrefs.device(device.number)}/frp"
        return self.listed(
            FlowReservationResponseList, href, granted, call, partial(self._response, href)
        )

    def response(self, call: Call) -> FlowReservationResponse:
        """One answer."""
        href = f"{self.hrefs.device(self.device(call).number)}/frp"
        return self._response(href, self._request(call))

    def _response(self, href: str, request: FlowRequest) -> FlowReservationResponse:
        grant = request.grant
        if grant is None:
            raise not_found("not answered yet")
        base = href.removesuffix("/frp") if self.utility.habits.per_device_hrefs else None
        return FlowReservationResponse(
            href=f"{href}/{grant.number}",
            reply_to=self.hrefs.responses(base or self.hrefs.prefix, "flow"),
            response_required=3,
            mrid=grant.mrid,
            creation_time=whole(grant.created_at),
            event_status=event_status(self._status(request, grant)),
            interval=interval(grant.start, grant.duration),
            energy_available=grant.energy,
            power_available=grant.power,
            subject=request.resource.mrid,
        )

    def _status(self, request: FlowRequest, grant: FlowGrant) -> Status:
        if request.cancelled_at is not None:
            return Status(state=EventState.CANCELLED, since=request.cancelled_at)
        if grant.start <= self.utility.now():
            since = max(grant.start, grant.created_at)
            return Status(state=EventState.ACTIVE, since=since)
        return Status(state=EventState.SCHEDULED, since=grant.created_at)
