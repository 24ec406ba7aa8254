"""`/healthz`, `/readyz` and `/metrics`, for whoever keeps us running."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from contracts.errors import TransientError
from contracts.http_problem import problem
from gateway.web import metrics
from gateway.web.state import WebState


def probe_routes(state: WebState) -> APIRouter:
    """Alive, ready, and how it is going."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        """Ready when the store answers; a utility that is down is told, no more."""
        try:
            await state.ledger.events(ending_after=state.now())
        except TransientError as error:
            return problem(503, "The store cannot be reached", detail=str(error))
        checks = dict(state.checks())
        if not all(checks.values()):
            return problem(503, "Not everything we need is up", checks=checks)
        utilities = {health.utility_id: health.connected for health in state.utilities()}
        return JSONResponse({"status": "ready", "checks": checks, "utilities": utilities})

    @router.get("/metrics")
    async def scrape() -> Response:
        return Response(await metrics.exposition(state), media_type=metrics.CONTENT_TYPE)

    return router
