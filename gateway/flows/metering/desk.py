"""Intervals of revenue meters: taken in, and shown as they are or were known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from contracts.errors import PermanentError
from contracts.time import Clock, Interval
from gateway.domain.metering.gaps import aligned
from gateway.domain.metering.issuing import Told, issued
from gateway.domain.metering.site_meter import SiteMeter
from gateway.domain.portfolio import Portfolio, Site
from gateway.ports import Delivered, MeterStore, StoredInterval


class MeterDesk:
    """One delivery after the other, so that each is compared with all that came before."""

    def __init__(
        self, portfolio: Portfolio, store: MeterStore, clock: Clock, came: Callable[[], None]
    ) -> None:
        """`came` is called when something new was stored."""
        self._portfolio = portfolio
        self._store = store
        self._clock = clock
        self._came = came
        self._busy = asyncio.Lock()

    def meter(self, site_id: str, name: str) -> tuple[Site, SiteMeter]:
        """A meter of a site.

        Raises:
            PermanentError: there is none of that name; the message names those there are.
        """
        site = self._portfolio.site(site_id)
        if site is None:
            raise PermanentError(f"there is no site {site_id!r}")
        found = next((one for one in site.meters if one.name == name), None)
        if found is None:
            known = ", ".join(one.name for one in site.meters) or "none"
            raise PermanentError(
                f"site {site_id!r} has no meter {name!r} in the gateway's settings: {known}"
            )
        return site, found

    async def deliver(self, site_id: str, name: str, told: Sequence[Told]) -> Delivered:
        """Check and store what a source says of a meter.

        Raises:
            PermanentError: there is no such meter.
            TransientError: it cannot be stored now; nothing was.
        """
        _, meter = self.meter(site_id, name)
        if not told:
            return Delivered(stored=0, known=0, flagged=0, refused=())
        async with self._busy:
            starts = [one.interval.start for one in told]
            around = Interval(start=min(starts), end=max(starts) + meter.rules.length)
            known = await self._store.intervals(site_id, name, around)
            before = {one.told.start: one.told for one in known}
            intervals = await asyncio.to_thread(issued, told, before)
            now = self._clock.now()
            done = await self._store.deliver(site_id, name, meter.rules, intervals, now)
        if done.stored:
            self._came()
        return done

    async def intervals(
        self, site_id: str, name: str, window: Interval, known_at: datetime | None
    ) -> Sequence[StoredInterval]:
        """Those that start inside a closed window, as known at an instant; None: now.

        Raises:
            PermanentError: there is no such meter.
        """
        self.meter(site_id, name)
        return await self._store.intervals(site_id, name, window, known_at)

    async def versions(self, site_id: str, name: str, start: datetime) -> Sequence[StoredInterval]:
        """Everything ever said of one interval, in order of arrival.

        Raises:
            PermanentError: there is no such meter.
        """
        self.meter(site_id, name)
        return await self._store.versions(site_id, name, start)

    async def missing(self, site_id: str, name: str, window: Interval) -> Sequence[Interval]:
        """The stretches of a closed window without a value that counts.

        Raises:
            PermanentError: there is no such meter.
        """
        _, meter = self.meter(site_id, name)
        begins = aligned(window.start, meter.rules.length)
        whole = Interval(start=begins, end=window.end)
        return await self._store.missing(site_id, name, meter.rules, whole)
