"""What events and sites deliver, minute by minute, and what is made of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException
from pydantic import AwareDatetime, Field

from gateway.domain.delivery.course import Course
from gateway.domain.delivery.measured import PortfolioMinute
from gateway.domain.delivery.standing import Standing
from gateway.web.api.schemas import Schema
from gateway.web.lookup import find_event, find_site
from gateway.web.state import WebState

Percent = Annotated[float, Field(description="Of the target, %.")]


class MinuteOut(Schema):
    """All sites of an event over one minute."""

    start: AwareDatetime
    end: AwareDatetime
    target_w: Annotated[float, Field(description="What the utility asked for; 0 after the end.")]
    asked_w: Annotated[float, Field(description="What the sites were asked for together.")]
    delivered_w: Annotated[
        float, Field(description="Baseline less load; below 0 is drawn beyond the baseline.")
    ]
    measured_pct: Annotated[float, Field(description="Part of that which was measured.")]


class DeliveryOut(Schema):
    """Delivered against target."""

    utility_id: str
    event_id: str
    asked_more_pct: Percent
    recent_pct: Annotated[
        float | None, Field(description="Delivered over the last five minutes, of the target.")
    ]
    why: str
    minutes: list[MinuteOut]


class StandingOut(Schema):
    """How a site has delivered in all events so far."""

    site_id: str
    expected_pct: Annotated[
        float, Field(description="Part of what it is asked that it is expected to give.")
    ]
    answers_after_s: Annotated[float, Field(description="How long it takes to follow.")]
    minutes_seen: int
    left_out_since: Annotated[
        AwareDatetime | None, Field(description="It is asked a little only, to see.")
    ]
    why: Annotated[str, Field(description="Why it is left out; empty when it is not.")]


def add_routes(router: APIRouter, state: WebState) -> None:
    """Of events and of sites."""

    @router.get("/events/{utility_id}/{event_id:path}/delivery", tags=["events"])
    async def delivery(utility_id: str, event_id: str) -> DeliveryOut:
        """Delivered against target, minute by minute, and what is asked beyond the target."""
        stored = await find_event(state, utility_id, event_id)
        course = await state.delivery.course(stored.event.key)
        if course is None:
            raise HTTPException(404, f"Nothing of event {event_id!r} has been delivered yet")
        return _course(course, utility_id, event_id)

    @router.get("/sites/{site_id}/standing", tags=["sites"])
    async def standing(site_id: str) -> StandingOut:
        """How a site has delivered so far, and whether it is left out for it."""
        find_site(state, site_id)
        known = {one.site_id: one for one in await state.delivery.standings()}
        return _standing(known.get(site_id, Standing(site_id=site_id)))


def _course(course: Course, utility_id: str, event_id: str) -> DeliveryOut:
    recent = course.recent
    return DeliveryOut(
        utility_id=utility_id,
        event_id=event_id,
        asked_more_pct=100.0 * course.asked_more,
        recent_pct=None if recent is None else 100.0 * recent,
        why=f"{course.words}; {course.correction.cause}",
        minutes=[_minute(one) for one in course.minutes if one.interval.end is not None],
    )


def _minute(one: PortfolioMinute) -> MinuteOut:
    return MinuteOut(
        start=one.interval.start,
        end=one.interval.end or one.interval.start,
        target_w=one.target_w,
        asked_w=one.asked_w,
        delivered_w=one.delivered_w,
        measured_pct=100.0 * one.coverage,
    )


def _standing(one: Standing) -> StandingOut:
    out = one.quarantine
    return StandingOut(
        site_id=one.site_id,
        expected_pct=100.0 * one.credibility.expected,
        answers_after_s=60.0 * one.credibility.lag_min,
        minutes_seen=one.credibility.minutes,
        left_out_since=out.since if out else None,
        why=out.reason if out else "",
    )
