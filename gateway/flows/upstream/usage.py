"""What utilities may be told: `gateway.ports.UsageSource` and `SiteStates`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from contracts.reading import Quality, Reading
from contracts.site_link import points
from contracts.site_link.messages import Notice
from contracts.time import Interval
from gateway.domain.measure.metered import IntervalMean, interval_means
from gateway.domain.portfolio import Portfolio
from gateway.flows.sites.live import Live
from gateway.ports import Ledger, ReportPoint, SiteState, TelemetryStore

PORTFOLIO_POINT = "portfolio/power_w"
_GOOD, _ESTIMATED = 0.9, 0.5
"""Coverage from which a mean is good, or still an estimate."""
_POWERS = {
    "power_w": points.PCC_POWER_W,
    "charging_power_w": points.CHARGING_POWER_W,
    "battery_power_w": points.BATTERY_POWER_W,
    "pv_power_w": points.PV_POWER_W,
}
"""What of a site can be averaged, by the last part of a point's id."""


class UsageReports:
    """The portfolio's import, and each site's."""

    def __init__(self, portfolio: Portfolio, telemetry: TelemetryStore) -> None:
        self._telemetry = telemetry
        self._sites = {f"site/{s.site_id}/power_w": s.site_id for s in portfolio.sites}
        self._series = {
            f"site/{s.site_id}/{name}": (s.site_id, point)
            for s in portfolio.sites
            for name, point in _POWERS.items()
        }

    async def points(self) -> Sequence[ReportPoint]:
        """The portfolio first, then every site."""
        whole = ReportPoint(point_id=PORTFOLIO_POINT, site_id=None, unit="W")
        return [
            whole,
            *(ReportPoint(point_id=p, site_id=s, unit="W") for p, s in self._sites.items()),
        ]

    async def usage(self, point_id: str, interval: Interval) -> Reading:
        """Mean power over a closed interval in W.

        The portfolio's is the sum over the sites that were measured, and only an estimate while
        one is missing.

        Raises:
            ValueError: the interval is open-ended.
        """
        if interval.end is None:
            raise ValueError("usage needs a closed interval")
        if point_id in self._series:
            return await self._mean(*self._series[point_id], interval)
        if point_id != PORTFOLIO_POINT:
            return Reading.missing(interval.end, Quality.INVALID)
        means = [
            await self._mean(site_id, points.PCC_POWER_W, interval)
            for site_id in self._sites.values()
        ]
        return total(means, interval.end)

    async def _mean(self, site_id: str, point: str, interval: Interval) -> Reading:
        series = await self._telemetry.series(site_id, point, interval)
        (mean,) = interval_means(series, [interval])
        return reading(mean, interval.end or interval.start)


def reading(mean: IntervalMean, end: datetime) -> Reading:
    """A mean as far as it may be trusted; no value when too little of the interval is covered."""
    if mean.value is None or mean.coverage < _ESTIMATED:
        return Reading.missing(end)
    quality = Quality.GOOD if mean.coverage >= _GOOD else Quality.ESTIMATED
    return Reading(value=mean.value, quality=quality, at=end)


def total(means: Sequence[Reading], end: datetime) -> Reading:
    """The sum over sites: of those that were measured, and only an estimate if one was not."""
    known = [mean.value for mean in means if mean.value is not None]
    if not known:
        return Reading.missing(end)
    good = all(mean.quality is Quality.GOOD for mean in means)
    quality = Quality.GOOD if good else Quality.ESTIMATED
    return Reading(value=sum(known), quality=quality, at=end)


class StateReports:
    """How sites are, for status reports."""

    def __init__(self, live: Live, ledger: Ledger) -> None:
        self._live = live
        self._ledger = ledger

    def state(self, site_id: str) -> SiteState:
        """A site at present.

        Raises:
            KeyError: no such site.
        """
        site = self._live.site(site_id)
        return SiteState(online=site.online, readings=site.readings)

    async def notices(self, window: Interval) -> Sequence[tuple[str, Notice]]:
        """`(site_id, notice)` raised or cleared in a window of time, in order."""
        return await self._ledger.notices(window)
