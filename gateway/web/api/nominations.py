"""`/api/v1/nominations`: what is promised to programs, proposed from the book and decided here."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Query, Response
from pydantic import AwareDatetime

from gateway.domain.nomination.nomination import Nomination
from gateway.web.api.idempotency import Answers
from gateway.web.api.nomination_schemas import (
    NominationOut,
    ProposeIn,
    VerdictIn,
    nomination_out,
)
from gateway.web.state import WebState

_SHOWN = timedelta(days=62)
_ONE = "/nominations/{nomination_id}"
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", max_length=200, description="Repeat safely with the same key."),
]


def add_routes(router: APIRouter, state: WebState) -> None:
    """Looking at nominations, proposing and deciding; every one may be repeated."""

    @router.get("/nominations", tags=["nominations"])
    async def nominations(
        program: Annotated[str, Query(max_length=200)] = "",
        since: Annotated[
            AwareDatetime | None,
            Query(
                description="Left out: those of periods that ended in the last 62 days, or later."
            ),
        ] = None,
    ) -> list[NominationOut]:
        """Every revision for every period that had not ended then, newest period first."""
        if program and not state.portfolio.versions(program):
            raise HTTPException(404, f"There is no program {program!r}")
        from_then = state.now() - _SHOWN if since is None else since
        found = await state.nominations.nominations(program or None, from_then)
        return [nomination_out(one, state.now()) for one in found]

    @router.get(_ONE, tags=["nominations"])
    async def nomination(nomination_id: str) -> NominationOut:
        """One nomination: its quantities with how each came about, and its life so far."""
        return nomination_out(await _find(state, nomination_id), state.now())

    _add_proposing(router, state)
    _add_deciding(router, state)


def _add_proposing(router: APIRouter, state: WebState) -> None:
    answers = Answers()

    @router.post("/nominations", tags=["nominations"], status_code=201)
    async def propose(
        wanted: ProposeIn, response: Response, idempotency_key: Key = None
    ) -> NominationOut:
        """Propose what to promise for a period. 201 for a new revision, 200 when nothing is new.

        404 for an unknown program, 409 when there is nothing to propose, with the reason.
        """
        answers.check(idempotency_key, wanted.model_dump_json())
        if not state.portfolio.versions(wanted.program_id):
            raise HTTPException(404, f"There is no program {wanted.program_id!r}")
        dates = None if wanted.first is None else (wanted.first, wanted.last)
        made, new = await state.nominations.propose(
            wanted.program_id, dates, wanted.by, _said(wanted.reason), idempotency_key
        )
        if not new:
            response.status_code = 200
        return nomination_out(made, state.now())


def _add_deciding(router: APIRouter, state: WebState) -> None:
    answers = Answers()

    @router.post(_ONE + "/decisions", tags=["nominations"])
    async def decide(
        nomination_id: str, wanted: VerdictIn, idempotency_key: Key = None
    ) -> NominationOut:
        """Accept, refuse or withdraw; 409 after the gate. Doing it twice changes nothing."""
        answers.check(idempotency_key, f"{nomination_id} {wanted.model_dump_json()}")
        await _find(state, nomination_id)
        found = await state.nominations.decide(
            nomination_id, wanted.decision.status, wanted.by, _said(wanted.reason)
        )
        return nomination_out(found, state.now())


async def _find(state: WebState, nomination_id: str) -> Nomination:
    """A nomination by its id.

    Raises:
        HTTPException: 404, there is none.
    """
    found = await state.nominations.nomination(nomination_id)
    if found is None:
        raise HTTPException(404, f"There is no nomination {nomination_id!r}")
    return found


def _said(reason: str) -> str:
    return " ".join(reason.split()) or "no reason given"
