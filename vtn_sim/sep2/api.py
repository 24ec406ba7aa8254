"""The utility's own side of its IEEE 2030.5 server: tell it what to do, look at what came."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from starlette.exceptions import HTTPException

from vtn_sim.sep2.actions import Action
from vtn_sim.sep2.court import Court
from vtn_sim.sep2.events import EventBook, SpecT
from vtn_sim.sep2.received import ReceivedResponse
from vtn_sim.sep2.server import Sep2Server
from vtn_sim.sep2.views import (
    DeviceView,
    EventVerdictView,
    EventView,
    ExchangeView,
    FlowRequestView,
    LogEventView,
    QuantityView,
    ResponseView,
    ServerView,
    SubscriptionView,
    UpkeepVerdictView,
    UpkeepView,
)

PREFIX = "/api/sep2"


def sep2_router(server: Sep2Server) -> APIRouter:
    """All of it below `/api/sep2`."""
    router = APIRouter()
    router.include_router(_control(server))
    router.include_router(_events(server, Court(server.utility, server.exchanges)))
    router.include_router(_received(server))
    router.include_router(_exchanges(server))
    return router


def _control(server: Sep2Server) -> APIRouter:
    router, utility = APIRouter(prefix=PREFIX), server.utility

    @router.get("")
    async def server_now() -> ServerView:
        """The server itself."""
        return ServerView(
            entry=utility.hrefs.entry,
            prefix=utility.hrefs.prefix,
            now=utility.now(),
            habits=utility.habits,
            faults=len(utility.faults.all()),
            poll_rates=utility.poll_rates,
            poll_rate_s=utility.poll_rate_s,
            post_rate_s=utility.post_rate_s,
        )

    @router.post("/actions")
    async def act(action: Annotated[Action, Body()]) -> dict[str, Any]:
        """Do something: `{"action": "cancel-event", "event": "evening"}` for example."""
        return server.director.perform(action)

    @router.get("/devices")
    async def devices() -> list[DeviceView]:
        """Every EndDevice, the aggregators' own too."""
        return [DeviceView.of(device) for device in utility.devices.all()]

    @router.get("/devices/{key}")
    async def device(key: str) -> DeviceView:
        """One EndDevice by its label or LFDI."""
        return DeviceView.of(utility.devices.get(key))

    return router


def _events(server: Sep2Server, court: Court) -> APIRouter:
    router, utility = APIRouter(prefix=PREFIX), server.utility

    def views(book: EventBook[SpecT]) -> list[EventView]:
        now = utility.now()
        return [EventView.of(e, utility.status(book, e, now)) for e in book.all()]  # type: ignore[arg-type] # a control

    @router.get("/events")
    async def events() -> list[EventView]:
        """Every DERControl and EndDeviceControl."""
        return [*views(utility.controls), *views(utility.load_controls)]

    @router.get("/events/{name}/verdicts")
    async def verdicts(name: str) -> list[EventVerdictView]:
        """What the judge says about every EndDevice the event was for."""
        return [EventVerdictView.model_validate(one) for one in court.verdicts(name)]

    @router.get("/verdicts")
    async def upkeep() -> UpkeepView:
        """What the judge says about DER information, readings and poll rates."""
        return UpkeepView(
            devices=[UpkeepVerdictView.model_validate(one) for one in court.devices()],
            paces=[UpkeepVerdictView.model_validate(one) for one in court.paces()],
        )

    return router


def _received(server: Sep2Server) -> APIRouter:
    router, utility = APIRouter(prefix=PREFIX), server.utility

    def view(record: ReceivedResponse) -> ResponseView:
        device = utility.devices.by_lfdi(record.lfdi)
        books = (utility.controls, utility.load_controls)
        event = next((e.name for book in books if (e := book.by_mrid(record.subject))), None)
        return ResponseView.of(record, record.lfdi if device is None else device.label, event)

    @router.get("/responses")
    async def responses(event: str | None = None) -> list[ResponseView]:
        """Every Response, or those to one event, in order of arrival."""
        views = (view(record) for record in utility.received.responses())
        return [one for one in views if event in (None, one.event)]

    @router.get("/devices/{key}/log-events")
    async def log_events(key: str) -> list[LogEventView]:
        """The LogEvents of one EndDevice, in order of arrival."""
        lfdi = utility.devices.get(key).lfdi
        return [LogEventView.of(record) for record in utility.received.log_events(lfdi)]

    @router.get("/readings")
    async def readings(
        device: str | None = None, limit: Annotated[int, Query(ge=0, le=10_000)] = 100
    ) -> list[QuantityView]:
        """Every quantity with its newest `limit` readings."""
        lfdi = None if device is None else utility.devices.get(device).lfdi
        return [
            QuantityView.of(mirror, quantity, limit)
            for mirror in utility.mirrors.all()
            for quantity in mirror.quantities.values()
            if lfdi in (None, mirror.lfdi)
        ]

    @router.get("/subscriptions")
    async def subscriptions() -> list[SubscriptionView]:
        """Every Subscription."""
        return [SubscriptionView.of(held) for held in utility.subscriptions.all()]

    @router.get("/flow-requests")
    async def flow_requests() -> list[FlowRequestView]:
        """Every FlowReservationRequest with what was granted."""
        return [FlowRequestView.of(request) for request in utility.flows.all()]

    return router


def _exchanges(server: Sep2Server) -> APIRouter:
    router, exchanges = APIRouter(prefix=PREFIX), server.exchanges

    @router.get("/requests")
    async def requests() -> dict[str, int]:
        """How many requests came, by method and kind."""
        return dict(exchanges.counts)

    @router.delete("/requests", status_code=204)
    async def reset() -> None:
        """Count from zero, to measure what discovery costs for example."""
        exchanges.reset_counts()

    @router.get("/exchanges")
    async def newest(
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
        after: int = 0,
        wait_s: Annotated[float, Query(ge=0, le=30)] = 0.0,
    ) -> list[ExchangeView]:
        """The newest exchanges numbered above `after`, oldest first; waits for the first one."""
        await exchanges.newer(after, wait_s)
        return [ExchangeView.model_validate(one) for one in exchanges.last(limit, after)]

    @router.get("/exchanges/{number}")
    async def one(number: int) -> ExchangeView:
        """One exchange as it was on the wire."""
        found = exchanges.get(number)
        if found is None:
            raise HTTPException(404, f"no exchange {number}, or it is too long ago")
        return ExchangeView.model_validate(found)

    return router
