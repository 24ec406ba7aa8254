"""`/api/v1/.../replays`: a past event or day again by other rules. Nothing of it is stored."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from contracts.errors import PermanentError
from contracts.time import Interval
from gateway.flows.replay.desk import ReplayDesk
from gateway.web.api.replay_schemas import DayIn, OtherwiseIn, ReplayOut, replay_out
from gateway.web.lookup import find_event
from gateway.web.state import WebState

_IMPOSSIBLE = 422


def add_routes(router: APIRouter, state: WebState) -> None:
    """An event again, and hours of a day."""

    @router.post("/events/{utility_id}/{event_id:path}/replays", tags=["reports"])
    async def replay_event(utility_id: str, event_id: str, told: OtherwiseIn) -> ReplayOut:
        """The event as it is measured, and by other rules; what differs."""
        stored = await find_event(state, utility_id, event_id)
        try:
            found = await _desk(state).event(stored.event.key, told.otherwise())
        except PermanentError as error:
            raise HTTPException(_IMPOSSIBLE, str(error)) from error
        return replay_out(found)

    @router.post("/replays", tags=["reports"])
    async def replay_day(told: DayIn) -> ReplayOut:
        """Hours without an event: what is "delivered" is how far a baseline was off."""
        if told.end <= told.start:
            raise HTTPException(_IMPOSSIBLE, "end must lie after start")
        window = Interval(start=told.start, end=told.end)
        try:
            found = await _desk(state).day(told.measured_by, window, told.otherwise())
        except PermanentError as error:
            raise HTTPException(_IMPOSSIBLE, str(error)) from error
        return replay_out(found)


def _desk(state: WebState) -> ReplayDesk:
    if state.replays is None:
        raise HTTPException(404, "This gateway measures nothing again")
    return state.replays
