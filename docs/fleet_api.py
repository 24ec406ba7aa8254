"""The fleet API from its own description: routes, what they take and what they answer."""
# ruff: noqa: INP001 (a script's part, not of a package)

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from contracts.clock import SystemClock
from site_agent.config.fleet import StrangerSettings
from site_agent.config.fleet_roster import reader
from site_agent.config.fleet_systems import FleetApiSettings
from site_agent.domain.fleet.access import Access
from site_agent.domain.fleet.happenings import Kind
from site_agent.domain.fleet.known import Settled
from site_agent.fleet.api import PREFIX, fleet_routes, schemas
from site_agent.fleet.api.service import FleetService
from site_agent.fleet.files.columns import TRIP, VEHICLE
from site_agent.flows.fleet.roster import LiveRoster
from site_agent.store.memory import MemoryOutbox, MemorySessions
from site_agent.store.memory_fleet import MemoryAnswers, MemoryRoster

Format = Callable[[type[BaseModel], str, str], Iterator[str]]
_ABOUT = f"""\
Below `{PREFIX}` on the agent's web server, as `GET /api/openapi.json` of a running agent has it for
programs; [how to connect](../how-to/connect-a-fleet-system.md). Every request carries
`Authorization: Bearer TOKEN`. `GET` needs the scope `fleet:read`, all else `fleet:write`.
Errors are problem documents (RFC 9457); of invalid data with a JSON pointer to each fault.

| status | when |
|---|---|
| 400 | the body is no JSON, too deep, or a header cannot be read |
| 401, 403 | no token of this site; a token without the scope |
| 404 | there is no such vehicle or trip |
| 409 | a card, VIN or bay would be of two; it is in the settings; the request is under way |
| 412 | `If-Match` or `If-None-Match` does not hold: read it again |
| 413, 415 | more than 1 MiB; another content type |
| 422 | data out of range, or an `Idempotency-Key` that was used for another request |
| 429, 503 | too fast; cannot be stored now: `Retry-After` says when to come again |
"""


def page(made: str, form: Format) -> str:
    """The page of the reference."""
    lines = ["# Fleet API", "", made, "", *_ABOUT.splitlines(), "", "## Routes", ""]
    lines += ["| request | does |", "|---|---|", *_routes(_document())]
    lines += ["", "## What is said", "", *_models(form)]
    lines += ["## Webhooks", "", "Events, as `type` in the body:", ""]
    lines += [f"- `{kind.value}`" for kind in Kind]
    lines += ["", "## CSV columns", "", *_columns()]
    return "\n".join(lines) + "\n"


def _document() -> dict[str, Any]:
    strangers = StrangerSettings()
    settled = Settled(
        base={}, access=Access(), stranger=strangers.vehicle(), evses=frozenset(),
        read=reader("UTC", strangers),
    )  # fmt: skip
    service = FleetService(
        roster=LiveRoster(settled, MemoryRoster()),
        sessions=MemorySessions(MemoryOutbox()),
        prospects=_not_yet,
        expected=lambda now: (),
        clock=SystemClock(),
        time_zone="UTC",
    )
    app = FastAPI(title="fleet", version="1")
    app.include_router(fleet_routes(FleetApiSettings(), service, MemoryAnswers()))
    return app.openapi()


def _not_yet() -> tuple[datetime, tuple[()]] | None:
    return None


def _routes(document: dict[str, Any]) -> Iterator[str]:
    for path, methods in sorted(document["paths"].items()):
        for method, route in methods.items():
            told = " ".join(route["description"].split())
            query = [
                f"`{one['name']}`: {one.get('description', '')}"
                for one in route.get("parameters", [])
                if one["in"] == "query"
            ]
            more = f" Query: {' '.join(query)}" if query else ""
            yield f"| `{method.upper()} {path.removeprefix(PREFIX)}` | {told}{more} |"


def _models(form: Format) -> Iterator[str]:
    models: tuple[type[BaseModel], ...] = (
        schemas.VehiclePage, schemas.TripPage, schemas.Changed, schemas.SessionPage,
        schemas.Readiness, schemas.Stays,
    )  # fmt: skip
    for model in models:
        yield from form(model, model.__name__, "###")
    yield ""


def _columns() -> Iterator[str]:
    for title, known in (("vehicles", VEHICLE), ("trips (those with `departs`)", TRIP)):
        yield f"A file of {title}:"
        yield ""
        yield "| column | also known as |"
        yield "|---|---|"
        for name, others in known.items():
            yield f"| `{name}` | {', '.join(f'`{one}`' for one in others)} |"
        yield ""
