"""A program over a month or season: what its events asked and got, and why less. No money.

Means of power are weighted with the length of the events; energies are sums. Test events are told
and left out of everything that is added up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from contracts.time import Interval
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.measure.shortfall import Cause, Shortfall

_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSummary:
    """One event by its newest report; None where that does not say."""

    event_key: str
    window: Interval
    test: bool
    final: bool
    version: int
    committed_w: float
    """What was promised."""
    asked_w: float
    delivered_w: float | None
    performance_pct: float | None
    reduced_wh: float | None
    rebound_w: float | None
    rebound_wh: float | None
    missing_w: float | None
    available_share: float | None
    vehicles_ready: int
    vehicles_total: int
    anomalies: int

    @property
    def seconds(self) -> float:
        """Length."""
        return self.window.duration.total_seconds() if self.window.duration else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseSummary:
    """What one cause made missing."""

    cause: Cause
    mean_w: float
    """Over all the hours of events, W."""
    energy_wh: float
    events: int
    """In how many it had a part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Of several events together, or of one site in them; None where none of them says."""

    events: int
    duration_s: float
    """Of all of them together."""
    committed_w: float | None
    asked_w: float | None
    delivered_w: float | None
    performance_pct: float | None
    """Delivered over asked, weighted with the length of the events, of those that were measured."""
    reduced_wh: float | None
    rebound_wh: float | None
    highest_rebound_w: float | None
    available_share: float | None
    vehicles_ready: int
    vehicles_total: int
    causes: tuple[CauseSummary, ...]
    """The largest first."""

    @property
    def hours(self) -> float:
        """The same in hours."""
        return self.duration_s / _HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSummary:
    """One site over the events in which it took part."""

    site_id: str
    name: str
    totals: Totals
    opted_out: int
    """Events that it left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramSummary:
    """A program over one period."""

    program_id: str
    program_name: str
    period: str
    window: Interval
    time_zone: str
    simulated: bool
    events: tuple[EventSummary, ...]
    """All of them, in order of time."""
    tests: int
    """Test events, which are in no sum."""
    preliminary: int
    """Events whose report is not final, which are in the sums."""
    totals: Totals
    sites: tuple[SiteSummary, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """One event or a site's part in it, as far as it is added up."""

    seconds: float
    committed_w: float
    asked_w: float
    delivered_w: float | None
    reduced_wh: float | None
    rebound_w: float | None
    rebound_wh: float | None
    available_share: float | None
    vehicles_ready: int
    vehicles_total: int
    shortfall: Shortfall | None


def summary(
    *,
    program_id: str,
    program_name: str,
    period: str,
    window: Interval,
    time_zone: str,
    reports: Iterable[ParticipationReport],
) -> ProgramSummary:
    """Of the newest report of each event; they may be those that one reader may see."""
    found = sorted(reports, key=lambda one: (one.header.window.start, one.header.event_key))
    counted = [one for one in found if not one.header.test]
    return ProgramSummary(
        program_id=program_id,
        program_name=program_name,
        period=period,
        window=window,
        time_zone=time_zone,
        simulated=any(one.header.simulated for one in found),
        events=tuple(_event(one) for one in found),
        tests=len(found) - len(counted),
        preliminary=sum(not one.final for one in counted),
        totals=_totals([_whole(one) for one in counted]),
        sites=_sites(counted),
    )


def _event(report: ParticipationReport) -> EventSummary:
    head, one = report.header, _whole(report)
    known = one.rebound_wh is not None and one.delivered_w is not None
    return EventSummary(
        event_key=head.event_key,
        window=head.window,
        test=head.test,
        final=report.final,
        version=report.version,
        committed_w=one.committed_w,
        asked_w=one.asked_w,
        delivered_w=one.delivered_w,
        performance_pct=report.figures.performance_pct,
        reduced_wh=one.reduced_wh,
        rebound_w=one.rebound_w,
        rebound_wh=one.rebound_wh,
        missing_w=one.shortfall.mean_w if one.shortfall else (0.0 if known else None),
        available_share=one.available_share,
        vehicles_ready=one.vehicles_ready,
        vehicles_total=one.vehicles_total,
        anomalies=len(report.anomalies),
    )


def _whole(report: ParticipationReport) -> _Share:
    figures = report.figures
    return _Share(
        seconds=_seconds(report),
        committed_w=figures.nominated_w,
        asked_w=figures.target_mean_w,
        delivered_w=figures.delivered_mean_w,
        reduced_wh=figures.reduced_wh,
        rebound_w=figures.rebound_w,
        rebound_wh=figures.rebound_wh,
        available_share=figures.availability.there_share,
        vehicles_ready=sum(site.vehicles_ready for site in report.sites),
        vehicles_total=sum(site.vehicles_total for site in report.sites),
        shortfall=figures.shortfall,
    )


def _sites(reports: Sequence[ParticipationReport]) -> tuple[SiteSummary, ...]:
    shares: dict[str, list[_Share]] = defaultdict(list)
    names, left = dict[str, str](), defaultdict[str, int](int)
    for report in reports:
        for site in report.sites:
            names[site.site_id] = site.name
            left[site.site_id] += site.opted_out
            shares[site.site_id].append(
                _Share(
                    seconds=_seconds(report),
                    committed_w=site.nominated_w,
                    asked_w=site.asked_mean_w,
                    delivered_w=site.delivered_mean_w,
                    reduced_wh=site.reduced_wh,
                    rebound_w=site.rebound_w,
                    rebound_wh=site.rebound_wh,
                    available_share=site.availability.there_share,
                    vehicles_ready=site.vehicles_ready,
                    vehicles_total=site.vehicles_total,
                    shortfall=site.shortfall,
                )
            )
    return tuple(
        SiteSummary(
            site_id=site_id,
            name=names[site_id],
            totals=_totals(found),
            opted_out=left[site_id],
        )
        for site_id, found in sorted(shares.items())
    )


def _totals(shares: Sequence[_Share]) -> Totals:
    judged = [one for one in shares if one.delivered_w is not None and one.asked_w > 0]
    asked = fsum(one.seconds * one.asked_w for one in judged)
    delivered = fsum(one.seconds * (one.delivered_w or 0.0) for one in judged)
    return Totals(
        events=len(shares),
        duration_s=fsum(one.seconds for one in shares),
        committed_w=_weighted(shares, lambda one: one.committed_w),
        asked_w=_weighted(shares, lambda one: one.asked_w),
        delivered_w=_weighted(shares, lambda one: one.delivered_w),
        performance_pct=100.0 * delivered / asked if asked else None,
        reduced_wh=_sum(one.reduced_wh for one in shares),
        rebound_wh=_sum(one.rebound_wh for one in shares),
        highest_rebound_w=max(
            (one.rebound_w for one in shares if one.rebound_w is not None), default=None
        ),
        available_share=_weighted(shares, lambda one: one.available_share),
        vehicles_ready=sum(one.vehicles_ready for one in shares),
        vehicles_total=sum(one.vehicles_total for one in shares),
        causes=_causes(shares),
    )


def _causes(shares: Sequence[_Share]) -> tuple[CauseSummary, ...]:
    hours = fsum(one.seconds for one in shares) / _HOUR_S
    energy: dict[Cause, list[float]] = defaultdict(list)
    for one in shares:
        for part in one.shortfall.parts if one.shortfall else ():
            energy[part.cause].append(part.mean_w * one.seconds / _HOUR_S)
    found = [
        CauseSummary(
            cause=cause, mean_w=fsum(parts) / hours, energy_wh=fsum(parts), events=len(parts)
        )
        for cause, parts in energy.items()
        if hours
    ]
    return tuple(sorted(found, key=lambda one: (-one.energy_wh, one.cause)))


def _weighted(shares: Sequence[_Share], of: Callable[[_Share], float | None]) -> float | None:
    known = [(one.seconds, value) for one in shares if (value := of(one)) is not None]
    seconds = fsum(s for s, _ in known)
    return fsum(s * value for s, value in known) / seconds if seconds > 0 else None


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fsum(known) if known else None


def _seconds(report: ParticipationReport) -> float:
    length = report.header.window.duration
    return length.total_seconds() if length else 0.0
