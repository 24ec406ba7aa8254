"""The present, in memory: newest values of every site, sums, and the events in view.

Pages read `snapshot()` and wait for the next change with `changed(version)`; the telemetry and
dispatch flows write. After a restart the newest stored values are loaded by `restore`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from contracts.reading import Reading
from contracts.series import StepSeries
from contracts.site_link import points
from contracts.site_link.health import Health
from contracts.site_link.messages import Measurement
from contracts.time import Clock, Interval
from gateway.domain.event import EventStatus
from gateway.domain.portfolio import Site
from gateway.ports import MAX_CLOCK_AHEAD

_UNDER_WAY_S = 2.0
"""So long a message may be under way here after its sender has left."""

SUMMED = (
    points.PCC_POWER_W,
    points.BUILDING_POWER_W,
    points.CHARGING_POWER_W,
    points.BATTERY_POWER_W,
    points.PV_POWER_W,
    points.FLEX_DOWN_W,
    points.CHARGERS_ONLINE,
    points.CHARGERS_TOTAL,
    points.VEHICLES_CHARGING,
)
"""Points whose portfolio value is the sum over sites."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSite:
    """One site at the moment of the snapshot."""

    site: Site
    online: bool
    """Heard lately, and not reported as unreachable since."""
    heard_at: datetime | None
    """When its agent last sent anything."""
    readings: Mapping[str, Reading]
    """The newest reading of every point, however old: look at its `at`."""
    agent_version: str = ""
    """Of its agent, empty: not heard since our start."""
    health: Health | None = None
    """How its agent was at `heard_at`; None: not told since our start."""

    def value(self, point: str) -> float | None:
        """The newest value of a point, None when it has none."""
        reading = self.readings.get(point)
        return reading.value if reading else None

    def measured_at(self) -> datetime | None:
        """When the newest PCC power was measured."""
        reading = self.readings.get(points.PCC_POWER_W)
        return reading.at if reading else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSum:
    """A point summed over the sites that have a fresh value."""

    value: float | None
    """None when no site has one."""
    sites: int
    """How many sites are in the sum."""
    oldest_at: datetime | None
    """Time of the oldest value in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBand:
    """One event as the live page draws it. Series in W over the portfolio, reductions >= 0."""

    event_key: str
    event_id: str
    program_name: str
    window: Interval
    test: bool
    cancelled: bool
    opt: str
    cause: str
    revision: int
    """Of the dispatch plan; 0 when there is none."""
    plan_reason: str
    baseline: StepSeries
    target: StepSeries
    """Reduction asked."""
    target_load: StepSeries
    """Baseline less reduction asked: the line to stay under."""
    shortfall: StepSeries
    status: EventStatus = EventStatus.FAR
    """At the moment of the snapshot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSnapshot:
    """Everything the live page shows, at one instant."""

    at: datetime
    version: int
    sites: tuple[LiveSite, ...]
    sums: Mapping[str, LiveSum]
    """By point, for the points in `SUMMED`."""
    events: tuple[EventBand, ...]

    @property
    def online(self) -> int:
        """How many sites are online."""
        return sum(1 for site in self.sites if site.online)


class Live:
    """Newest values per site, and a version that grows with every change."""

    def __init__(self, sites: Sequence[Site], clock: Clock, *, offline_after: timedelta) -> None:
        self.began = clock.now()
        """Since when we have been looking."""
        self._clock = clock
        self._offline_after = offline_after
        self._sites = {
            site.site_id: LiveSite(
                site=site, online=False, heard_at=None, readings=MappingProxyType({})
            )
            for site in sites
        }
        self._left: dict[str, float] = {}
        self._events: tuple[EventBand, ...] = ()
        self._version = 1
        self._change = asyncio.Event()

    # --- reading ---------------------------------------------------------------------------------

    def snapshot(self) -> LiveSnapshot:
        """The present."""
        now = self._clock.now()
        sites = tuple(self._judged(site, now) for site in self._sites.values())
        return LiveSnapshot(
            at=now,
            version=self._version,
            sites=sites,
            sums=MappingProxyType({point: self._sum(point, sites, now) for point in SUMMED}),
            events=tuple(replace(b, status=_status(b, now)) for b in self._events),
        )

    def site(self, site_id: str) -> LiveSite:
        """One site at present.

        Raises:
            KeyError: no such site.
        """
        return self._judged(self._sites[site_id], self._clock.now())

    async def changed(self, since: int) -> int:
        """Wait until something is newer than version `since`; returns the newest version."""
        while self._version <= since:
            await self._change.wait()
        return self._version

    # --- writing ---------------------------------------------------------------------------------

    def came(self, site_id: str) -> None:
        """The site's agent has connected just now."""
        self._left.pop(site_id, None)
        self.heard(site_id)

    def left(self, site_id: str) -> None:
        """The site's agent is connected no more."""
        self._left[site_id] = self._clock.monotonic()
        self.lost(site_id)

    def heard(self, site_id: str) -> None:
        """The site's agent has sent something just now.

        What was still under way when it left does not bring it back.
        """
        left_s = self._left.pop(site_id, None)
        if left_s is not None and self._clock.monotonic() - left_s < _UNDER_WAY_S:
            self._left[site_id] = left_s
            return
        self._put(replace(self._sites[site_id], online=True, heard_at=self._clock.now()))

    def greeted(self, site_id: str, agent_version: str) -> None:
        """The site's agent has said who it is; how it is comes with its rows."""
        site = self._sites[site_id]
        self._put(replace(site, agent_version=agent_version, health=None))

    def told(self, site_id: str, health: Health | None) -> None:
        """How the site's agent is just now; None: it did not say."""
        if health is not None:
            site = self._sites[site_id]
            self._put(replace(site, agent_version=health.agent_version, health=health))

    def lost(self, site_id: str) -> None:
        """The site did not answer: offline until it is heard again."""
        if self._sites[site_id].online:
            self._put(replace(self._sites[site_id], online=False))

    def measured(self, site_id: str, rows: Iterable[Measurement]) -> None:
        """Take over values that are newer than those known; late rows change nothing.

        Nor do values from a clock that runs far ahead: they would hide every later one.
        """
        latest = self._clock.now() + MAX_CLOCK_AHEAD
        self.restore(
            site_id,
            {
                row.point: Reading(value=row.value, quality=row.quality, at=row.at)
                for row in sorted(rows, key=lambda row: row.at)
                if row.at <= latest
            },
        )

    def restore(self, site_id: str, newest: Mapping[str, Reading]) -> None:
        """Take over readings, for example from the store after a restart."""
        known = self._sites[site_id].readings
        fresh = {
            point: reading
            for point, reading in newest.items()
            if point not in known or known[point].at <= reading.at
        }
        if fresh:
            readings = MappingProxyType({**known, **fresh})
            self._put(replace(self._sites[site_id], readings=readings))

    def show_events(self, events: Sequence[EventBand]) -> None:
        """Replace the events in view."""
        if tuple(events) != self._events:
            self._events = tuple(events)
            self._announce()

    # --- inside ----------------------------------------------------------------------------------

    def _put(self, site: LiveSite) -> None:
        self._sites[site.site.site_id] = site
        self._announce()

    def _announce(self) -> None:
        self._version += 1
        self._change.set()
        self._change = asyncio.Event()

    def _judged(self, site: LiveSite, now: datetime) -> LiveSite:
        recent = site.heard_at is not None and now - site.heard_at <= self._offline_after
        return site if site.online == (site.online and recent) else replace(site, online=False)

    def _sum(self, point: str, sites: Sequence[LiveSite], now: datetime) -> LiveSum:
        found = [
            (value, site.readings[point].at)
            for site in sites
            if point in site.readings
            and (value := site.readings[point].fresh(now, self._offline_after)) is not None
        ]
        return LiveSum(
            value=sum(value for value, _ in found) if found else None,
            sites=len(found),
            oldest_at=min((at for _, at in found), default=None),
        )


def _status(band: EventBand, now: datetime) -> EventStatus:
    if band.cancelled:
        return EventStatus.CANCELLED
    if band.window.end is not None and band.window.end <= now:
        return EventStatus.COMPLETED
    return EventStatus.ACTIVE if band.window.start <= now else EventStatus.FAR
