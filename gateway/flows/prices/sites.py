"""Prices to the sites that follow them: built, sent, sent again when they return or did not answer.

Nothing of it is stored: what holds follows from the sources' prices and the settings, and a site
says in its Hello what it has.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from contracts.errors import TransientError
from contracts.site_link.messages import Hello
from contracts.site_link.prices import MAX_PRICE_STEPS, PricedStep, Prices
from contracts.tasks import first_of
from contracts.time import Clock, Interval
from gateway.domain.price.market import market_day
from gateway.domain.price.markup import Markup
from gateway.domain.price.merge import by_precedence
from gateway.domain.price.timeline import PriceTimeline
from gateway.flows.prices.watch import PriceWatch
from gateway.ports import JournalEntry, Ledger, SiteLink

_log = structlog.get_logger(__name__)

_EVERY_S = 60.0
"""So often is looked whether a day has begun, or a site has not answered."""
_AT_ONCE = 100
"""Sites that are sent to side by side."""
_NAMESPACE = uuid.UUID("5b8d9a0e-94c5-4c4f-8f0b-1c2f1b6a7d11")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """Which prices one site follows."""

    site_id: str
    sources: tuple[str, ...]
    """By precedence."""
    markup: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteState:
    """What one site has of its prices."""

    holds: str | None = None
    """Id of what it holds, empty: nothing; None: it takes no prices, or has not been heard."""
    refused: str = ""
    """Id of what it would not have, and ..."""
    reason: str = ""
    """... why."""


class SitePrices:
    """The prices of every site that follows some."""

    def __init__(
        self,
        follows: Sequence[Follow],
        watch: PriceWatch,
        link: SiteLink,
        ledger: Ledger,
        clock: Clock,
    ) -> None:
        self._follows = {one.site_id: one for one in follows}
        self._watch = watch
        self._link = link
        self._ledger = ledger
        self._clock = clock
        self._states: dict[str, SiteState] = {}
        self._due = asyncio.Event()
        watch.on_change(self._due.set)

    @property
    def sites(self) -> Sequence[str]:
        """Those that follow prices."""
        return tuple(self._follows)

    def state(self, site_id: str) -> SiteState:
        """What a site has."""
        return self._states.get(site_id, SiteState())

    def heard(self, hello: Hello) -> None:
        """A site has (re)connected and says what it holds."""
        self._states[hello.site_id] = SiteState(holds=hello.prices_id)
        self._due.set()

    def timeline(self, site_id: str) -> PriceTimeline | None:
        """What a site pays, today and tomorrow, with the origin of every price; None: no such site.

        Days are those of its first source.
        """
        follow = self._follows.get(site_id)
        if follow is None:
            return None
        window = self._window(follow)
        known = (self._watch.prices(name) for name in follow.sources)
        area = self._watch.source(follow.sources[0]).area
        try:
            merged = by_precedence(area, [one for one in known if one is not None], window)
        except ValueError as error:
            _log.warning("prices_do_not_fit", site=site_id, why=str(error))
            return PriceTimeline(area=area, currency="")
        return follow.markup.on(merged)

    def message(self, site_id: str) -> Prices | None:
        """What a site is to hold now; None: nothing, for want of prices."""
        prices = self.timeline(site_id)
        if prices is None or not prices.steps:
            return None
        return message(site_id, prices, self._clock.now())

    async def run(self) -> None:
        """Send what is new, and again what did not arrive, until cancelled."""
        while True:
            self._due.clear()
            await self.send_due()
            await first_of(self._clock.sleep(_EVERY_S), self._due.wait())

    async def send_due(self) -> None:
        """Send to every connected site that holds something else than it should."""
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(site_id: str, wanted: Prices) -> None:
            async with places:
                await self._send(site_id, wanted)

        async with asyncio.TaskGroup() as group:
            for site_id, wanted in self._wanted().items():
                group.create_task(one(site_id, wanted))

    def _wanted(self) -> Mapping[str, Prices]:
        found = {}
        for site_id in {**self._follows, **self._states}:
            state = self.state(site_id)
            if state.holds is None:
                continue
            wanted = self.message(site_id)
            if wanted is None and state.holds:
                wanted = withdrawal(site_id, self._clock.now())
            if wanted is not None and wanted.prices_id not in (state.holds, state.refused):
                found[site_id] = wanted
        return found

    async def _send(self, site_id: str, wanted: Prices) -> None:
        try:
            ack = await self._link.send_prices(wanted)
            holds = wanted.prices_id if wanted.steps else ""
            said = f"{wanted.area}, until {wanted.expires_at:%Y-%m-%d %H:%M} UTC"
            if ack.stored:
                self._states[site_id] = SiteState(holds=holds)
            else:
                held = self.state(site_id).holds
                self._states[site_id] = SiteState(
                    holds=held, refused=wanted.prices_id, reason=ack.reason
                )
            await self._ledger.log(
                JournalEntry(
                    at=self._clock.now(),
                    subject=site_id,
                    action="prices stored by the site" if ack.stored else "prices refused",
                    cause=said if ack.stored else ack.reason,
                )
            )
        except TransientError as error:
            _log.debug("prices_pending", site=site_id, why=str(error))

    def _window(self, follow: Follow) -> Interval:
        zone = self._watch.source(follow.sources[0]).zone
        today = self._clock.now().astimezone(zone).date()
        first, last = market_day(today, zone), market_day(today + _DAY, zone)
        return Interval(start=first.start, end=last.end)


def message(site_id: str, prices: PriceTimeline, now: datetime) -> Prices:
    """Prices as the link carries them; the same prices have the same id."""
    steps = tuple(
        PricedStep(start=one.start, end=one.end, per_kwh=float(one.per_kwh))
        for one in prices.steps[:MAX_PRICE_STEPS]
    )
    if len(steps) < len(prices.steps):
        _log.warning("prices_cut", site=site_id, steps=len(prices.steps), sent=len(steps))
    return Prices(
        prices_id=str(uuid.uuid5(_NAMESPACE, f"{prices.area} {prices.currency} {steps}")),
        site_id=site_id,
        issued_at=now,
        expires_at=steps[-1].end,
        currency=prices.currency,
        area=prices.area[:120],
        steps=steps,
    )


def withdrawal(site_id: str, now: datetime) -> Prices:
    """No prices any more: the site's own tariff holds."""
    return Prices(
        prices_id="none",
        site_id=site_id,
        issued_at=now,
        expires_at=now,
        currency="XXX",
        area="none",
        steps=(),
    )
