"""Makes the account of a site's month when it is asked for; nothing of it is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from contracts.errors import PermanentError
from contracts.time import Clock, Interval
from gateway.domain.accounts.account import Account, account
from gateway.domain.accounts.month import Month
from gateway.domain.portfolio import Portfolio, Site
from gateway.flows.accounts.reading import STEP, metered_month
from gateway.ports import TelemetryStore
from gateway.ports.accounts import SessionBook, SlotReader
from gateway.ports.intensity import IntensitySource, TermsSource


class Accounts:
    """One account at a time: each reads a month of telemetry, and sums up in a thread."""

    def __init__(
        self,
        portfolio: Portfolio,
        reader: SlotReader,
        sessions: SessionBook,
        telemetry: TelemetryStore,
        clock: Clock,
        *,
        tariffs: Mapping[str, TermsSource],
        intensities: Mapping[str, IntensitySource],
    ) -> None:
        """`tariffs`, `intensities`: by site; those not named have none."""
        self._portfolio = portfolio
        self._reader = reader
        self._sessions = sessions
        self._telemetry = telemetry
        self._clock = clock
        self._tariffs = tariffs
        self._intensities = intensities
        self._one = asyncio.Semaphore(1)

    async def of(self, site_id: str, month: Month | None = None) -> Account:
        """The account of a month, by default the running one; up to now if it is not over.

        Raises:
            PermanentError: the site is unknown, or the month has not begun.
            ConfigError: a file of the tariff or the intensity cannot be read.
        """
        site = self._portfolio.site(site_id)
        if site is None:
            raise PermanentError(f"there is no site {site_id!r}")
        wanted = month or Month.of(self._clock.now(), site.time_zone)
        tariff = self._tariffs.get(site_id)
        whole = wanted.window(site.time_zone, 1 if tariff is None else tariff.billing_day)
        window = _passed(whole, self._clock.now())
        if window is None:
            raise PermanentError(f"{wanted} has not begun at {site_id}, or not five minutes ago")
        async with self._one:
            return await self._account(site, wanted, window, whole=window == whole)

    async def _account(self, site: Site, month: Month, window: Interval, *, whole: bool) -> Account:
        tariff = self._tariffs.get(site.site_id)
        emits = self._intensities.get(site.site_id)
        label = await self._telemetry.history_label(site.site_id, window)
        metered = await metered_month(self._reader, site.site_id, window)
        work = partial(
            account,
            site.site_id,
            month,
            metered,
            await self._sessions.sessions(site.site_id, window),
            whole=whole,
            terms=None if tariff is None else await tariff.terms(window),
            intensity=None if emits is None else await emits.intensity(window),
            labels=() if label is None else (label,),
        )
        return await asyncio.to_thread(work)


def _passed(window: Interval, now: datetime) -> Interval | None:
    """What of a window has passed, in whole slots; None: nothing."""
    end = window.end or now
    if now >= end:
        return window
    slots = (now - window.start) // STEP
    return None if slots < 1 else Interval.lasting(window.start, slots * STEP)
