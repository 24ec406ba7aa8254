"""`/api/v1/reports`: the newest reports of a program's month."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel

from contracts.time import Interval
from gateway.domain.settle.period import period_named
from gateway.ports import StoredEvent
from gateway.web.state import WebState

_Period = Annotated[str, Query(max_length=60, description="Such as 2026-10, or 2026-summer.")]


class ParticipantOut(BaseModel):
    """A site that an event addressed."""

    site_id: str
    time_zone: str


class ReportOut(BaseModel):
    """The newest version of one event's report."""

    utility_id: str
    event_id: str
    version: int
    final: bool
    sites: list[ParticipantOut]


def add_routes(router: APIRouter, state: WebState) -> None:
    """Reports over a period."""

    @router.get("/reports", tags=["reports"])
    async def reports(program_id: str, period: _Period) -> list[ReportOut]:
        """The newest report of every event that began in the period, in order of time."""
        program = state.portfolio.program(program_id)
        if program is None:
            raise HTTPException(404, f"There is no program {program_id!r}")
        try:
            window = period_named(period, program.rules.seasons).span(program.zone)
        except ValueError as error:
            raise HTTPException(422, str(error)) from error
        events = await state.ledger.events(ending_after=window.start)
        chosen = [one for one in events if _in(one, program_id, window)]
        found = []
        for stored in sorted(chosen, key=lambda one: (one.event.window.start, one.event.key)):
            data = await state.ledger.report(stored.event.key, curves_of=())
            if data is not None:
                found.append(_out(state, stored, data))
        return found


def _in(stored: StoredEvent, program_id: str, window: Interval) -> bool:
    return stored.event.program_id == program_id and stored.event.window.start in window


def _out(state: WebState, stored: StoredEvent, data: Mapping[str, Any]) -> ReportOut:
    zones = {site.site_id: site.time_zone.key for site in state.portfolio.sites}
    return ReportOut(
        utility_id=stored.event.utility_id,
        event_id=stored.event.event_id,
        version=data["version"],
        final=data["final"],
        sites=[
            ParticipantOut(
                site_id=site["site_id"],
                time_zone=zones.get(site["site_id"], data["header"]["time_zone"]),
            )
            for site in data["sites"]
        ],
    )
