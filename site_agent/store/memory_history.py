"""The in-memory twin of the site's history, for tests and simulation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from site_agent.domain.forecast.course import Measured
from site_agent.domain.forecast.record import QuarterMean, measured_of
from site_agent.domain.forecast.stays import PastStay
from site_agent.store.history import KEPT, MAX_STAYS


class MemoryHistory:
    """`site_agent.flows.forecast.history.HistoryStore`."""

    def __init__(self, max_stays: int = MAX_STAYS) -> None:
        self._max_stays = max_stays
        self._quarters: dict[tuple[str, datetime], QuarterMean] = {}
        self._stays: dict[tuple[str, datetime], PastStay] = {}

    async def add(self, parts: Iterable[QuarterMean]) -> None:
        """Join parts of quarters to what is known of them."""
        for part in parts:
            key = (part.series, part.start)
            known = self._quarters.get(key)
            fresh = known is None or known.imported
            self._quarters[key] = part if fresh or known is None else known.joined(part)

    async def take(self, quarters: Iterable[QuarterMean]) -> int:
        """Quarters from a file; how many were stored. What was measured here stands."""
        stored = 0
        for one in quarters:
            known = self._quarters.get((one.series, one.start))
            if known is None or known.imported:
                self._quarters[one.series, one.start] = one
                stored += 1
        return stored

    async def quarters(
        self, series: str, since: datetime, until: datetime
    ) -> Sequence[QuarterMean]:
        """Of one series what began in `[since, until)`, in order."""
        found = [
            one
            for (name, start), one in self._quarters.items()
            if name == series and since <= start < until
        ]
        return sorted(found, key=lambda one: one.start)

    async def measured(
        self, series: str, since: datetime, until: datetime, *, free: bool = False
    ) -> Measured:
        """The same as consecutive quarters, as `measured_of` has them."""
        return measured_of(await self.quarters(series, since, until), since, until, free=free)

    async def series(self) -> Sequence[str]:
        """The names of all series there are."""
        return sorted({name for name, _ in self._quarters})

    async def add_stay(self, stay: PastStay) -> None:
        """A vehicle has left; the same again changes nothing."""
        self._stays[stay.evse_id, stay.arrived] = stay

    async def stays(self, since: datetime, until: datetime) -> Sequence[PastStay]:
        """Stays that began in `[since, until)`, by arrival."""
        found = [one for one in self._stays.values() if since <= one.arrived < until]
        return sorted(found, key=lambda one: (one.arrived, one.evse_id))

    async def prune(self, now: datetime) -> None:
        """Forget what is older than 400 days, or too much."""
        before = now - KEPT
        self._quarters = {key: one for key, one in self._quarters.items() if key[1] >= before}
        kept = [key for key in sorted(self._stays, key=lambda key: key[1]) if key[1] >= before]
        self._stays = {key: self._stays[key] for key in kept[-self._max_stays :]}
