"""A period in a few numbers: events, hours, energy, performance, and money by kind and by site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from gateway.domain.measure.blocks import ZERO
from gateway.domain.measure.report import ParticipationReport, SiteResult
from gateway.domain.measure.rows import seconds_of
from gateway.domain.settle.line import Line, plain

Money = Mapping[str, Decimal]
"""By currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSummary:
    """One site over the period."""

    events: int
    """In which it took part."""
    reduced_kwh: Decimal | None
    """None: nothing was measured."""
    performance_pct: Decimal | None
    """Mean over its events that could be judged."""
    money: Money = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """All events of the period that have a report."""

    events: int
    tests: int
    """Of these."""
    hours: Decimal | None
    """Called for, test or not; None: not told to whom this is."""
    reduced_kwh: Decimal | None
    performance_pct: Decimal | None
    """Mean over the events that could be judged, each alike."""
    by_kind: Mapping[str, Money] = field(default_factory=dict)
    sites: Mapping[str, SiteSummary] = field(default_factory=dict)


def summary_of(
    reports: Sequence[ParticipationReport],
    lines: Iterable[Line],
    parts: Mapping[str, Mapping[str, Decimal]],
) -> Summary:
    """Of the period's own reports and all its lines; `parts`: by site, what is theirs."""
    opted_in = [one for one in reports if one.header.opt != "optOut"]
    return Summary(
        events=len(opted_in),
        tests=sum(one.header.test for one in opted_in),
        hours=plain(sum((seconds_of(one.header.window) for one in opted_in), ZERO) / 3600),
        reduced_kwh=_kwh(one.figures.reduced_wh for one in opted_in),
        performance_pct=_mean(one.figures.performance_pct for one in opted_in),
        by_kind=by_kind(lines),
        sites=_sites(opted_in, parts),
    )


def _sites(
    reports: Sequence[ParticipationReport], parts: Mapping[str, Mapping[str, Decimal]]
) -> Mapping[str, SiteSummary]:
    rows: dict[str, list[SiteResult]] = {site: [] for site in sorted(parts) if site}
    for report in reports:
        for one in report.sites:
            rows.setdefault(one.site_id, []).append(one)
    return {
        site: SiteSummary(
            events=sum(not one.opted_out for one in mine),
            reduced_kwh=_kwh(one.reduced_wh for one in mine if not one.opted_out),
            performance_pct=_mean(one.performance_pct for one in mine if not one.opted_out),
            money=dict(sorted(parts.get(site, {}).items())),
        )
        for site, mine in rows.items()
    }


def by_kind(lines: Iterable[Line]) -> Mapping[str, Money]:
    """The sum of the amounts of each kind of line, by currency."""
    found: dict[str, dict[str, Decimal]] = {}
    for line in lines:
        if line.amount is not None:
            sums = found.setdefault(line.kind.value, {})
            sums[line.currency] = sums.get(line.currency, ZERO) + line.amount
    return dict(sorted(found.items()))


def _kwh(energies_wh: Iterable[float | None]) -> Decimal | None:
    known = [Decimal(repr(one)) for one in energies_wh if one is not None]
    return plain(sum(known, ZERO) / 1000) if known else None


def _mean(values: Iterable[float | None]) -> Decimal | None:
    known = [Decimal(repr(one)) for one in values if one is not None]
    return plain(sum(known, ZERO) / len(known)) if known else None


def total(values: Sequence[Decimal | None]) -> Decimal | None:
    """Of what is known; None: nothing is."""
    known = [one for one in values if one is not None]
    return sum(known, ZERO) if known else None


def weighted_mean(values: Sequence[tuple[Decimal | None, int]]) -> Decimal | None:
    """Of what is known, each by its weight; None: nothing is."""
    known = [(value, weight) for value, weight in values if value is not None and weight]
    whole = sum(weight for _, weight in known)
    return plain(sum((value * weight for value, weight in known), ZERO) / whole) if whole else None
