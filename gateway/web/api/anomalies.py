"""`/api/v1/anomalies` and `/api/v1/sites/{site_id}/anomalies`: what is wrong with measurements."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import AwareDatetime, Field

from contracts.time import Interval
from gateway.domain.anomaly.finding import Code, Finding
from gateway.web.api.schemas import Schema
from gateway.web.state import WebState

_BACK = timedelta(days=7)
From = Annotated[
    AwareDatetime | None, Query(alias="from", description="By default seven days ago.")
]
To = Annotated[AwareDatetime | None, Query(alias="to", description="By default now.")]


class AnomalyOut(Schema):
    """One thing that is wrong, with its evidence."""

    site_id: str
    code: Code
    subject: Annotated[str, Field(description="A point, an EVSE, or `site`.")]
    start: AwareDatetime
    end: Annotated[AwareDatetime, Field(description="Of the evidence.")]
    reason: str
    what_to_do: str


def add_routes(router: APIRouter, state: WebState) -> None:
    """Anomalies."""

    @router.get("/anomalies", tags=["portfolio"])
    async def anomalies(start: From = None, end: To = None) -> list[AnomalyOut]:
        """What was found wrong at any site, newest first; at most 1000."""
        return await _found(state, None, start, end)

    @router.get("/sites/{site_id}/anomalies", tags=["sites"])
    async def site_anomalies(site_id: str, start: From = None, end: To = None) -> list[AnomalyOut]:
        """What was found wrong at a site whose evidence touches a window, newest first."""
        if state.portfolio.site(site_id) is None:
            raise HTTPException(404, f"There is no site {site_id!r}")
        return await _found(state, site_id, start, end)


async def _found(
    state: WebState,
    site_id: str | None,
    start: AwareDatetime | None,
    end: AwareDatetime | None,
) -> list[AnomalyOut]:
    if state.anomalies is None:
        return []
    until = end or state.now()
    since = start or until - _BACK
    if since >= until:
        raise HTTPException(422, "'from' must lie before 'to'")
    window = Interval(start=since, end=until)
    return [_out(*one) for one in await state.anomalies.anomalies_within(site_id, window)]


def _out(site_id: str, one: Finding) -> AnomalyOut:
    return AnomalyOut(
        site_id=site_id,
        code=one.code,
        subject=one.subject,
        start=one.evidence.start,
        end=one.evidence.end or one.evidence.start,
        reason=one.reason,
        what_to_do=one.what_to_do,
    )
