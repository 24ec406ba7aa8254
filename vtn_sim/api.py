"""A REST API to drive and observe the utility. No access control: keep it on loopback."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from contracts.errors import PermanentError
from contracts.http_problem import install_problem_handlers, problem
from contracts.openadr.payloads import ItemBase
from contracts.time import Clock
from vtn_sim import judge
from vtn_sim.config import JudgeSettings, ReportWish
from vtn_sim.openadr.actions import Announce, EventChange, UnfitError
from vtn_sim.openadr.api import openadr_router
from vtn_sim.openadr.event_payload import UnsendableError, VtnEvent
from vtn_sim.openadr.events import UnknownEventError
from vtn_sim.openadr.journal import Journal
from vtn_sim.openadr.procedures import UnknownProcedureError
from vtn_sim.openadr.refusal import INVALID_ID, Refusal
from vtn_sim.openadr.run import Runs
from vtn_sim.openadr.vtn import Vtn
from vtn_sim.scenario import whole_second
from vtn_sim.sep2.api import sep2_router
from vtn_sim.sep2.refusal import UnknownNameError
from vtn_sim.sep2.server import Sep2Server
from vtn_sim.spec import Identifier
from vtn_sim.views import (
    EventView,
    MessageView,
    ReportsView,
    RequestView,
    SeriesView,
    VenView,
    VerdictView,
)


class NewReportRequest(ReportWish):
    """Which points are wanted of which VEN; none named means every usage point."""

    ven_id: Identifier
    r_ids: tuple[Identifier, ...] = ()


def api_app(
    vtn: Vtn,
    journal: Journal,
    rules: JudgeSettings,
    clock: Clock,
    sep2: Sep2Server | None = None,
    runs: Runs | None = None,
) -> FastAPI:
    """The utility's own side as an application."""
    app = FastAPI(title="Gridyard utility simulator", docs_url=None, redoc_url=None)
    install_problem_handlers(app)
    _install_refusals(app)
    app.include_router(_vens(vtn))
    app.include_router(_events(vtn, clock))
    app.include_router(_verdicts(vtn, rules, clock))
    app.include_router(_reports(vtn))
    app.include_router(_messages(journal))
    app.include_router(openadr_router(vtn, runs or Runs(vtn)))
    if sep2 is not None:
        app.include_router(sep2_router(sep2))
    return app


def _install_refusals(app: FastAPI) -> None:
    """Our own errors as problem documents."""

    @app.exception_handler(PermanentError)
    async def permanent(request: Request, error: PermanentError) -> JSONResponse:
        unknown = UnknownEventError | UnknownNameError | UnknownProcedureError
        unfit = 422 if isinstance(error, UnfitError | UnsendableError) else 409
        status = 404 if isinstance(error, unknown) else unfit
        return problem(status, str(error), instance=request.url.path)

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> JSONResponse:
        status = 404 if error.code == INVALID_ID else 409
        return problem(status, str(error), instance=request.url.path)


def _vens(vtn: Vtn) -> APIRouter:
    router = APIRouter(prefix="/api/vens")

    @router.get("")
    async def vens() -> list[VenView]:
        """Every known VEN."""
        return [VenView.of(ven) for ven in vtn.registry.vens]

    @router.post("/{ven_id}/reregistration", status_code=202)
    async def reregister(ven_id: str) -> None:
        """Demand with the next poll that the VEN registers again."""
        vtn.ask_reregistration(ven_id)

    @router.delete("/{ven_id}/registration", status_code=202)
    async def cancel(ven_id: str) -> None:
        """End the registration with the next poll."""
        vtn.ask_cancellation(ven_id)

    return router


def _events(vtn: Vtn, clock: Clock) -> APIRouter:
    router = APIRouter(prefix="/api/events")

    def view(event: VtnEvent) -> EventView:
        return EventView.of(event, list(vtn.events.deliveries(event.event_id)), clock.now())

    @router.get("")
    async def events() -> list[EventView]:
        """Every event with the answers to it."""
        return [view(event) for event in vtn.events.events]

    @router.get("/{event_id}")
    async def event(event_id: str) -> EventView:
        """One event with the answers to it."""
        return view(vtn.events.event(event_id))

    @router.post("", status_code=201)
    async def create(new: Announce) -> EventView:
        """Announce an event."""
        now = clock.now()
        start = new.start or whole_second(now + timedelta(seconds=new.start_in_s or 0.0))
        return view(vtn.events.add(new, start, now))

    @router.patch("/{event_id}")
    async def modify(event_id: str, change: EventChange) -> EventView:
        """Change an event: the modification number goes up by one."""
        old = vtn.events.event(event_id)
        start = change.start or old.start
        spec = change.applied(old.spec)
        return view(vtn.events.modify(event_id, spec, start, clock.now()))

    @router.delete("/{event_id}")
    async def cancel(event_id: str) -> EventView:
        """Cancel an event: the modification number goes up by one."""
        return view(vtn.events.cancel(event_id, clock.now()))

    return router


def _verdicts(vtn: Vtn, rules: JudgeSettings, clock: Clock) -> APIRouter:
    router = APIRouter(prefix="/api/events/{event_id}")

    @router.get("/verdicts")
    async def verdicts(event_id: str) -> list[VerdictView]:
        """What the judge says about every VEN the event concerns."""
        event = vtn.events.event(event_id)
        concerned = [v.ven_id for v in vtn.registry.vens if event.concerns(v.ven_id)]
        return [VerdictView.model_validate(verdict(event, ven_id)) for ven_id in concerned]

    def verdict(event: VtnEvent, ven_id: str) -> judge.Verdict:
        asked = [one for one in vtn.reports.asked(ven_id) if one.is_telemetry]
        backs = [a.request.specifier.report_back_duration for a in asked]
        settle = timedelta(seconds=rules.settle_s) + max(backs, default=timedelta(0))
        return judge.judge(
            event,
            ven_id,
            [d for d in vtn.events.deliveries(event.event_id) if d.ven_id == ven_id],
            {r_id: vtn.telemetry.series(ven_id, r_id) for a in asked for r_id in a.r_ids},
            judge.Rules(min_coverage=rules.min_coverage, settle=settle),
            clock.now(),
            vtn.opts.on_event(ven_id, event.event_id),
        )

    return router


def _reports(vtn: Vtn) -> APIRouter:
    router = APIRouter(prefix="/api")

    @router.get("/reports")
    async def reports(
        ven_id: str | None = None,
        r_id: str | None = None,
        limit: Annotated[int, Query(ge=0, le=10_000)] = 500,
    ) -> ReportsView:
        """The requests, and the newest `limit` samples of every point."""
        wanted = [v.ven_id for v in vtn.registry.vens if ven_id in (None, v.ven_id)]
        return ReportsView(
            requests=[RequestView.of(a) for a in vtn.reports.asked() if a.ven_id in wanted],
            series=[
                _series(vtn, ven, point, limit)
                for ven in wanted
                for point in vtn.telemetry.points(ven)
                if r_id in (None, point)
            ],
        )

    @router.post("/report-requests", status_code=202)
    async def ask(new: NewReportRequest) -> list[str]:
        """Ask a VEN for a report with its next poll; the ids of the requests."""
        message = vtn.ask_reports(new.ven_id, new, new.r_ids)
        return [request.report_request_id for request in message.requests]

    return router


def _series(vtn: Vtn, ven_id: str, r_id: str, limit: int) -> SeriesView:
    samples = vtn.telemetry.series(ven_id, r_id)
    newest = list(samples[max(0, len(samples) - limit) :])
    return SeriesView.of(ven_id, r_id, _unit(vtn, ven_id, r_id), newest)


def _unit(vtn: Vtn, ven_id: str, r_id: str) -> ItemBase | None:
    descriptions = (d for report in vtn.reports.offers(ven_id) for d in report.descriptions)
    return next((d.item for d in descriptions if d.r_id == r_id), None)


def _messages(journal: Journal) -> APIRouter:
    router = APIRouter(prefix="/api/messages")

    @router.get("")
    async def messages(
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
        after: int = 0,
        wait_s: Annotated[float, Query(ge=0, le=30)] = 0.0,
    ) -> list[MessageView]:
        """The newest messages numbered above `after`, oldest first; waits for the first one."""
        await journal.newer(after, wait_s)
        return [MessageView.model_validate(message) for message in journal.last(limit, after)]

    @router.get("/{number}")
    async def message(number: int) -> Response:
        """One message as it was on the wire."""
        found = journal.message(number)
        if found is None:
            raise HTTPException(404, f"no message {number}, or it is too long ago")
        # As text: what a peer sent is never interpreted by the browser that looks at it.
        return Response(found.xml, media_type="text/plain; charset=utf-8")

    return router
