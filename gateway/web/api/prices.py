"""`/api/v1/prices`: sources, what sites pay, and how the portfolio is expected to answer."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, HTTPException

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.price.answer import PortfolioAnswer, SiteAnswer
from gateway.domain.price.timeline import PriceTimeline
from gateway.flows.prices.sites import SiteState, message
from gateway.flows.prices.watch import SourceState
from gateway.web.api import price_schemas as schemas
from gateway.web.state import WebState


def add_routes(router: APIRouter, state: WebState) -> None:
    """What may be asked about prices."""

    @router.get("/prices/sources", tags=["prices"])
    async def price_sources() -> list[schemas.PriceSourceOut]:
        """Where prices come from, how old they are, and what is missing."""
        return [] if state.prices is None else [_source(one) for one in state.prices.sources()]

    @router.get("/prices/sites/{site_id}", tags=["prices"])
    async def site_prices(site_id: str) -> schemas.SitePricesOut:
        """What a site pays today and tomorrow; 404 when it follows no prices."""
        found = None if state.prices is None else state.prices.of_site(site_id)
        if found is None:
            raise HTTPException(404, f"{site_id} follows no prices")
        prices, has = found
        return _site(site_id, prices, has, held=_held(state, site_id, prices, has))

    @router.get("/prices/answer", tags=["prices"])
    async def price_answer() -> schemas.PriceAnswerOut:
        """The expected load of the sites that follow prices."""
        if state.prices is None:
            return schemas.PriceAnswerOut(answering=0, following=0, expected=[], sites=[])
        return _answer(await state.prices.answer())


def _held(state: WebState, site_id: str, prices: PriceTimeline, has: SiteState) -> bool:
    return bool(prices.steps) and has.holds == message(site_id, prices, state.now()).prices_id


def _source(one: SourceState) -> schemas.PriceSourceOut:
    return schemas.PriceSourceOut(
        source_id=one.source_id,
        area=one.area,
        currency=one.currency,
        as_of=one.as_of,
        until=one.until,
        heard_at=one.heard_at,
        failure=one.failure,
        stale=one.stale,
        missing=[_span(gap) for gap in one.missing],
    )


def _site(
    site_id: str, prices: PriceTimeline, has: SiteState, *, held: bool
) -> schemas.SitePricesOut:
    return schemas.SitePricesOut(
        site_id=site_id,
        area=prices.area,
        currency=prices.currency,
        held=held,
        refused=has.reason,
        prices=[
            schemas.PriceOut(
                start=one.start,
                end=one.end,
                per_kwh=one.per_kwh,
                source_id=one.source_id,
                quality=one.quality.value,
                as_of=one.as_of,
            )
            for one in prices
        ],
    )


def _answer(found: PortfolioAnswer) -> schemas.PriceAnswerOut:
    return schemas.PriceAnswerOut(
        answering=found.answering,
        following=len(found.sites),
        expected=list(_expected(found.expected_w)),
        sites=[_site_answer(one, found) for one in found.sites],
    )


def _expected(series: StepSeries) -> Iterable[schemas.ExpectedOut]:
    for step in series:
        span = _span(step.interval)
        yield schemas.ExpectedOut(start=span.start, end=span.end, power_w=step.value)


def _site_answer(site: SiteAnswer, found: PortfolioAnswer) -> schemas.SiteAnswerOut:
    cost = found.costs.get(site.site_id)
    return schemas.SiteAnswerOut(
        site_id=site.site_id,
        basis=site.basis.value,
        currency=site.currency,
        energy_wh=None if cost is None else round(cost.energy_wh, 1),
        cost=None if cost is None else round(cost.paid, 4),
        even_cost=None if cost is None else round(cost.even, 4),
    )


def _span(interval: Interval) -> schemas.SpanOut:
    return schemas.SpanOut(start=interval.start, end=interval.end or interval.start)
