"""Why, the journal and the yard list, for programs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel
from starlette.exceptions import HTTPException

from contracts.errors import TransientError
from site_agent.domain.journal import Entry
from site_agent.domain.why.answer import Answer
from site_agent.domain.why.asked import SITE, UnknownSubjectError, subjects
from site_agent.web.state import Move, WebState

MOST = 1_000
RETRY_AFTER_S = 5
_AT = "A past instant, RFC 3339; left out: now."
_BEFORE = "Only entries before this instant, RFC 3339 (the oldest of the page before)."


class StepBody(BaseModel):
    """One link of the chain from a limit to what a device does."""

    what: str
    text: str


class AnswerBody(BaseModel):
    """Why something is (or was) as it is."""

    subject: str
    kind: Literal["site", "node", "charger", "battery", "pv", "vehicle"]
    at: datetime
    """Of the control cycle that is explained."""
    sentence: str
    binding: str | None
    """The limit or fact that binds; null: nothing of the site does."""
    steps: list[StepBody]


class EntryBody(BaseModel):
    """One change and its cause."""

    at: datetime
    kind: Literal["setpoint", "limit", "vehicle", "mode", "plan"]
    subject: str
    text: str
    binding: str | None
    steps: list[StepBody]


class SubjectBody(BaseModel):
    """Something that can be asked about."""

    subject: str
    kind: str


class MoveBody(BaseModel):
    """One thing for people in the yard to do."""

    vehicle: str
    from_evse: str | None
    """null: from a parking place, or from the road."""
    to_evse: str | None
    """null: to a parking place."""
    at: datetime
    """When it should be done."""
    by: datetime
    """Done later than this, a vehicle leaves without its energy."""
    why: str


def api_routes(state: WebState) -> APIRouter:
    """The routes; errors are problem documents."""
    router = APIRouter(prefix="/api", tags=["why"])

    @router.get("/subjects")
    async def everything() -> list[SubjectBody]:
        """All that can be asked about."""
        seen = state.journal.seen
        if seen is None:
            raise _later("the agent has not looked at its devices yet")
        found = subjects(seen)
        return [SubjectBody(subject=name, kind=of.value) for name, of in found.items()]

    @router.get("/why")
    async def why_site(
        at: Annotated[AwareDatetime | None, Query(description=_AT)] = None,
    ) -> AnswerBody:
        """What binds the site."""
        return await _answer(state, SITE, at)

    @router.get("/why/{subject:path}")
    async def why(
        subject: str, at: Annotated[AwareDatetime | None, Query(description=_AT)] = None
    ) -> AnswerBody:
        """Why a charger, battery, inverter, vehicle or circuit node is (or was) as it is."""
        return await _answer(state, subject, at)

    @router.get("/journal")
    async def journal(
        subject: Annotated[str | None, Query(max_length=100)] = None,
        before: Annotated[AwareDatetime | None, Query(description=_BEFORE)] = None,
        most: Annotated[int, Query(ge=1, le=MOST)] = 100,
    ) -> list[EntryBody]:
        """What has changed and why, newest first."""
        try:
            entries = await state.journal.page(subject, before, most)
        except TransientError as error:
            raise _later(str(error)) from error
        return [entry_body(entry) for entry in entries]

    @router.get("/yard")
    async def yard() -> list[MoveBody]:
        """Who should be plugged in where, by time; empty where every vehicle has a plug."""
        return [_move(one) for one in state.moves()]

    return router


def _move(one: Move) -> MoveBody:
    return MoveBody(
        vehicle=one.vehicle_id,
        from_evse=one.from_evse,
        to_evse=one.to_evse,
        at=one.at,
        by=one.by,
        why=one.why,
    )


async def _answer(state: WebState, subject: str, at: datetime | None) -> AnswerBody:
    try:
        return answer_body(await state.journal.why(subject, at))
    except UnknownSubjectError as error:
        raise HTTPException(404, str(error)) from error
    except TransientError as error:
        raise _later(str(error)) from error


def answer_body(answer: Answer) -> AnswerBody:
    """An answer as it goes out."""
    return AnswerBody(
        subject=answer.name,
        kind=answer.of.value,
        at=answer.at,
        sentence=answer.sentence,
        binding=answer.binding or None,
        steps=_steps(answer),
    )


def entry_body(entry: Entry) -> EntryBody:
    """An entry as it goes out."""
    return EntryBody(
        at=entry.at,
        kind=entry.kind.value,
        subject=entry.subject,
        text=entry.text,
        binding=None if entry.answer is None else entry.answer.binding or None,
        steps=[] if entry.answer is None else _steps(entry.answer),
    )


def _steps(answer: Answer) -> list[StepBody]:
    return [StepBody(what=step.what, text=step.text) for step in answer.steps]


def _later(why: str) -> HTTPException:
    return HTTPException(503, f"Try again soon: {why}", headers={"Retry-After": str(RETRY_AFTER_S)})
