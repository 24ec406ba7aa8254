"""`/api/v1/events`: what utilities asked, our answers, plans, instructions, and opt-outs."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Query, Response

from gateway.domain.scope import scope_of
from gateway.ports import StoredEvent
from gateway.web.api import mapping, schemas
from gateway.web.api.idempotency import Answers
from gateway.web.lookup import find_event
from gateway.web.opting_out import opt_in, opt_out
from gateway.web.state import WebState

_EVENT = "/events/{utility_id}/{event_id:path}"
PageSize = Annotated[int, Query(ge=1, le=1000)]
PageToken = Annotated[str | None, Query(max_length=1000)]
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", max_length=200, description="Repeat safely with the same key."),
]


def add_routes(router: APIRouter, state: WebState) -> None:
    """Events and everything about one; the event itself comes last, its id may hold slashes."""

    @router.get("/events", tags=["events"])
    async def events(page_size: PageSize = 100, page_token: PageToken = None) -> schemas.EventPage:
        """Events by start, newest first."""
        every, now = await state.ledger.events(), state.now()
        first = 0 if page_token is None else _after(every, page_token)
        shown = every[first : first + page_size]
        more = first + page_size < len(every)
        return schemas.EventPage(
            items=[mapping.event_out(stored, now) for stored in shown],
            next_page_token=_token(shown[-1].event.key) if more else None,
        )

    _add_parts(router, state)
    _add_opt_outs(router, state)
    _add_opt_ins(router, state)

    @router.get(_EVENT, tags=["events"])
    async def event(utility_id: str, event_id: str) -> schemas.EventOut:
        """One event at its newest modification."""
        return mapping.event_out(await find_event(state, utility_id, event_id), state.now())


def _add_parts(router: APIRouter, state: WebState) -> None:
    @router.get(_EVENT + "/plans", tags=["events"])
    async def plans(utility_id: str, event_id: str) -> list[schemas.PlanOut]:
        """Every revision of the plan, oldest first."""
        stored = await find_event(state, utility_id, event_id)
        scope = scope_of(stored.event, state.portfolio.program_of(stored.event))
        plans = await state.ledger.plans(stored.event.key)
        return [mapping.plan_out(plan, scope) for plan in plans]

    @router.get(_EVENT + "/instructions", tags=["events"])
    async def instructions(utility_id: str, event_id: str) -> list[schemas.InstructionOut]:
        """Every instruction sent to a site, with what became of it."""
        stored = await find_event(state, utility_id, event_id)
        rows = await state.ledger.instructions(stored.event.key)
        return [mapping.instruction_out(row) for row in rows]

    @router.get(_EVENT + "/journal", tags=["events"])
    async def journal(utility_id: str, event_id: str) -> list[schemas.JournalOut]:
        """Why: every decision about the event with its cause, in order of time."""
        stored = await find_event(state, utility_id, event_id)
        return [mapping.journal_out(e) for e in await state.ledger.journal(stored.event.key)]


def _add_opt_outs(router: APIRouter, state: WebState) -> None:
    answers = Answers()

    @router.post(_EVENT + "/opt-outs", tags=["events"], status_code=201)
    async def opt_outs(
        utility_id: str,
        event_id: str,
        wanted: schemas.OptOutIn,
        response: Response,
        idempotency_key: Key = None,
    ) -> schemas.OptOutOut:
        """Take one site out of the event. 201 the first time, 200 when it was out already."""
        stored = await find_event(state, utility_id, event_id)
        answers.check(idempotency_key, f"{stored.event.key} {wanted.model_dump_json()}")
        if wanted.site_id in stored.opted_out_sites:
            response.status_code = 200
        else:
            await opt_out(state, stored, wanted.site_id, wanted.reason)
        return schemas.OptOutOut(utility_id=utility_id, event_id=event_id, site_id=wanted.site_id)


def _add_opt_ins(router: APIRouter, state: WebState) -> None:
    answers = Answers()

    @router.post(_EVENT + "/opt-ins", tags=["events"])
    async def opt_ins(
        utility_id: str,
        event_id: str,
        wanted: schemas.OptOutIn,
        idempotency_key: Key = None,
    ) -> schemas.OptInOut:
        """Take a site that opted out back into the event; one that did not is left as it is."""
        stored = await find_event(state, utility_id, event_id)
        answers.check(idempotency_key, f"{stored.event.key} {wanted.model_dump_json()}")
        await opt_in(state, stored, wanted.site_id, wanted.reason)
        return schemas.OptInOut(utility_id=utility_id, event_id=event_id, site_id=wanted.site_id)


def _token(event_key: str) -> str:
    return urlsafe_b64encode(event_key.encode()).decode()


def _after(every: Sequence[StoredEvent], token: str) -> int:
    """Where the page after this token begins."""
    try:
        key = urlsafe_b64decode(token.encode()).decode()
        return 1 + next(i for i, stored in enumerate(every) if stored.event.key == key)
    except (ValueError, StopIteration) as error:
        raise HTTPException(422, "page_token is not one of ours") from error
