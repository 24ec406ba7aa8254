"""What people and programs may ask about prices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from contracts.series import StepSeries
from contracts.site_link.messages import FlexibilityOffer
from contracts.time import Clock, Interval
from gateway.domain.price.answer import Basis, PortfolioAnswer, SiteAnswer, portfolio_answer
from gateway.domain.price.timeline import PriceTimeline
from gateway.flows.prices.sites import SitePrices, SiteState
from gateway.flows.prices.watch import PriceWatch, SourceState
from gateway.ports import Ledger

OFFER_KEPT = timedelta(hours=1)
"""An offer older than this says nothing of the hours ahead."""


class PriceDesk:
    """Sources, what sites pay, and how the portfolio is expected to answer."""

    def __init__(self, watch: PriceWatch, sites: SitePrices, ledger: Ledger, clock: Clock) -> None:
        self._watch = watch
        self._sites = sites
        self._ledger = ledger
        self._clock = clock

    def sources(self) -> Sequence[SourceState]:
        """How it stands with every source."""
        return self._watch.states()

    def prices(self, source_id: str) -> PriceTimeline | None:
        """What is known of a source; None: nothing, or there is no such source."""
        return self._watch.prices(source_id)

    def followers(self) -> Sequence[str]:
        """Sites that follow prices."""
        return self._sites.sites

    def of_site(self, site_id: str) -> tuple[PriceTimeline, SiteState] | None:
        """What a site pays, and what it has of it; None: it follows no prices."""
        prices = self._sites.timeline(site_id)
        return None if prices is None else (prices, self._sites.state(site_id))

    async def answer(self) -> PortfolioAnswer:
        """The expected load of the sites that follow prices, by their newest offers."""
        now = self._clock.now()
        return portfolio_answer([await self._site(one, now) for one in self._sites.sites], now)

    async def _site(self, site_id: str, now: datetime) -> SiteAnswer:
        offer, sent = await self._ledger.offer(site_id), self._sites.message(site_id)
        prices = self._sites.timeline(site_id)
        if offer is None or now - offer.at > OFFER_KEPT:
            basis, expected = Basis.NONE, StepSeries()
        else:
            these = sent is not None and offer.prices_id == sent.prices_id
            basis, expected = Basis.THESE if these else Basis.OLDER, expected_w(offer)
        return SiteAnswer(
            site_id=site_id,
            currency="" if prices is None else prices.currency,
            per_kwh=StepSeries() if prices is None else prices.series(),
            expected_w=expected,
            basis=basis,
        )


def expected_w(offer: FlexibilityOffer) -> StepSeries:
    """The load a site expects without any request.

    The first slot begins when the offer was made, so it is shorter: each ends where the next
    one begins.
    """
    step = timedelta(seconds=offer.step_s)
    slots = sorted(offer.slots, key=lambda one: one.start)
    ends = [one.start for one in slots[1:]] + [datetime.max.replace(tzinfo=UTC)]
    return StepSeries.of(
        (Interval(start=slot.start, end=min(slot.start + step, end)), slot.expected_w)
        for slot, end in zip(slots, ends, strict=True)
    )
