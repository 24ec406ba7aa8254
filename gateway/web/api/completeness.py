"""`/api/v1/completeness`: what utilities should have of our telemetry, and what they got."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import AwareDatetime, Field

from contracts.time import Interval
from gateway.domain.completeness import Completeness, completeness
from gateway.web.api.schemas import Schema
from gateway.web.state import WebState

MOST_STRETCHES = 50


class StretchOut(Schema):
    """`[start, end)`."""

    start: AwareDatetime
    end: AwareDatetime | None


class CompletenessOut(Schema):
    """One series; `due = told + behind + gaps`, in intervals."""

    utility_id: str
    key: Annotated[str, Field(description="The report request or usage point.")]
    what: str
    period_s: float
    told_until: AwareDatetime
    due: int
    told: int
    behind: Annotated[int, Field(description="Not told yet, though it is time.")]
    gaps: Annotated[int, Field(description="Told without some or all values, or refused.")]
    share: Annotated[float | None, Field(description="Told over due, 0-1; null: nothing is due.")]
    missing: Annotated[list[StretchOut], Field(description="The newest 50.")]


def add_routes(router: APIRouter, state: WebState) -> None:
    """Read only."""

    @router.get("/completeness", tags=["utilities"])
    async def every(
        utility: Annotated[str, Query(max_length=200)] = "",
        hours: Annotated[float, Query(gt=0, le=24 * 35, description="How far back.")] = 24,
    ) -> list[CompletenessOut]:
        """Every series that utilities have asked for, the least complete first."""
        if utility and utility not in {one.utility_id for one in state.utilities()}:
            raise HTTPException(404, f"There is no utility {utility!r}")
        now = state.now()
        window = Interval(start=now - timedelta(hours=hours), end=now)
        found = (
            completeness(duty, window, now)
            for duty in state.duties()
            if utility in ("", duty.utility_id)
        )
        return [_out(one) for one in sorted(found, key=_place)]


def _place(one: Completeness) -> tuple[float, str, str]:
    return 1.0 if one.share is None else one.share, one.duty.utility_id, one.duty.key


def _out(one: Completeness) -> CompletenessOut:
    duty = one.duty
    return CompletenessOut(
        utility_id=duty.utility_id,
        key=duty.key,
        what=duty.what,
        period_s=duty.period.total_seconds(),
        told_until=duty.told_until,
        due=one.due,
        told=one.told,
        behind=one.behind,
        gaps=one.gaps,
        share=one.share,
        missing=[StretchOut(start=gap.start, end=gap.end) for gap in one.missing][-MOST_STRETCHES:],
    )
