"""Whether the agent lives and controls, for supervisors and monitors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from fastapi import APIRouter, Response

from contracts.http_problem import problem
from contracts.time import Clock
from site_agent.flows.control.control_loop import Cycle

LONGEST = timedelta(seconds=10)
"""A control cycle older than this means that the site is not controlled."""


def health_routes(latest: Callable[[], Cycle | None], clock: Clock) -> APIRouter:
    """`/healthz`: 200 while control cycles come, else 503."""
    router = APIRouter()

    @router.get("/healthz", include_in_schema=False)
    async def healthz() -> Response:
        cycle = latest()
        if cycle is None:
            return problem(503, "The control loop has not run yet")
        age = clock.now() - cycle.snapshot.at
        if age > LONGEST:
            return problem(503, f"The last control cycle was {age.total_seconds():.0f} s ago")
        return Response("ok\n", media_type="text/plain")

    return router
