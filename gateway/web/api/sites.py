"""`/api/v1/sites`: sites, their newest readings, series, and vehicles' readiness."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import AwareDatetime

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.web.api import (
    binding_schemas,
    fairness,
    mapping,
    offer_schemas,
    schemas,
    site_schemas,
)
from gateway.web.lookup import find_site
from gateway.web.state import WebState

MAX_STEPS = 1440
"""Most steps of one answer; ask for a longer interval, or for less time."""
LONGEST = timedelta(days=400)
Seconds = Annotated[float, Query(gt=0, le=86_400, description="Mean over intervals this long.")]


def add_routes(router: APIRouter, state: WebState) -> None:
    """Sites and what they measure."""

    def described() -> dict[str, site_schemas.SiteOut]:
        live = state.live.snapshot()
        return {
            one.site.site_id: mapping.site_out(one, programs_of(one.site.site_id), live.at)
            for one in live.sites
        }

    def programs_of(site_id: str) -> list[str]:
        return [e.program_id for e in state.portfolio.enrolments if e.site_id == site_id]

    @router.get("/sites", tags=["sites"])
    async def sites() -> list[site_schemas.SiteOut]:
        """Every site of the portfolio."""
        return list(described().values())

    @router.get("/sites/{site_id}", tags=["sites"])
    async def site(site_id: str) -> site_schemas.SiteOut:
        """One site."""
        return described()[find_site(state, site_id).site_id]

    @router.get("/sites/{site_id}/vehicles", tags=["sites"])
    async def vehicles(site_id: str) -> list[schemas.VehicleOut]:
        """The newest word on every vehicle of a site."""
        find_site(state, site_id)
        return [mapping.vehicle_out(row) for row in await state.ledger.readiness(site_id)]

    @router.get("/sites/{site_id}/envelopes", tags=["sites"])
    async def envelopes(site_id: str) -> list[binding_schemas.EnvelopeOut]:
        """What each utility imposes on a site beside every event, now and later, and why."""
        find_site(state, site_id)
        stored, now = await state.ledger.envelopes(), state.now()
        return [mapping.envelope_out(o, now) for o in stored if o.envelope.site_id == site_id]

    _add_offer(router, state)
    _add_telemetry(router, state)
    fairness.add_routes(router, state)


def _add_offer(router: APIRouter, state: WebState) -> None:
    @router.get("/sites/{site_id}/offer", tags=["sites"])
    async def offer(site_id: str) -> offer_schemas.OfferOut:
        """What a site can lower and raise in the coming hours: its newest offer; 404: none yet."""
        found = find_site(state, site_id)
        newest = await state.ledger.offer(site_id)
        if newest is None:
            raise HTTPException(404, f"{site_id} has told no offer yet")
        return offer_schemas.offer_out(site_id, newest, simulated=found.simulated)


def _add_telemetry(router: APIRouter, state: WebState) -> None:
    @router.get("/sites/{site_id}/telemetry", tags=["telemetry"])
    async def latest(site_id: str) -> schemas.TelemetryOut:
        """The newest reading of every point, with quality and age."""
        found, now = find_site(state, site_id), state.now()
        readings = await state.telemetry.latest(site_id)
        return schemas.TelemetryOut(
            site_id=site_id,
            simulated=found.simulated,
            readings={point: mapping.reading_out(one, now) for point, one in readings.items()},
        )

    @router.get("/sites/{site_id}/telemetry/{point:path}", tags=["telemetry"])
    async def series(
        site_id: str,
        point: str,
        start: AwareDatetime,
        end: AwareDatetime,
        interval_s: Seconds | None = None,
    ) -> schemas.SeriesOut:
        """One point over `[start, end)`; gaps are left out, never filled."""
        found, window = find_site(state, site_id), _window(start, end, interval_s)
        measured = await state.telemetry.series(site_id, point, window)
        answer = measured if interval_s is None else _means(measured, window, interval_s)
        if len(answer) > MAX_STEPS:
            raise HTTPException(422, f"More than {MAX_STEPS} steps: give interval_s, or less time")
        return schemas.SeriesOut(
            site_id=site_id,
            point=point,
            simulated=found.simulated,
            start=start,
            end=end,
            interval_s=interval_s,
            steps=mapping.steps(answer),
        )


def _window(start: AwareDatetime, end: AwareDatetime, interval_s: float | None) -> Interval:
    if not timedelta(0) < end - start <= LONGEST:
        raise HTTPException(422, f"end must lie after start, at most {LONGEST.days} days")
    if interval_s is not None and (end - start).total_seconds() / interval_s > MAX_STEPS:
        raise HTTPException(422, f"More than {MAX_STEPS} intervals: make them longer")
    return Interval(start=start, end=end)


def _means(measured: StepSeries, window: Interval, interval_s: float) -> StepSeries:
    pieces = (
        (piece, measured.mean(piece)) for piece in window.split(timedelta(seconds=interval_s))
    )
    return StepSeries.of((piece, mean) for piece, mean in pieces if mean is not None)
