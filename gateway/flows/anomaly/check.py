"""The check in the background: site after site, once an hour, and what is found is journaled."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from functools import partial

import structlog

from contracts.errors import PermanentError, TransientError
from contracts.site_link.messages import Hello
from contracts.time import Clock, Interval
from gateway.domain.anomaly import site as site_detectors
from gateway.domain.anomaly.chargers import Trouble
from gateway.domain.anomaly.detect import detect
from gateway.domain.anomaly.drift import drift
from gateway.domain.anomaly.finding import Finding
from gateway.domain.portfolio import Portfolio, Site
from gateway.flows.anomaly.looking import DAY, STEP, days_of, picture_of
from gateway.ports import Ledger
from gateway.ports.accounts import AnomalyBook, SessionBook, SlotReader

EVERY = timedelta(hours=1)
FIRST = timedelta(minutes=2)
"""After a start: sites that waited for us come first."""
LATE = timedelta(minutes=5)
"""How long the newest minutes may take to arrive."""
WEEK = 7
_BREATH_S = 0.2
"""Between two sites, for whoever else wants the database."""
_log = structlog.get_logger(__name__)


class AnomalyCheck:
    """One site at a time, read in pieces and judged in a thread."""

    def __init__(
        self,
        portfolio: Portfolio,
        reader: SlotReader,
        sessions: SessionBook,
        ledger: Ledger,
        book: AnomalyBook,
        clock: Clock,
    ) -> None:
        self._portfolio = portfolio
        self._reader = reader
        self._sessions = sessions
        self._ledger = ledger
        self._book = book
        self._clock = clock
        self._ahead: dict[str, tuple[datetime, timedelta]] = {}
        """By site, when it told its time last, and how far that was ahead of ours."""
        self._days_seen: dict[str, datetime] = {}
        """By site, up to where whole days have been looked at."""

    def greeted(self, hello: Hello) -> None:
        """A site has connected, and told what time it takes it to be."""
        now = self._clock.now()
        self._ahead[hello.site_id] = now, hello.sent_at - now

    async def run(self) -> None:
        """Look until cancelled."""
        await self._clock.sleep(FIRST.total_seconds())
        while True:
            await self.look()
            await self._clock.sleep(EVERY.total_seconds())

    async def look(self) -> None:
        """Look at every site once; one that cannot be looked at does not hold up the others."""
        for site in self._portfolio.sites:
            try:
                await self.look_at(site)
            except (TransientError, PermanentError) as error:
                _log.error("anomaly check failed", site=site.site_id, why=str(error))
            await self._clock.sleep(_BREATH_S)

    async def look_at(self, site: Site) -> Sequence[Finding]:
        """Look at one site now; what is new, which is then kept and journaled."""
        now = self._clock.now()
        found = [*await self._of_the_day(site, now), *await self._of_the_week(site, now)]
        heard = self._ahead.pop(site.site_id, None)
        if heard is not None:
            at, ahead = heard
            found += site_detectors.clock(ahead, Interval.lasting(at, STEP))
        return await self._book.keep(site.site_id, found, now) if found else ()

    async def anomalies_within(
        self, site_id: str | None, window: Interval
    ) -> Sequence[tuple[str, Finding]]:
        """`(site_id, finding)` whose evidence touches a window, newest first; None: of all sites.

        What has been found so far: a check looks back a day, once an hour.
        """
        return await self._book.within(site_id, window)

    async def _of_the_day(self, site: Site, now: datetime) -> Sequence[Finding]:
        end = _whole(now - LATE)
        window = Interval(start=end - DAY, end=end)
        picture = await picture_of(self._reader, site, window)
        week = Interval(start=end - WEEK * DAY, end=end)
        told = await self._ledger.notices(window, site.site_id)
        work = partial(
            detect,
            picture,
            await self._sessions.sessions(site.site_id, week),
            [Trouble(at=n.at, code=n.code, subject=n.subject) for _, n in told if n.raised],
        )
        return await asyncio.to_thread(work)

    async def _of_the_week(self, site: Site, now: datetime) -> Sequence[Finding]:
        """Once a day: what only several days show; days are those of UTC."""
        end = datetime.combine((now - LATE).date(), time(), tzinfo=UTC)
        if self._days_seen.get(site.site_id) == end:
            return ()
        window = Interval(start=end - WEEK * DAY, end=end)
        days = await days_of(self._reader, site, window)
        self._days_seen[site.site_id] = end
        return [*drift(days.ratios), *site_detectors.silent(days.grid, days.known)]


def _whole(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
