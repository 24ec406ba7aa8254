"""Looks after price sources: asks when a day is due, keeps what is said, says what is missing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from contracts.backoff import Backoff
from contracts.errors import GridyardError, PermanentError, ProtocolError
from contracts.time import Clock, Interval
from gateway.domain.price.market import days_known, next_publication
from gateway.domain.price.merge import forgotten, renewed
from gateway.domain.price.timeline import PriceTimeline
from gateway.ports import BusyError, PriceMemory, PriceSource

_log = structlog.get_logger(__name__)

FORGET_AFTER = timedelta(days=8)
RECHECK = timedelta(hours=4)
"""Published prices are seldom corrected, but they are."""
_FIRST_S, _MOST_S = 10.0, 900.0
"""Between attempts that fail."""
_SPREAD_S = 30.0
"""Not every gateway asks in the same second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """How it stands with one source."""

    source_id: str
    area: str
    currency: str = ""
    """Empty: nothing is known of it yet."""
    as_of: datetime | None = None
    """Its newest word."""
    until: datetime | None = None
    """End of the last price it has named."""
    heard_at: datetime | None = None
    """When it last answered; None: not since the start."""
    failure: str = ""
    """Why the last look gave nothing; empty: it did."""
    missing: tuple[Interval, ...] = ()
    """Where prices that should be known by now are not."""

    @property
    def stale(self) -> bool:
        """Whether it owes us prices."""
        return bool(self.missing)


class PriceWatch:
    """Call `restore` before anything else."""

    def __init__(
        self,
        sources: Sequence[PriceSource],
        memory: PriceMemory,
        clock: Clock,
        poll: timedelta,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._sources = {one.source_id: one for one in sources}
        self._memory = memory
        self._clock = clock
        self._poll_s = poll.total_seconds()
        self._chance = chance
        self._known: dict[str, PriceTimeline] = {}
        self._states = {
            one.source_id: SourceState(source_id=one.source_id, area=one.area) for one in sources
        }
        self._changed: Callable[[], None] = lambda: None

    def on_change(self, tell: Callable[[], None]) -> None:
        """Call `tell` when other prices are known than before."""
        self._changed = tell

    async def restore(self) -> None:
        """Take up what is stored; of sources that are no longer configured nothing is shown."""
        stored = await self._memory.load()
        self._known = {name: one for name, one in stored.items() if name in self._sources}

    async def run(self) -> None:
        """Follow every source until cancelled."""
        async with asyncio.TaskGroup() as group:
            for source in self._sources.values():
                group.create_task(self._follow(source))

    def source(self, source_id: str) -> PriceSource:
        """One source; KeyError: there is none of this id."""
        return self._sources[source_id]

    def prices(self, source_id: str) -> PriceTimeline | None:
        """What is known of a source."""
        return self._known.get(source_id)

    def states(self) -> tuple[SourceState, ...]:
        """How it stands with each, now."""
        return tuple(self._state(source) for source in self._sources.values())

    def _state(self, source: PriceSource) -> SourceState:
        known, now = self._known.get(source.source_id), self._clock.now()
        state = replace(
            self._states[source.source_id], area=source.area, missing=self._missing(source, now)
        )
        if known is None or not known.steps:
            return state
        return replace(state, currency=known.currency, as_of=known.as_of, until=known.steps[-1].end)

    async def _follow(self, source: PriceSource) -> None:
        backoff = Backoff(_FIRST_S, _MOST_S, self._chance)
        while True:
            wait_s = await self._look(source, backoff)
            await self._clock.sleep(wait_s + self._chance() * min(_SPREAD_S, wait_s / 10))

    async def _look(self, source: PriceSource, backoff: Backoff) -> float:
        """Ask for every day that should be known; how long to wait before the next look, in s."""
        now, name = self._clock.now(), source.source_id
        try:
            for day in days_known(now, source.zone, source.published_at):
                await self._ask(source, day)
        except GridyardError as error:
            if str(error) != self._states[name].failure:
                _log.warning("prices_not_read", source=name, why=str(error))
            self._states[name] = replace(self._states[name], failure=str(error))
            return _patience_s(error, backoff)
        backoff.reset()
        self._states[name] = replace(self._states[name], failure="", heard_at=self._clock.now())
        return self._pause_s(source)

    async def _ask(self, source: PriceSource, day: Interval) -> None:
        said, known = await source.fetch(day), self._known.get(source.source_id)
        if said is None:
            return
        since = self._clock.now() - FORGET_AFTER
        kept = forgotten(renewed(known, said), since)
        if kept == known:
            return
        await self._memory.save(source.source_id, kept, since)
        self._known[source.source_id] = kept
        _log.info("prices", source=source.source_id, day=day.start.isoformat())
        self._changed()

    def _missing(self, source: PriceSource, now: datetime) -> tuple[Interval, ...]:
        days = days_known(now, source.zone, source.published_at)
        known = self._known.get(source.source_id)
        if known is None:
            return days
        return tuple(gap for day in days for gap in known.gaps(day))

    def _pause_s(self, source: PriceSource) -> float:
        now = self._clock.now()
        if _any_time(source) or self._missing(source, now):
            return self._poll_s
        due = next_publication(now, source.zone, source.published_at)
        return min(RECHECK, due - now).total_seconds()


def _any_time(source: PriceSource) -> bool:
    """Its prices may change at any time."""
    return not any((source.published_at.hour, source.published_at.minute))


def _patience_s(error: GridyardError, backoff: Backoff) -> float:
    """What makes no sense now, or is refused, is not asked for again in a hurry."""
    wait_s = backoff.next_s()
    if isinstance(error, BusyError):
        return max(wait_s, error.wait_s)
    return _MOST_S if isinstance(error, PermanentError | ProtocolError) else wait_s
