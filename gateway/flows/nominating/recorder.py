"""What sites offer is written down for every hour, shortly before it begins."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.time import Clock
from gateway.domain.nomination.history import HOUR, Offered, recorded, whole_hour
from gateway.domain.portfolio import Portfolio
from gateway.flows.dispatch.book import site_offers
from gateway.flows.sites.live import Live
from gateway.ports import Ledger, NominationBook

AHEAD = timedelta(minutes=5)
"""So long before an hour it is first written down."""
_EVERY = timedelta(minutes=1)
"""A site that is silent is looked for again so often."""
_LAST = timedelta(minutes=2)
"""So long before the hour it is written down as silent: at least one look falls into that."""
KEEP = timedelta(days=800)
"""Older hours are dropped; two of every season are left."""


class Recorder:
    """Writes down the coming hour; a restart in between loses and doubles nothing."""

    def __init__(
        self, portfolio: Portfolio, ledger: Ledger, live: Live, book: NominationBook, clock: Clock
    ) -> None:
        self._portfolio = portfolio
        self._ledger = ledger
        self._live = live
        self._book = book
        self._clock = clock
        self._hour: datetime | None = None
        self._kept: set[str] = set()
        self._again: datetime | None = None

    async def tick(self) -> None:
        """Write down what is due.

        Raises:
            TransientError: the store cannot be used now.
        """
        now = self._clock.now()
        hour = whole_hour(now) + HOUR
        if now < hour - AHEAD or (self._again is not None and now < self._again):
            return
        if hour != self._hour:
            self._hour, self._kept = hour, set()
            await self._book.forget(now - KEEP)
        rows = await self._rows(hour, now)
        await self._book.record(rows)
        self._kept |= {one.site_id for one in rows}
        self._again = now + _EVERY

    async def _rows(self, hour: datetime, now: datetime) -> list[Offered]:
        wanted = self._enrolled(hour) - self._kept
        if not wanted:
            return []
        live = self._live.snapshot().sites
        offers = await site_offers(self._portfolio, self._ledger, live, now)
        rows = recorded(hour, (offers[site_id] for site_id in sorted(wanted)))
        last = hour - now <= _LAST
        return [one for one in rows if last or not one.out]

    def _enrolled(self, at: datetime) -> set[str]:
        programs = {one.program_id for one in self._portfolio.programs}
        return {
            site for program_id in programs for site in self._portfolio.enrolled(program_id, at)
        }
