"""The API for programs, version 1: everything the pages show, as JSON."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.web.api import (
    accounts,
    anomalies,
    book,
    completeness,
    configurations,
    controls,
    delivery,
    determinants,
    entering,
    events,
    meter,
    meter_data,
    nominations,
    portfolio,
    prices,
    replay,
    report_list,
    reports,
    sites,
    statements,
    summaries,
    utilities,
    why,
)
from gateway.web.state import WebState

PREFIX = "/api/v1"


def api_routes(state: WebState) -> APIRouter:
    """Every route below `/api/v1`."""
    router = APIRouter(prefix=PREFIX, responses=PROBLEMS)
    portfolio.add_routes(router, state)
    book.add_routes(router, state)
    nominations.add_routes(router, state)
    meter.add_routes(router, state)
    meter_data.add_routes(router, state)
    sites.add_routes(router, state)
    accounts.add_routes(router, state)
    anomalies.add_routes(router, state)
    configurations.add_routes(router, state)
    controls.add_routes(router, state)
    prices.add_routes(router, state)
    report_list.add_routes(router, state)
    summaries.add_routes(router, state)
    reports.add_routes(router, state)
    statements.add_routes(router, state)
    determinants.add_routes(router, state)
    replay.add_routes(router, state)
    utilities.add_routes(router, state)
    completeness.add_routes(router, state)
    delivery.add_routes(router, state)
    why.add_routes(router, state)
    entering.add_routes(router, state)
    events.add_routes(router, state)  # last: its ids may hold slashes
    return router


PROBLEMS: dict[int | str, dict[str, object]] = {
    "default": {
        "description": "A problem document (RFC 9457)",
        "content": {
            "application/problem+json": {
                "schema": {
                    "type": "object",
                    "required": ["type", "title", "status"],
                    "properties": {
                        "type": {"type": "string"},
                        "title": {"type": "string"},
                        "status": {"type": "integer"},
                        "instance": {"type": "string"},
                    },
                },
                "example": {
                    "type": "about:blank",
                    "title": "There is no site 'x'",
                    "status": 404,
                    "instance": "/api/v1/sites/x",
                },
            }
        },
    }
}
