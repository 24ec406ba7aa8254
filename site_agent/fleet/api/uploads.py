"""`/import`: a CSV file of vehicles or trips."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from site_agent.fleet.api.gate import Call, Gate
from site_agent.fleet.api.schemas import Changed
from site_agent.fleet.api.service import FleetService
from site_agent.fleet.files.importing import import_file

_BODY = {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}


def add_routes(router: APIRouter, gate: Gate, service: FleetService) -> None:
    """The route that takes files."""

    @router.post(
        "/import", tags=["files"], response_model=Changed, openapi_extra={"requestBody": _BODY}
    )
    async def upload(
        request: Request,
        dry_run: Annotated[bool, Query(description="Only say what it would do.")] = False,
    ) -> Response:
        """Take a CSV file of vehicles or trips: all of it or nothing; faults are told by line."""

        async def work(call: Call) -> Response:
            done = await import_file(
                service.roster, call.body, service.time_zone, call.at, dry_run=dry_run
            )
            changed = Changed(
                changed=list(done.changed), unchanged=list(done.unchanged), dry_run=dry_run
            )
            return Response(changed.model_dump_json(), media_type="application/json")

        return await gate.answer(request, work)
