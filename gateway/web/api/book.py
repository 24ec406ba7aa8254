"""`/api/v1/book`: what all sites offer together, by program, network group and hour."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import AwareDatetime, Field

from contracts.device_class import DeviceClass
from gateway.domain.book import Line, Page
from gateway.flows.dispatch.book import book
from gateway.web.api.schemas import Schema
from gateway.web.state import WebState

Watts = Annotated[float, Field(ge=0)]


class BookLineOut(Schema):
    """All sites of a page over one hour."""

    start: AwareDatetime
    end: AwareDatetime
    sites: Annotated[int, Field(description="That offer something over all of the hour.")]
    down_w: Annotated[Watts, Field(description="Sum of what each gives as likely more as less.")]
    sure_w: Annotated[Watts, Field(description="Sum of what each gives in nine cases of ten.")]
    up_w: Annotated[Watts, Field(description="By how much the load can be raised.")]
    energy_wh: Annotated[Watts, Field(description="What can be put off, from this hour on.")]


class CountedOutOut(Schema):
    """A site of which nothing is counted."""

    site_id: str
    why: str


class BookPageOut(Schema):
    """A program, or one network group of it."""

    program_id: str
    group: Annotated[str, Field(description="Empty: all of the program.")]
    oldest_s: Annotated[float | None, Field(description="Age of the oldest reading behind it.")]
    lines: list[BookLineOut]
    out: list[CountedOutOut]


def add_routes(router: APIRouter, state: WebState) -> None:
    """The flexibility book."""

    @router.get("/book", tags=["portfolio"])
    async def flexibility_book(
        program: Annotated[str, Query(max_length=200)] = "",
        hours: Annotated[int, Query(ge=1, le=48)] = 24,
        device_class: Annotated[
            DeviceClass | None,
            Query(description="What these alone offer; of pv, up is what could be curtailed."),
        ] = None,
    ) -> list[BookPageOut]:
        """What all sites offer in the hours ahead, for each program and network group."""
        if program and not state.portfolio.versions(program):
            raise HTTPException(404, f"There is no program {program!r}")
        live = state.live.snapshot().sites
        pages = await book(
            state.portfolio, state.ledger, live, state.now(), hours=hours, device_class=device_class
        )
        return [_page(one) for one in pages if program in ("", one.program_id)]


def _page(one: Page) -> BookPageOut:
    return BookPageOut(
        program_id=one.program_id,
        group=one.group,
        oldest_s=None if one.oldest is None else one.oldest.total_seconds(),
        lines=[_line(line) for line in one.lines],
        out=[CountedOutOut(site_id=site_id, why=why) for site_id, why in one.out],
    )


def _line(one: Line) -> BookLineOut:
    return BookLineOut(
        start=one.interval.start,
        end=one.interval.end or one.interval.start,
        sites=one.sites,
        down_w=one.down_w,
        sure_w=one.sure_w,
        up_w=one.up_w,
        energy_wh=one.energy_wh,
    )
