"""A program's summary over a month or season, for whoever reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from fastapi import HTTPException

from gateway.domain.measure.report import ParticipationReport
from gateway.domain.measure.summary import ProgramSummary, summary
from gateway.domain.settle.period import period_named
from gateway.reports import document
from gateway.reports.audience import Audience, variant
from gateway.web.readers import Reader
from gateway.web.state import WebState


async def find_summary(
    state: WebState, program_id: str, period: str, reader: Reader
) -> ProgramSummary:
    """Of every event that began in the period and has a report.

    Raises:
        HTTPException: 404 no such program or site; 422 no such period.
    """
    program = state.portfolio.program(program_id)
    if program is None:
        raise HTTPException(404, f"There is no program {program_id!r}")
    if reader.audience is Audience.OWNER and state.portfolio.site(reader.site_id) is None:
        raise HTTPException(404, f"There is no site {reader.site_id!r}")
    try:
        window = period_named(period, program.rules.seasons).span(program.zone)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    stored = [
        one.event.key
        for one in await state.ledger.events(ending_after=window.start)
        if one.event.program_id == program_id and one.event.window.start in window
    ]
    own = [reader.site_id] if reader.audience is Audience.OWNER else []
    data = [await state.ledger.report(key, curves_of=own) for key in stored]
    work = partial(_reports, [one for one in data if one is not None], reader)
    return summary(
        program_id=program_id,
        program_name=program.name,
        period=period,
        window=window,
        time_zone=program.zone.key,
        reports=await asyncio.to_thread(work),
    )


def _reports(
    documents: Sequence[Mapping[str, object]], reader: Reader
) -> Sequence[ParticipationReport]:
    """Each as this reader may see it; none of an event in which an owner's site had no part."""
    reports = [document.load(one) for one in documents]
    if reader.audience is Audience.OWNER:
        mine = reader.site_id
        reports = [one for one in reports if any(site.site_id == mine for site in one.sites)]
    return [variant(one, reader.audience, reader.site_id).report for one in reports]
