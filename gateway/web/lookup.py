"""Find what an address names, or answer 404 in words."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import TypeAlias

from fastapi import HTTPException

from contracts.time import Interval
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.portfolio import Site
from gateway.ports import SiteControl, StoredEvent
from gateway.reports import document
from gateway.web.event_view import EventRecord
from gateway.web.state import WebState

CurvesOf: TypeAlias = Collection[str] | slice | None
_BEFORE, _AFTER = timedelta(minutes=15), timedelta(hours=1)
"""Notices this long before and after an event belong to its page."""


async def find_event(state: WebState, utility_id: str, event_id: str) -> StoredEvent:
    """An event by its two ids.

    Raises:
        HTTPException: 404, there is no such event.
    """
    stored = await state.ledger.event(f"{utility_id}/{event_id}")
    if stored is None:
        raise HTTPException(404, f"There is no event {event_id!r} of utility {utility_id!r}")
    return stored


def find_site(state: WebState, site_id: str) -> Site:
    """A site of the portfolio.

    Raises:
        HTTPException: 404, there is no such site.
    """
    site = state.portfolio.site(site_id)
    if site is None:
        raise HTTPException(404, f"There is no site {site_id!r}")
    return site


def find_control(state: WebState, utility_id: str, control_id: str, site_id: str) -> SiteControl:
    """A control that binds a site or will.

    Raises:
        HTTPException: 404, there is no such site or control.
    """
    wanted = utility_id, control_id.upper()
    for one in state.controls.of_site(find_site(state, site_id).site_id):
        if (one.utility_id, one.control_id) == wanted:
            return one
    what = f"control {control_id!r} of utility {utility_id!r}"
    raise HTTPException(404, f"No {what} binds site {site_id!r} now or later")


async def find_report(
    state: WebState, utility_id: str, event_id: str, version: int | None, curves_of: CurvesOf = None
) -> ParticipationReport:
    """A version of an event's report, or the newest; read off the loop, as it may be long.

    `curves_of`: sites whose curves are read, by id or place; None: all.

    Raises:
        HTTPException: 404, there is no such event, version, or no report yet.
    """
    stored = await find_event(state, utility_id, event_id)
    data = await state.ledger.report(stored.event.key, version, curves_of=curves_of)
    if data is None:
        which = "no report yet" if version is None else f"no version {version} of the report"
        raise HTTPException(404, f"There is {which} for event {event_id!r}")
    return await asyncio.to_thread(document.load, data)


async def record_of(state: WebState, stored: StoredEvent) -> EventRecord:
    """Everything the ledger holds about an event."""
    key, window = stored.event.key, stored.event.window
    around = Interval(start=window.start - _BEFORE, end=(window.end or state.now()) + _AFTER)
    return EventRecord(
        stored=stored,
        plans=await state.ledger.plans(key),
        instructions=await state.ledger.instructions(key),
        notices=await state.ledger.notices(around),
        opt_outs=await state.ledger.opt_outs(key),
        journal=await state.ledger.journal(key),
        course=await state.delivery.course(key),
    )
