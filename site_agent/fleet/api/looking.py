"""`/sessions`, `/readiness`, `/expected`: what has been charged, and how it looks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.exceptions import HTTPException

from site_agent.domain.fleet import readiness
from site_agent.domain.fleet.identity import Presented
from site_agent.domain.session import ChargingSession
from site_agent.fleet.api import schemas
from site_agent.fleet.api.gate import Call, Gate
from site_agent.fleet.api.service import FleetService
from site_agent.flows.fleet.roster import LiveRoster

DAY = timedelta(days=1)
LONGEST = timedelta(days=366)


def add_routes(router: APIRouter, gate: Gate, service: FleetService) -> None:
    """Routes that only read."""
    _add_sessions(router, gate, service)

    @router.get("/readiness", tags=["readiness"], response_model=schemas.Readiness)
    async def how_it_looks(request: Request) -> Response:
        """Whether each vehicle will have its energy when it leaves, and if not, why."""

        async def work(_: Call) -> Response:
            judged = service.prospects()
            if judged is None:
                raise HTTPException(
                    503, "The agent has not looked at its chargers yet", {"Retry-After": "5"}
                )
            at, found = judged
            return _answer(schemas.Readiness(at=at, vehicles=[_prospect(one) for one in found]))

        return await gate.answer(request, work)

    @router.get("/expected", tags=["readiness"], response_model=schemas.Stays)
    async def expected(request: Request) -> Response:
        """Who is expected within the next 36 h."""

        async def work(call: Call) -> Response:
            names = schemas.Stay.model_fields
            stays = [
                schemas.Stay(**{name: getattr(stay, name) for name in names})
                for stay in service.expected(call.at)
            ]
            return _answer(schemas.Stays(at=call.at, stays=stays))

        return await gate.answer(request, work)


def _add_sessions(router: APIRouter, gate: Gate, service: FleetService) -> None:
    @router.get("/sessions", tags=["sessions"], response_model=schemas.SessionPage)
    async def sessions(
        request: Request,
        since: Annotated[
            schemas.Instant | None, Query(description="None: a day before `until`.")
        ] = None,
        until: Annotated[schemas.Instant | None, Query(description="None: now.")] = None,
        limit: Annotated[int, Query(ge=1, le=1000, description="Most of a page.")] = 100,
        after: Annotated[int, Query(ge=0, description="Only ids after this.")] = 0,
    ) -> Response:
        """Sessions that ran at some time in `[since, until)`, running ones too, in pages."""

        async def work(call: Call) -> Response:
            found = await _between(service, since, until, call.at)
            found = [one for one in found if one.transaction_id > after]
            page = [_session(one, service.roster) for one in found[:limit]]
            more = page[-1].session_id if len(found) > limit else None
            return _answer(schemas.SessionPage(sessions=page, next_after=more))

        return await gate.answer(request, work)


async def _between(
    service: FleetService, since: datetime | None, until: datetime | None, now: datetime
) -> list[ChargingSession]:
    end = until or now
    start = since or end - DAY
    if not timedelta(0) <= end - start <= LONGEST:
        raise HTTPException(422, f"since must lie before until, by {LONGEST.days} days at most")
    return list(await service.sessions.sessions(start, end))


def _session(one: ChargingSession, roster: LiveRoster) -> schemas.Session:
    who = roster.access.identify(Presented(token=one.id_tag), one.evse_id)
    return schemas.Session(
        session_id=one.transaction_id,
        evse_id=one.evse_id,
        vehicle_id=who.vehicle,
        started_at=one.started_at,
        ended_at=one.ended_at,
        reason=one.reason,
        energy_wh=one.energy.energy_wh,
        energy_quality=one.energy.quality.value,
        remarks=list(one.energy.remarks),
    )


def _prospect(one: readiness.Readiness) -> schemas.Prospect:
    need = one.need
    return schemas.Prospect(
        vehicle_id=need.vehicle_id,
        known=need.known,
        evse_id=need.evse_id or None,
        here=one.here,
        soc_pct=one.soc_pct,
        required_wh=need.required_wh,
        departure=need.departure,
        rank=need.rank,
        outlook=one.outlook.value,
        reason=one.reason,
        ready_at=one.ready_at,
        missing_wh=one.missing_wh,
        helps=one.helps,
    )


def _answer(found: schemas.Answer) -> Response:
    return Response(found.model_dump_json(), media_type="application/json")
