"""Responses to events (8.8): where `replyTo` leads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from contracts.sep2.resources import (
    DERControlResponse,
    DrResponse,
    FlowReservationResponseResponse,
    PriceResponse,
    Response,
    ResponseList,
    ResponseSet,
    ResponseSetList,
)
from vtn_sim.sep2.devices import Device
from vtn_sim.sep2.function_sets.common import FunctionSet, list_link
from vtn_sim.sep2.hrefs import RESPONSE_SETS
from vtn_sim.sep2.received import ReceivedResponse
from vtn_sim.sep2.refusal import bad_request, not_found
from vtn_sim.sep2.routing import Call, Posted, Route
from vtn_sim.sep2.server_time import whole

_CLASSES: dict[str, type[Response]] = {
    "der": DERControlResponse,
    "load": DrResponse,
    "price": PriceResponse,
    "flow": FlowReservationResponseResponse,
}


class ResponseFunctionSet(FunctionSet):
    """One ResponseSet for each function set with events."""

    def routes(self) -> Iterator[Route]:
        """Every path."""
        for base in ("", "edev/{device}/"):
            yield Route(pattern=base + "rsps", kind="ResponseSetList", get=self.sets)
            yield Route(
                pattern=base + "rsps/{set}",
                kind="ResponseSet",
                get=lambda call: self.response_set(self.base(call), self._set(call)),
            )
            yield Route(
                pattern=base + "rsps/{set}/rsp",
                kind="ResponseList",
                get=self.responses,
                post=self.respond,
            )
            yield Route(
                pattern=base + "rsps/{set}/rsp/{response}", kind="Response", get=self.response
            )

    def sets(self, call: Call) -> ResponseSetList:
        """The ResponseSets."""
        base = self.base(call)
        return self.listed(
            ResponseSetList,
            f"{base}/rsps",
            RESPONSE_SETS,
            call,
            lambda name: self.response_set(base, name),
        )

    def _set(self, call: Call) -> str:
        if call.params["set"] not in RESPONSE_SETS:
            raise not_found("no such ResponseSet")
        return call.params["set"]

    def response_set(self, base: str, name: str) -> ResponseSet:
        """One ResponseSet."""
        return ResponseSet(
            href=f"{base}/rsps/{name}",
            mrid=self.utility.mrids.stable("ResponseSet", name),
            description=name,
            response_list_link=list_link(self.hrefs.responses(base, name), 0),
        )

    def responses(self, call: Call) -> ResponseList:
        """What the client has answered: newest first."""
        href = self.hrefs.responses(self.base(call), self._set(call))
        build = partial(_resource, href)
        seen = self._seen(call)[::-1]
        return self.listed(ResponseList, href, seen, call, build, time_of=lambda r: r.at)

    def response(self, call: Call) -> Response:
        """One of them."""
        href = self.hrefs.responses(self.base(call), self._set(call))
        for record in self._seen(call):
            if str(record.number) == call.params["response"]:
                return _resource(href, record)
        raise not_found("no such Response")

    def _seen(self, call: Call) -> list[ReceivedResponse]:
        own = self.device(call).lfdi if "device" in call.params else None
        return [
            record
            for record in self.utility.received.responses()
            if record.client == call.client.lfdi
            and record.response_set == call.params["set"]
            and record.problem is None
            and own in (None, record.lfdi)
        ]

    def respond(self, call: Call) -> Posted:
        """Take a Response; a wrong one is refused, and remembered for the judge."""
        href, name = self.hrefs.responses(self.base(call), self._set(call)), self._set(call)
        posted, now = call.read(Response), self.utility.now()
        if self.utility.habits.own_created_time:
            posted = replace(posted, created_date_time=whole(now))
        problem = self._problem(posted, name, call)
        record = self.utility.received.add_response(posted, name, call.client.lfdi, now, problem)
        if problem is not None:
            raise bad_request(problem)
        return Posted(location=f"{href}/{record.number}")

    def _problem(self, posted: Response, name: str, call: Call) -> str | None:
        """Why a Response cannot be taken."""
        device = self.utility.devices.by_lfdi(posted.end_device_lfdi)
        if device is None or not self.owns(call.client, device):
            return "endDeviceLFDI is not the client's"
        if "device" in call.params and device is not self.device(call):
            return "the ResponseSet is another EndDevice's"
        if type(posted) not in (Response, _CLASSES[name]):
            return f"a {type(posted).__name__} in the ResponseSet of {_CLASSES[name].__name__}"
        if posted.status is None:
            return "status is missing"
        if not self._knows(posted.subject, name, device):
            return f"no event {posted.subject}"
        return None

    def _knows(self, subject: str, name: str, device: Device) -> bool:
        match name:
            case "der":
                return self.utility.controls.by_mrid(subject) is not None
            case "load":
                return self.utility.load_controls.by_mrid(subject) is not None
            case "flow":
                request = self.utility.flows.granted(subject)
                return request is not None and request.lfdi == device.lfdi
            case _:
                return self.utility.knows_price(subject)


def _resource(href: str, record: ReceivedResponse) -> Response:
    return replace(record.resource, href=f"{href}/{record.number}")
