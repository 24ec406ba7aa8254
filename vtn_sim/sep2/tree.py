"""The whole resource tree: one request in, one answer out, without any transport."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from contracts.sep2 import codec
from contracts.sep2.resources import Error, Resource
from vtn_sim.sep2.devices import Device
from vtn_sim.sep2.function_sets.assignments import AssignmentsFunctionSet
from vtn_sim.sep2.function_sets.der import DerFunctionSet
from vtn_sim.sep2.function_sets.der_info import DerInfoFunctionSet
from vtn_sim.sep2.function_sets.device import DeviceFunctionSet
from vtn_sim.sep2.function_sets.flow_reservation import FlowReservationFunctionSet
from vtn_sim.sep2.function_sets.load_control import LoadControlFunctionSet
from vtn_sim.sep2.function_sets.metering import MeteringFunctionSet
from vtn_sim.sep2.function_sets.pricing import PricingFunctionSet
from vtn_sim.sep2.function_sets.response import ResponseFunctionSet
from vtn_sim.sep2.function_sets.subscription import SubscriptionFunctionSet
from vtn_sim.sep2.paging import Page
from vtn_sim.sep2.refusal import CREATED, NO_CONTENT, NOT_ALLOWED, OK, Refused, not_found
from vtn_sim.sep2.routing import Call, Route, Router
from vtn_sim.sep2.subscriptions import Held, Topic
from vtn_sim.sep2.utility import Utility

_HEX_BINARY = re.compile(
    rb"<(deviceCategory|modesSupported|modesEnabled|roleFlags|qualityFlags|localID|value"
    rb"|csipaus:doeModesSupported|csipaus:doeModesEnabled|alarmStatus)>(?:00)+([0-9A-F]{2}[0-9A-F]*)<"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = field(default=())
    resource: Resource | None = None
    remarks: tuple[str, ...] = ()


class Tree:
    """Every function set of the utility."""

    def __init__(self, utility: Utility) -> None:
        self.utility = utility
        self._subscriptions = SubscriptionFunctionSet(utility, self.topic_of)
        self._router = Router(utility.hrefs.prefix, self._routes())

    def _routes(self) -> Iterator[Route]:
        utility = self.utility
        yield from DeviceFunctionSet(utility).routes()
        yield from DerInfoFunctionSet(utility).routes()
        yield from AssignmentsFunctionSet(utility).routes()
        yield from DerFunctionSet(utility).routes()
        yield from LoadControlFunctionSet(utility).routes()
        yield from PricingFunctionSet(utility).routes()
        yield from FlowReservationFunctionSet(utility).routes()
        yield from MeteringFunctionSet(utility).routes()
        yield from ResponseFunctionSet(utility).routes()
        yield from self._subscriptions.routes()

    def kind(self, path: str) -> str:
        """Name of the resource at a path; empty when nothing is there."""
        found = self._router.find(path)
        return "" if found is None else found[0].kind

    def topic_of(self, client: Device, path: str) -> Topic | None:
        """What subscribers to a path want to be told of; None: it cannot be subscribed to."""
        found = self._router.find(path)
        if found is None or found[0].get is None:
            return None
        route, params = found
        try:
            self.read(client, path, Page())
        except Refused:
            return None
        return route.topic(params)

    def subscription_href(self, client: Device, held: Held) -> str:
        """Where a Subscription is."""
        return self._subscriptions.href(client, held)

    def read(self, client: Device, path: str, page: Page, *, endless: bool = False) -> Resource:
        """The resource at a path as a client sees it.

        Raises:
            Refused: 404, nothing is there for it; 405, it cannot be read.
        """
        found = self._router.find(path)
        if found is None:
            raise not_found()
        route, params = found
        if route.get is None:
            raise Refused(NOT_ALLOWED, "not to be read")
        return route.get(Call(client=client, params=params, page=page, endless=endless))

    def answer(
        self,
        client: Device,
        method: str,
        path: str,
        page: Page,
        body: bytes,
        *,
        endless: bool = False,
    ) -> Answer:
        """Do what is asked of the resource at a path."""
        remarks: list[str] = []
        try:
            if method in ("GET", "HEAD"):
                resource = self.read(client, path, page, endless=endless)
                return Answer(status=OK, body=self.encode(resource), resource=resource)
            return self._write(
                method, path, Call(client=client, params={}, body=body, remarks=remarks)
            )
        except Refused as refused:
            return replace(self.refusal(refused), remarks=(*remarks, str(refused)))

    def _write(self, method: str, path: str, call: Call) -> Answer:
        found = self._router.find(path)
        if found is None:
            raise not_found()
        route, params = found
        call = replace(call, params=params)
        if method == "POST" and route.post is not None:
            posted = route.post(call)
            status, where = CREATED if posted.new else NO_CONTENT, ("Location", posted.location)
            return Answer(status=status, headers=(where,), remarks=tuple(call.remarks))
        act = {"PUT": route.put, "DELETE": route.delete}.get(method)
        if act is None:
            raise Refused(NOT_ALLOWED, f"{method} is not allowed here")
        act(call)
        return Answer(status=NO_CONTENT, remarks=tuple(call.remarks))

    def encode(self, resource: Resource) -> bytes:
        """A resource as bytes, with the habits of this server."""
        body = codec.encode(resource, self.utility.dialect)
        return _HEX_BINARY.sub(rb"<\1>\2<", body) if self.utility.habits.short_hex else body

    def refusal(self, refused: Refused) -> Answer:
        """An Error resource."""
        message = str(refused)[:192] if self.utility.habits.error_messages else None
        error = Error(reason_code=refused.reason, message=message)
        return Answer(status=refused.status, body=codec.encode(error))
