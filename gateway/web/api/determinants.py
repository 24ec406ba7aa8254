"""`/api/v1/determinants`: figures told from outside, which statements are made from."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import AwareDatetime, BaseModel, Field

from contracts.errors import PermanentError
from contracts.time import Interval
from gateway.domain.price.timeline import PriceStep, PriceTimeline
from gateway.domain.settle.determinant import Determinant, What, newest
from gateway.web.state import WebState

_MOST = 2000
Text = Annotated[str, Field(min_length=1, max_length=400)]


class PriceIn(BaseModel):
    """One price over a stretch of an event."""

    start: AwareDatetime
    end: AwareDatetime
    per_kwh: Annotated[Decimal, Field(ge=-1_000_000, le=1_000_000)]


class DeterminantIn(BaseModel):
    """One figure, as its operator tells it."""

    program_id: Annotated[str, Field(min_length=1, max_length=200)]
    what: What
    subject: Text
    """A month `2026-07`, an event `utility/event`, a season `2025-summer`, a year, or `*`."""
    source: Text
    """Where it stands, for whoever checks the statement."""
    told_by: Annotated[str, Field(min_length=1, max_length=120)]
    value: Annotated[Decimal, Field(ge=-1_000_000, le=1_000_000)] | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    at: AwareDatetime | None = None
    """Of a peak: when its interval began."""
    prices: Annotated[tuple[PriceIn, ...], Field(max_length=_MOST)] = ()
    """Market prices over an event, instead of one value."""


class DeterminantOut(BaseModel):
    """One figure as it is kept."""

    number: int
    program_id: str
    what: What
    subject: str
    figure: str
    """Its value in words."""
    source: str
    told_by: str
    told_at: AwareDatetime
    holds: bool
    """False: a later one on the same subject does."""


def add_routes(router: APIRouter, state: WebState) -> None:
    """Telling and looking up."""

    @router.get("/determinants", tags=["statements"])
    async def determinants(
        program_id: Annotated[str, Query(max_length=200)],
    ) -> list[DeterminantOut]:
        """All that was ever told about a program, newest first."""
        try:
            told = await state.statements.told(program_id)
        except PermanentError as error:
            raise HTTPException(404, str(error)) from error
        holding = {one.number for one in newest(told).values()}
        return [_out(one, holds=one.number in holding) for one in reversed(told)]

    @router.post("/determinants", tags=["statements"])
    async def tell(
        wanted: Annotated[list[DeterminantIn], Field(min_length=1, max_length=_MOST)],
    ) -> list[DeterminantOut]:
        """Keep these figures: all, or none where one makes no sense. Telling again adds nothing.

        Statements that hang on them are made again by themselves within a minute.
        """
        try:
            kept = await state.statements.tell([_told(one, state) for one in wanted])
        except (PermanentError, ValueError) as error:
            raise HTTPException(422, str(error)) from error
        return [_out(one, holds=True) for one in kept]


def _told(one: DeterminantIn, state: WebState) -> Determinant:
    return Determinant(
        program_id=one.program_id,
        what=one.what,
        subject=one.subject,
        source=one.source,
        told_by=one.told_by,
        told_at=state.now(),
        value=one.value,
        at=one.at,
        currency="" if one.prices else one.currency or "",
        prices=_prices(one, state) if one.prices else None,
    )


def _prices(one: DeterminantIn, state: WebState) -> PriceTimeline:
    if one.currency is None:
        raise ValueError("currency: say in which the prices are")
    return PriceTimeline.of(
        one.source,
        one.currency,
        (
            PriceStep(
                interval=Interval(start=price.start, end=price.end),
                per_kwh=price.per_kwh,
                source_id="told",
                as_of=state.now(),
            )
            for price in one.prices
        ),
    )


def _out(one: Determinant, *, holds: bool) -> DeterminantOut:
    return DeterminantOut(
        number=one.number,
        program_id=one.program_id,
        what=one.what,
        subject=one.subject,
        figure=one.figure,
        source=one.source,
        told_by=one.told_by,
        told_at=one.told_at,
        holds=holds,
    )
