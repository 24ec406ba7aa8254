"""Where the loads of a settlement come from: the sites' agents, or their revenue meters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.metering.interval import MeterInterval
from gateway.domain.metering.remarks import Known
from gateway.domain.metering.site_meter import SiteMeter, load_of
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import Program
from gateway.domain.scope import Scope
from gateway.ports import MeterStore, TelemetryStore

_WHOLE = frozenset({Scope.SITE, Scope.EXPORT})
"""What a meter at the connection can tell of."""


class Loads(Protocol):
    """The measured loads of one event's sites, as they are counted."""

    async def within(self, site_id: str, windows: Sequence[Interval]) -> StepSeries:
        """The load over these closed windows, W; perhaps more around them."""
        ...


@dataclass(frozen=True, slots=True)
class AgentLoads:
    """What the agents measured."""

    telemetry: TelemetryStore
    scope: Scope

    async def within(self, site_id: str, windows: Sequence[Interval]) -> StepSeries:
        """See `Loads.within`; the windows must not overlap."""
        point = self.scope.point
        found = [await self.telemetry.series(site_id, point, window) for window in windows]
        steps = tuple(step for series in found for step in series)
        return self.scope.counted(StepSeries(steps))


@dataclass(slots=True)
class _Read:
    window: Interval
    known: Mapping[str, Mapping[datetime, Known]]
    load: StepSeries


class MeterLoads:
    """What the revenue meters counted, as it was known at one instant: read once a site."""

    def __init__(
        self,
        portfolio: Portfolio,
        store: MeterStore,
        program: Program,
        scope: Scope,
        event: Interval,
        known_at: datetime,
    ) -> None:
        self._portfolio = portfolio
        self._store = store
        self._program_id = program.program_id
        self._scope = scope
        self._at = event.start
        self._known_at = known_at
        self._read: dict[str, _Read] = {}

    def meters(self, site_id: str) -> tuple[SiteMeter, ...]:
        """Those a site is settled on; none where nobody said which count what the event is about.

        Meters are the connection's unless the enrolment names them.
        """
        named = self._portfolio.names_meters(site_id, self._program_id, self._at)
        if self._scope not in _WHOLE and not named:
            return ()
        return self._portfolio.meters(site_id, self._program_id, self._at)

    async def within(self, site_id: str, windows: Sequence[Interval]) -> StepSeries:
        """See `Loads.within`."""
        return (await self._reading(site_id, windows)).load

    async def known(
        self, site_id: str, windows: Sequence[Interval]
    ) -> Mapping[str, Mapping[datetime, Known]]:
        """By meter and start, the intervals that touch these closed windows; perhaps more."""
        return (await self._reading(site_id, windows)).known

    async def _reading(self, site_id: str, windows: Sequence[Interval]) -> _Read:
        kept = self._read.get(site_id)
        wanted = _hull([*windows, *([kept.window] if kept else [])])
        if kept is None or kept.window != wanted:
            kept = self._read[site_id] = await self._fresh(site_id, wanted)
        return kept

    async def _fresh(self, site_id: str, window: Interval) -> _Read:
        known: dict[str, Mapping[datetime, Known]] = {}
        intervals: dict[str, Sequence[MeterInterval]] = {}
        meters = self.meters(site_id)
        for one in meters:
            around = Interval(start=window.start - one.rules.length, end=window.end)
            found = await self._store.intervals(site_id, one.name, around, self._known_at)
            intervals[one.name] = [each.told for each in found]
            known[one.name] = {
                each.told.start: Known(told=each.told, version=each.version) for each in found
            }
        load = self._scope.counted(load_of(meters, intervals)) if meters else StepSeries()
        return _Read(window=window, known=known, load=load)


def _hull(windows: Sequence[Interval]) -> Interval:
    ends = [one.end for one in windows if one.end is not None]
    return Interval(start=min(one.start for one in windows), end=max(ends))
