"""Thins old telemetry in the background: small transactions, one after the other, for all sites."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from contracts.errors import TransientError
from contracts.time import Clock
from gateway.ports.retention import Thinning

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRules:
    """How long telemetry is kept as it came; None: for ever."""

    readings: timedelta | None = timedelta(days=100)
    """Then only 5-minute means are left."""
    five_minutes: timedelta | None = timedelta(days=1100)
    """Then only 15-minute means are left, and those stay."""
    every: timedelta = timedelta(hours=1)


class Retention:
    """Looks at every site, again and again."""

    def __init__(self, thinning: Thinning, clock: Clock, rules: RetentionRules) -> None:
        self._thinning = thinning
        self._clock = clock
        self._rules = rules

    async def run(self) -> None:
        """Thin until cancelled; a database that is busy is asked again the next time."""
        while True:
            try:
                await self.sweep()
            except TransientError as error:
                _log.warning("telemetry_not_thinned", error=str(error))
            await self._clock.sleep(self._rules.every.total_seconds())

    async def sweep(self) -> int:
        """Thin everything that is old enough; in how many transactions."""
        now, done = self._clock.now(), 0
        ages = (
            (self._thinning.thin_readings, self._rules.readings),
            (self._thinning.thin_means, self._rules.five_minutes),
        )
        for site_id in await self._thinning.sites():
            for thin, age in ages:
                if age is not None:
                    done += await self._all(thin, site_id, now - age)
        if done:
            _log.info("telemetry_thinned", transactions=done)
        return done

    async def _all(
        self, thin: Callable[[str, datetime], Awaitable[bool]], site_id: str, before: datetime
    ) -> int:
        done = 0
        while await thin(site_id, before):  # whoever waits to write comes first
            done += 1
        return done
