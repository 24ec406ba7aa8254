"""Sites come and go: shown at once, and whoever came with credentials taken back goes again."""

from __future__ import annotations

import structlog

from contracts.errors import TransientError
from contracts.time import Clock
from gateway.domain.portfolio import Portfolio
from gateway.flows.sites.live import Live
from gateway.ports import AccessBook, JournalEntry, Ledger, StoredCredential

_log = structlog.get_logger(__name__)


class Attendance:
    """`gateway.ports.SitePresence`."""

    def __init__(
        self, portfolio: Portfolio, live: Live, ledger: Ledger, book: AccessBook, clock: Clock
    ) -> None:
        self._portfolio = portfolio
        self._live = live
        self._ledger = ledger
        self._book = book
        self._clock = clock

    async def came(self, user: StoredCredential) -> None:
        """A site's agent has connected to the broker."""
        if self._portfolio.site(user.site_id) is not None:
            self._live.came(user.site_id)
        try:
            await self._book.seen(user)
        except TransientError as error:
            _log.warning("who came was not noted", site=user.site_id, why=str(error))

    async def left(self, site_id: str) -> None:
        """The last connection of a site has ended."""
        if self._portfolio.site(site_id) is None:
            return
        self._live.left(site_id)
        entry = JournalEntry(
            at=self._clock.now(),
            subject=site_id,
            action="disconnected",
            cause="its connection to the broker ended",
        )
        try:
            await self._ledger.log(entry)
        except TransientError as error:
            _log.warning("who left was not noted", site=site_id, why=str(error))
