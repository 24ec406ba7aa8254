"""What a utility's reports are made of: `gateway.ports.ReportSource`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from contracts.reading import Reading
from contracts.series import StepSeries
from contracts.site_link import points
from contracts.time import Clock, Interval
from gateway.domain.event import EventStatus, GridEvent, Opt, SignalKind
from gateway.domain.measure.metered import interval_means
from gateway.domain.portfolio import Portfolio
from gateway.flows.sites.live import Live, LiveSite
from gateway.flows.upstream.usage import PORTFOLIO_POINT, UsageReports, reading, total
from gateway.ports import Ledger, ReportPoint, ResourceState, StoredEvent, TelemetryStore

_HELD = timedelta(seconds=30)
"""A site's newest value stands for so long; what follows is not known until it is heard again."""


class ResourceReports:
    """The portfolio and every site, from the store and the present."""

    def __init__(
        self,
        portfolio: Portfolio,
        telemetry: TelemetryStore,
        ledger: Ledger,
        live: Live,
        clock: Clock,
    ) -> None:
        self._portfolio = portfolio
        self._telemetry = telemetry
        self._ledger = ledger
        self._live = live
        self._clock = clock
        self._usage = UsageReports(portfolio, telemetry)
        self._all = tuple(site.site_id for site in portfolio.sites)
        self._sites: dict[str, tuple[str, ...]] = {
            PORTFOLIO_POINT: self._all,
            **{f"site/{site_id}/power_w": (site_id,) for site_id in self._all},
        }

    async def points(self) -> Sequence[ReportPoint]:
        """The portfolio first, then every site."""
        return await self._usage.points()

    def known_until(self, point_id: str) -> datetime | None:
        """When the last site of those in the point was measured; sites never heard do not count."""
        found = (self._measured_at(site_id) for site_id in self._sites.get(point_id, ()))
        return min((at for at in found if at is not None), default=None)

    async def means(self, point_id: str, pieces: Sequence[Interval]) -> Sequence[Reading]:
        """Mean power in W over each interval; the portfolio's as `flows.upstream_reports.total`."""
        ends = [piece.end or piece.start for piece in pieces]
        sites = [await self._of_site(site_id, pieces) for site_id in self._sites.get(point_id, ())]
        if not sites:
            return [Reading.missing(end) for end in ends]
        if point_id != PORTFOLIO_POINT:
            return sites[0]
        return [
            total(column, end) for column, end in zip(zip(*sites, strict=True), ends, strict=True)
        ]

    async def resources(self, utility_id: str) -> Mapping[str, ResourceState]:
        """Every site: heard or not, opted out or not, at which level and under which limit."""
        now = self._clock.now()
        running = [
            stored
            for stored in await self._ledger.events(ending_after=now)
            if stored.event.utility_id == utility_id
            and stored.event.status(now) is EventStatus.ACTIVE
        ]
        opted_out = {site for stored in running for site in _out(stored, self._portfolio)}
        levels: dict[str, int] = {}
        for stored in running:
            for site in self._portfolio.addressed(stored.event):
                level = _level(stored.event, now)
                levels[site.site_id] = max(level, levels.get(site.site_id, 0))
        return {
            site.site_id: ResourceState(
                online=(live := self._live.site(site.site_id)).online,
                overridden=site.site_id in opted_out,
                level=0 if site.site_id in opted_out else levels.get(site.site_id, 0),
                limit_w=_limit_w(live, now),
                contracted_w=site.import_limit_w,
            )
            for site in self._portfolio.sites
        }

    async def _of_site(self, site_id: str, pieces: Sequence[Interval]) -> Sequence[Reading]:
        window = Interval(start=pieces[0].start, end=pieces[-1].end)
        series = await self._telemetry.series(site_id, points.PCC_POWER_W, window)
        means = interval_means(self._measured_part(site_id, series, window), pieces)
        return [
            reading(mean, piece.end or piece.start)
            for mean, piece in zip(means, pieces, strict=True)
        ]

    def _measured_part(self, site_id: str, series: StepSeries, window: Interval) -> StepSeries:
        """Without what the store would hold on to after the site fell silent."""
        at = self._measured_at(site_id)
        if at is None or (window.end is not None and window.end <= at + _HELD):
            return series
        return series.clip(Interval(start=window.start, end=max(window.start, at + _HELD)))

    def _measured_at(self, site_id: str) -> datetime | None:
        return self._live.site(site_id).measured_at()


def _out(stored: StoredEvent, portfolio: Portfolio) -> frozenset[str]:
    """Sites that do not follow an event although it names them."""
    if stored.decision.opt is Opt.IN:
        return stored.opted_out_sites
    return frozenset(site.site_id for site in portfolio.addressed(stored.event))


def _level(event: GridEvent, now: datetime) -> int:
    levels = (s.series.value_at(now) for s in event.signals if s.kind is SignalKind.LEVEL)
    return max((int(level) for level in levels if level is not None), default=0)


def _limit_w(live: LiveSite, now: datetime) -> float | None:
    limit = live.readings.get(points.SITE_LIMIT_W)
    return None if limit is None or not live.online else limit.fresh(now, 2 * _HELD)
