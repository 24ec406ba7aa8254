"""`/vehicles`: read, replace, change and forget vehicles, one or many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from site_agent.config.fleet_vehicle import VehicleFacts
from site_agent.domain.fleet.facts import Change, Json, Source
from site_agent.domain.fleet.known import Fault, InvalidFactsError
from site_agent.fleet.api.bodies import json_object
from site_agent.fleet.api.conditions import etag, expected_revision, unchanged
from site_agent.fleet.api.gate import Call, Gate
from site_agent.fleet.api.schemas import Changed, Told, Vehicle, VehiclePage
from site_agent.fleet.api.service import FleetService
from site_agent.flows.fleet.roster import Entry, LiveRoster

MOST_AT_ONCE = 500
VehicleId = Annotated[str, Path(min_length=1, max_length=60, description="The vehicle's id.")]
_BODY = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Vehicle"}}},
}
_PATCH = {
    "required": True,
    "content": {
        "application/merge-patch+json": {"schema": {"$ref": "#/components/schemas/Vehicle"}}
    },
}


def add_routes(router: APIRouter, gate: Gate, service: FleetService) -> None:
    """Routes that read vehicles, and those that change them."""
    _add_reading(router, gate, service.roster)
    _add_changing(router, gate, service.roster)


def _add_reading(router: APIRouter, gate: Gate, roster: LiveRoster) -> None:
    @router.get("/vehicles", tags=["vehicles"], response_model=VehiclePage)
    async def vehicles(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=500, description="Most vehicles of a page.")] = 100,
        after: Annotated[str, Query(max_length=60, description="Only ids after this.")] = "",
    ) -> Response:
        """Every vehicle, by id, in pages."""

        async def work(_: Call) -> Response:
            ids = [one for one in roster.ids() if one > after]
            found = [vehicle_out(known(roster, one)) for one in ids[:limit]]
            more = ids[limit - 1] if len(ids) > limit else None
            return json_answer(VehiclePage(vehicles=found, next_after=more))

        return await gate.answer(request, work)

    @router.get("/vehicles/{vehicle_id}", tags=["vehicles"], response_model=Vehicle)
    async def vehicle(request: Request, vehicle_id: VehicleId) -> Response:
        """One vehicle; its `ETag` guards a later change (`If-Match`)."""

        async def work(call: Call) -> Response:
            entry = known(roster, vehicle_id)
            if unchanged(call.request.headers, entry):
                return Response(status_code=304, headers={"ETag": etag(entry)})
            return entry_answer(entry)

        return await gate.answer(request, work)


def _add_changing(router: APIRouter, gate: Gate, roster: LiveRoster) -> None:
    extra = {"requestBody": _BODY}

    @router.put(
        "/vehicles/{vehicle_id}", tags=["vehicles"], response_model=Vehicle, openapi_extra=extra
    )
    async def put(request: Request, vehicle_id: VehicleId) -> Response:
        """Make or replace a vehicle: what the body does not name is taken back."""
        return await gate.answer(request, lambda call: _told(roster, call, vehicle_id, whole=True))

    @router.patch(
        "/vehicles/{vehicle_id}",
        tags=["vehicles"],
        response_model=Vehicle,
        openapi_extra={"requestBody": _PATCH},
    )
    async def patch(request: Request, vehicle_id: VehicleId) -> Response:
        """Change some data of a vehicle (JSON merge patch, RFC 7396): null takes one back.

        `soc_at` beside `soc_pct` says when it was measured.
        """
        return await gate.answer(request, lambda call: _told(roster, call, vehicle_id, whole=False))

    @router.delete("/vehicles/{vehicle_id}", tags=["vehicles"], status_code=204)
    async def delete(request: Request, vehicle_id: VehicleId) -> Response:
        """Forget a vehicle that is not in the site's settings file."""

        async def work(call: Call) -> Response:
            entry = known(roster, vehicle_id)
            await roster.remove(vehicle_id, expected_revision(call.request.headers, entry))
            return Response(status_code=204)

        return await gate.answer(request, work)

    @router.post("/vehicles", tags=["vehicles"], response_model=Changed)
    async def upsert(request: Request) -> Response:
        """Make or change up to 500 vehicles, as by merge patches: all of them or none."""
        return await gate.answer(request, lambda call: _told_many(roster, call))


async def _told(roster: LiveRoster, call: Call, vehicle_id: str, *, whole: bool) -> Response:
    body, before = json_object(call), roster.entry(vehicle_id)
    if before is None and not whole:
        raise HTTPException(404, f"There is no vehicle {vehicle_id!r}: make it with PUT")
    if body.pop("vehicle_id", vehicle_id) != vehicle_id:
        raise HTTPException(422, "The body names another vehicle than the address")
    revision = expected_revision(call.request.headers, before)
    expected = {} if revision is None else {vehicle_id: revision}
    await roster.tell([_change(call, vehicle_id, body, whole=whole)], expected)
    return entry_answer(known(roster, vehicle_id), 201 if before is None else 200)


async def _told_many(roster: LiveRoster, call: Call) -> Response:
    vehicles = json_object(call).get("vehicles")
    if not isinstance(vehicles, list) or not 1 <= len(vehicles) <= MOST_AT_ONCE:
        raise HTTPException(422, f'The body must be {{"vehicles": [1 to {MOST_AT_ONCE} of them]}}')
    changes = []
    for index, one in enumerate(vehicles):
        name = one.pop("vehicle_id", None) if isinstance(one, dict) else None
        if not isinstance(name, str) or not 1 <= len(name) <= 60:  # noqa: PLR2004 (as in the settings)
            raise HTTPException(422, f"vehicles/{index}: vehicle_id must be 1 to 60 characters")
        changes.append(_change(call, name, one, whole=False))
    moved = await roster.tell(changes)
    names = {change.vehicle_id for change in changes}
    return json_answer(Changed(changed=sorted(moved), unchanged=sorted(names - moved)))


def _change(call: Call, vehicle_id: str, body: Mapping[str, Json], *, whole: bool) -> Change:
    """A body as a change; `soc_at` says when its state of charge was measured."""
    given = dict(body)
    measured = given.pop("soc_at", None)
    for name in ("told", "in_settings"):  # as read; not for writing
        given.pop(name, None)
    try:
        at = None if measured is None else VehicleFacts(arrives=measured).arrives
    except ValidationError as error:
        fault = Fault(pointer="/soc_at", detail="an instant (RFC 3339), with its offset")
        raise InvalidFactsError(vehicle_id, [fault]) from error
    if at is not None and at > call.at:
        fault = Fault(pointer="/soc_at", detail="lies in the future")
        raise InvalidFactsError(vehicle_id, [fault])
    return Change(
        vehicle_id=vehicle_id,
        values=given,
        source=Source.API,
        at=call.at,
        measured_at=at,
        whole=whole,
    )


# --- answers --------------------------------------------------------------------------------------


def known(roster: LiveRoster, vehicle_id: str) -> Entry:
    """A vehicle's data.

    Raises:
        HTTPException: 404, there is no such vehicle.
    """
    entry = roster.entry(vehicle_id)
    if entry is None:
        raise HTTPException(404, f"There is no vehicle {vehicle_id!r}")
    return entry


def vehicle_out(entry: Entry) -> Vehicle:
    """A vehicle as the API tells it."""
    origins = {
        name: Told(source=entry.facts[name].source.value, at=entry.facts[name].at)
        if name in entry.facts
        else Told(source=Source.SETTINGS.value)
        for name in entry.values
    }
    more: dict[str, Any] = {"in_settings": entry.settled, "told": origins}
    return Vehicle(vehicle_id=entry.vehicle_id, **entry.values, **more)


def entry_answer(entry: Entry, status: int = 200) -> Response:
    """One vehicle, with its entity tag."""
    answer = json_answer(vehicle_out(entry), status)
    answer.headers["ETag"] = etag(entry)
    return answer


def json_answer(found: Any, status: int = 200) -> Response:  # noqa: ANN401 (any model)
    """A model as JSON, without what is not known."""
    body = found.model_dump(mode="json", exclude_unset=True, exclude_none=False)
    return JSONResponse(body, status)
