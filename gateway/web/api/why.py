"""`/api/v1/why`: an event, a site or an instruction explains itself."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import AwareDatetime

from gateway.domain.why import Answer, Line
from gateway.web.api.schemas import T0, Schema, example
from gateway.web.explaining import desk_of, zone_of
from gateway.web.state import WebState

At = Annotated[datetime | None, Query(description="A past time, with its offset; left out: now.")]
Zone = Annotated[
    str | None, Query(max_length=100, description="IANA name of the zone of times in sentences.")
]


class WhyLineOut(Schema):
    """One link of the chain, with what it is made of."""

    what: str
    text: str
    at: AwareDatetime | None
    lines: list[WhyLineOut]


class WhyOut(Schema):
    """One sentence, then the chain from cause to effect."""

    model_config = example(
        subject="pacific-utility/evt-2026-1121",
        kind="event",
        at=T0,
        sentence="Event evt-2026-1121 of Peak Relief runs until 19:00 and asks to reduce by "
        "105.0 kW against baseline: 3 of 3 sites are asked for it, nothing is missing",
        lines=[{"what": "binds", "text": "3 fair share", "at": None, "lines": []}],
    )

    subject: str
    kind: str
    at: AwareDatetime
    sentence: str
    lines: list[WhyLineOut]


def add_routes(router: APIRouter, state: WebState) -> None:
    """Each answers 404 for what was never heard of, 422 for a time or a zone that is none."""
    desk = desk_of(state)

    @router.get("/why/event/{event_key:path}", tags=["why"])
    async def event(event_key: str, at: At = None, zone: Zone = None) -> WhyOut:
        """Why an event stands as it does: who asked, which rules, who decided, what binds."""
        return _out(await desk.event(event_key, _past(state, at), zone_of(zone)), event_key)

    @router.get("/why/site/{site_id}", tags=["why"])
    async def site(site_id: str, at: At = None, zone: Zone = None) -> WhyOut:
        """Why a site is told what it is told, and whether it is counted on."""
        return _out(await desk.site(site_id, _past(state, at), zone_of(zone)), site_id)

    @router.get("/why/instruction/{instruction_id}", tags=["why"])
    async def instruction(instruction_id: str, at: At = None, zone: Zone = None) -> WhyOut:
        """Why a site was told this, and what became of it."""
        found = await desk.instruction(instruction_id, _past(state, at), zone_of(zone))
        return _out(found, instruction_id)


def _past(state: WebState, at: datetime | None) -> datetime | None:
    """The time asked about.

    Raises:
        HTTPException: 422, it has no offset, or is yet to come.
    """
    if at is not None and at.tzinfo is None:
        raise HTTPException(422, "at: say the offset, such as 2026-11-21T01:12:30Z")
    if at is not None and at > state.now():
        raise HTTPException(422, "at: that time is yet to come")
    return at


def _out(answer: Answer | None, subject: str) -> WhyOut:
    if answer is None:
        raise HTTPException(404, f"Nothing is known of {subject!r}, or was by then")
    return WhyOut(
        subject=answer.subject,
        kind=answer.kind,
        at=answer.at,
        sentence=answer.sentence,
        lines=[_line(one) for one in answer.lines],
    )


def _line(one: Line) -> WhyLineOut:
    lines = [_line(each) for each in one.lines]
    return WhyLineOut(what=one.what, text=one.text, at=one.at, lines=lines)
