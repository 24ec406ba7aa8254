"""`POST /api/v1/events`: events by hand and by other programs, their end, a person's decision."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Header, HTTPException, Response

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.event import EventSource, GridEvent, Signal
from gateway.domain.portfolio import Portfolio
from gateway.flows.events.desk import Ask, Change
from gateway.ports import StoredEvent
from gateway.web.api import mapping, schemas
from gateway.web.api.entering_schemas import (
    MAX_LENGTH,
    ChangeIn,
    DecisionIn,
    EventIn,
    ReasonIn,
)
from gateway.web.api.idempotency import Answers
from gateway.web.lookup import find_event
from gateway.web.opting_out import MAX_REASON
from gateway.web.state import WebState

_EVENT = "/events/{utility_id}/{event_id:path}"
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", max_length=200, description="Repeat safely with the same key."),
]


def add_routes(router: APIRouter, state: WebState) -> None:
    """Entering, cancelling and deciding; every one may be repeated."""
    _add_entry(router, state)
    _add_change(router, state)
    _add_cancellation(router, state)
    _add_decision(router, state)


def _add_entry(router: APIRouter, state: WebState) -> None:
    answers = Answers()

    @router.post("/events", tags=["events"], status_code=201)
    async def enter(
        wanted: EventIn, response: Response, idempotency_key: Key = None
    ) -> schemas.EventOut:
        """Enter an event. 201 the first time, 200 when it was there already.

        404 for a program that is not in force at its start, 409 for another event of that name or
        a program that takes no events this way. The answer says how the program's rules see it.
        """
        answers.check(idempotency_key, wanted.model_dump_json())
        event = _event(state.portfolio, wanted, idempotency_key, state.now())
        known = await state.ledger.event(event.key)
        if known is not None:
            _same(known, event)
            response.status_code = 200
            return mapping.event_out(known, state.now())
        await state.desk.enter(event)
        return mapping.event_out(
            await find_event(state, event.utility_id, event.event_id), state.now()
        )


def _add_change(router: APIRouter, state: WebState) -> None:
    answers = Answers()

    @router.patch(_EVENT, tags=["events"])
    async def change(
        utility_id: str, event_id: str, wanted: ChangeIn, idempotency_key: Key = None
    ) -> schemas.EventOut:
        """Change an event that was entered here, also while it runs; the same twice is done once.

        409 when it is over, a utility's own, or has been changed since `revision`.
        """
        stored = await find_event(state, utility_id, event_id)
        answers.check(idempotency_key, f"{stored.event.key} {wanted.model_dump_json()}")
        change = _change(stored.event, wanted)
        await state.desk.change(stored.event.key, change, _said("changed", wanted.reason))
        return mapping.event_out(await find_event(state, utility_id, event_id), state.now())


def _change(event: GridEvent, wanted: ChangeIn) -> Change:
    """The event as it should be.

    Raises:
        HTTPException: 422, its end does not lie after its start, or too far.
    """
    given = wanted.model_fields_set
    start = wanted.start or event.window.start
    end = wanted.end if "end" in given else event.window.end
    if end is not None and not timedelta(0) < end - start <= MAX_LENGTH:
        raise HTTPException(422, "end must lie after start, at most 31 days")
    ask = None
    if wanted.kind is not None and wanted.value is not None:
        ask = Ask(kind=wanted.kind, value=wanted.value)
    targets = event.targets if wanted.targets is None else tuple(sorted(set(wanted.targets)))
    return Change(
        revision=wanted.revision,
        window=Interval(start=start, end=end),
        ask=ask,
        targets=targets,
        comment=event.comment if wanted.comment is None else wanted.comment,
    )


def _add_cancellation(router: APIRouter, state: WebState) -> None:
    @router.post(_EVENT + "/cancellations", tags=["events"])
    async def cancel(utility_id: str, event_id: str, wanted: ReasonIn) -> schemas.EventOut:
        """Cancel an event that was entered here; a utility's own is 409. Twice changes nothing."""
        stored = await find_event(state, utility_id, event_id)
        await state.desk.cancel_entered(stored.event.key, _said("cancelled", wanted.reason))
        return mapping.event_out(await find_event(state, utility_id, event_id), state.now())


def _add_decision(router: APIRouter, state: WebState) -> None:
    @router.post(_EVENT + "/decisions", tags=["events"])
    async def decide(utility_id: str, event_id: str, wanted: DecisionIn) -> schemas.EventOut:
        """Take part in an event or not, whatever rules and policies say; 409 when it is over."""
        stored = await find_event(state, utility_id, event_id)
        cause = _said(f"{wanted.opt.value} decided", wanted.reason)
        await state.desk.decide(stored.event.key, wanted.opt, cause)
        return mapping.event_out(await find_event(state, utility_id, event_id), state.now())


def _event(portfolio: Portfolio, wanted: EventIn, key: str | None, now: datetime) -> GridEvent:
    """The event in our words.

    Raises:
        HTTPException: 404, no version of the program is in force at its start.
    """
    program = portfolio.program(wanted.program_id, wanted.start)
    if program is None:
        raise HTTPException(404, f"No program {wanted.program_id!r} is in force at its start")
    window = Interval(start=wanted.start, end=wanted.end)
    made = uuid4().hex if key is None else sha256(key.encode()).hexdigest()[:32]
    return GridEvent(
        utility_id=program.utility_id,
        event_id=wanted.event_id or f"entered-{made}",
        modification=0,
        program_id=wanted.program_id,
        created_at=now,
        window=window,
        signals=(Signal(kind=wanted.kind, series=StepSeries.of([(window, wanted.value)])),),
        test=wanted.test,
        targets=tuple(sorted(set(wanted.targets))),
        device_classes=tuple(sorted(set(wanted.device_classes))),
        comment=wanted.comment,
        source=EventSource(wanted.source),
    )


def _same(known: StoredEvent, event: GridEvent) -> None:
    """Whether an event of this name is the one that is entered again.

    Raises:
        HTTPException: 409, it is another one.
    """
    one = known.event
    mine, theirs = (
        (e.program_id, e.window, e.signals, e.targets, e.device_classes, e.test)
        for e in (event, one)
    )
    if theirs != mine:
        raise HTTPException(
            409, f"There is another event {event.event_id!r}: cancel it, or enter a new name"
        )


def _said(what: str, reason: str) -> str:
    said = " ".join(reason.split())[:MAX_REASON] or "no reason given"
    return f"{what} by a person at the gateway: {said}"
