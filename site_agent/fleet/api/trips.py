"""`/vehicles/{id}/trips`: journeys with a date."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from starlette.exceptions import HTTPException

from site_agent.config.fleet_vehicle import TripSettings
from site_agent.domain.fleet.facts import Change, Source
from site_agent.fleet.api.bodies import json_object
from site_agent.fleet.api.gate import Call, Gate
from site_agent.fleet.api.schemas import TripPage
from site_agent.fleet.api.service import FleetService
from site_agent.fleet.api.vehicles import VehicleId, known
from site_agent.fleet.trips import Trips, over, trips_of
from site_agent.flows.fleet.roster import LiveRoster, StaleRevisionError

TripId = Annotated[str, Path(min_length=1, max_length=60, description="The trip's id.")]
_TRIES = 5
_BODY = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/TripSettings"}}},
}


def add_routes(router: APIRouter, gate: Gate, service: FleetService) -> None:
    """Routes of a vehicle's trips."""
    roster = service.roster

    @router.get("/vehicles/{vehicle_id}/trips", tags=["trips"], response_model=TripPage)
    async def trips(request: Request, vehicle_id: VehicleId) -> Response:
        """Its trips, by departure."""

        async def work(_: Call) -> Response:
            return _page(roster, vehicle_id)

        return await gate.answer(request, work)

    @router.put(
        "/vehicles/{vehicle_id}/trips/{trip_id}",
        tags=["trips"],
        response_model=TripPage,
        openapi_extra={"requestBody": _BODY},
    )
    async def put(request: Request, vehicle_id: VehicleId, trip_id: TripId) -> Response:
        """Make or replace one trip; the answer has them all."""

        async def work(call: Call) -> Response:
            told = json_object(call) | {"trip_id": trip_id}
            return await _edited(roster, call, vehicle_id, lambda held: [*held, told], trip_id)

        return await gate.answer(request, work)

    @router.delete(
        "/vehicles/{vehicle_id}/trips/{trip_id}", tags=["trips"], response_model=TripPage
    )
    async def delete(request: Request, vehicle_id: VehicleId, trip_id: TripId) -> Response:
        """Take one trip back; the answer has those that are left."""

        async def work(call: Call) -> Response:
            if all(one["trip_id"] != trip_id for one in trips_of(known(roster, vehicle_id))):
                raise HTTPException(404, f"Vehicle {vehicle_id!r} has no trip {trip_id!r}")
            return await _edited(roster, call, vehicle_id, lambda held: held, trip_id)

        return await gate.answer(request, work)


async def _edited(
    roster: LiveRoster,
    call: Call,
    vehicle_id: str,
    edit: Callable[[Trips], Trips],
    trip_id: str,
) -> Response:
    """`edit` gets all trips but this one; somebody else's change in between is looked at anew."""
    for left in reversed(range(_TRIES)):
        entry = known(roster, vehicle_id)
        held = trips_of(known(roster, vehicle_id))
        kept = [one for one in held if one["trip_id"] != trip_id and not over(one, call.at)]
        change = Change(
            vehicle_id=vehicle_id,
            values={"trips": edit(kept) or None},
            source=Source.API,
            at=call.at,
        )
        try:
            await roster.tell([change], {vehicle_id: entry.revision})
            break
        except StaleRevisionError:
            if not left:
                raise
    return _page(roster, vehicle_id)


def _page(roster: LiveRoster, vehicle_id: str) -> Response:
    trips = [TripSettings.model_validate(one) for one in trips_of(known(roster, vehicle_id))]
    page = TripPage(trips=sorted(trips, key=lambda one: one.departs))
    return Response(page.model_dump_json(), media_type="application/json")
