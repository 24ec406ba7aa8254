"""Why less was given, what was still there, how fast it came, and what is wrong with the data.

Rows of text for page and PDF, and the same as tables of numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from contracts.power import kw_from_watts
from gateway.domain.measure.availability import Availability, Response
from gateway.domain.measure.report import KeyFigures, ParticipationReport, SiteResult
from gateway.domain.measure.shortfall import WORDS, Shortfall
from gateway.reports import words
from gateway.reports.tables import Cell, Table

PORTFOLIO = "(portfolio)"
_DECIMALS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseRow:
    """One cause of a shortfall, in the units of the table's head."""

    who: str
    """Empty where it is the same as in the row before."""
    planned_kw: str
    missing_kw: str
    cause: str
    kw: str
    share: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyRow:
    """What a site still had, how fast it followed and how much it drew afterwards."""

    who: str
    available: str
    still_kw: str
    first_s: str
    full_s: str
    ramp: str
    rebound_kw: str
    rebound_kwh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyRow:
    """Something wrong with what was measured."""

    site: str
    what: str
    subject: str
    when: str
    touches: str
    reason: str
    what_to_do: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Party:
    """The whole or one site."""

    site_id: str
    name: str
    shortfall: Shortfall | None
    availability: Availability
    response: Response
    rebound_w: float | None
    rebound_wh: float | None


def cause_rows(report: ParticipationReport, told: Sequence[SiteResult]) -> tuple[CauseRow, ...]:
    """The whole first, then those of the `told` sites that were short."""
    return tuple(row for party in _parties(report, told) for row in _causes(party))


def _causes(party: _Party) -> Iterator[CauseRow]:
    found = party.shortfall
    if found is None:
        return
    for n, part in enumerate(found.parts):
        first = n == 0
        yield CauseRow(
            who=party.name if first else "",
            planned_kw=words.kilo(found.planned_mean_w) if first else "",
            missing_kw=words.kilo(found.mean_w) if first else "",
            cause=WORDS[part.cause],
            kw=words.kilo(part.mean_w),
            share=words.share(part.mean_w / found.mean_w),
            about=", ".join(part.about),
        )


def ready_rows(report: ParticipationReport, told: Sequence[SiteResult]) -> tuple[ReadyRow, ...]:
    """The whole first, then the `told` sites; empty for a document from before it was kept."""
    parties = list(_parties(report, told))
    if all(_nothing(party) for party in parties):
        return ()
    return tuple(
        ReadyRow(
            who=party.name,
            available=words.share(party.availability.there_share),
            still_kw=words.kilo(party.availability.still_w),
            first_s=words.number(party.response.first_s, 0),
            full_s=words.number(party.response.full_s, 0),
            ramp=words.kilo(party.response.ramp_w_per_min),
            rebound_kw=words.kilo(party.rebound_w),
            rebound_kwh=words.kilo(party.rebound_wh),
        )
        for party in parties
    )


def _nothing(party: _Party) -> bool:
    return (
        party.availability == Availability()
        and party.response == Response()
        and party.rebound_wh is None
    )


def anomaly_rows(
    report: ParticipationReport, names: Mapping[str, str], tz: tzinfo
) -> tuple[AnomalyRow, ...]:
    """In the order of the report."""
    return tuple(
        AnomalyRow(
            site=names.get(one.site_id, one.site_id),
            what=one.code.replace("-", " "),
            subject=one.subject,
            when=words.span(one.evidence, tz),
            touches=", ".join(one.touches),
            reason=one.reason,
            what_to_do=one.what_to_do,
        )
        for one in report.anomalies
    )


def short_tables(report: ParticipationReport) -> Sequence[Table]:
    """The same as numbers."""
    parties = list(_parties(report, report.sites))
    return (
        Table(
            name="Shortfall",
            columns=("site_id", "site", "planned_kw", "missing_kw", "cause", "kw", "about"),
            rows=[
                (
                    *(party.site_id, party.name, _kw(found.planned_mean_w), _kw(found.mean_w)),
                    *(part.cause.value, _kw(part.mean_w), ", ".join(part.about)),
                )
                for party in parties
                if (found := party.shortfall) is not None
                for part in found.parts
            ],
        ),
        Table(
            name="Availability",
            columns=(
                *("site_id", "site", "available_share", "known_share", "still_kw"),
                *("first_response_s", "full_response_s", "ramp_kw_per_min"),
                *("rebound_kw", "rebound_kwh"),
            ),
            rows=[_ready_cells(party) for party in parties],
        ),
        Table(
            name="Anomalies",
            columns=(
                *("site_id", "what", "about", "start_utc", "end_utc", "touches"),
                *("seen", "what_to_do"),
            ),
            rows=[
                (
                    *(one.site_id, one.code, one.subject, one.evidence.start.isoformat()),
                    one.evidence.end.isoformat() if one.evidence.end else None,
                    *(", ".join(one.touches), one.reason, one.what_to_do),
                )
                for one in report.anomalies
            ],
        ),
    )


def _ready_cells(party: _Party) -> tuple[Cell, ...]:
    there = party.availability
    return (
        *(party.site_id, party.name, there.there_share, there.known_share, _kw(there.still_w)),
        *(party.response.first_s, party.response.full_s, _kw(party.response.ramp_w_per_min)),
        *(_kw(party.rebound_w), _kw(party.rebound_wh)),
    )


def _parties(report: ParticipationReport, told: Sequence[SiteResult]) -> Iterator[_Party]:
    """The whole only where it is more than the one site."""
    if len(report.sites) > 1:
        yield _party(PORTFOLIO, "All sites", report.figures)
    for site in told:
        yield _party(site.site_id, site.name, site)


def _party(site_id: str, name: str, of: KeyFigures | SiteResult) -> _Party:
    return _Party(
        site_id=site_id,
        name=name,
        shortfall=of.shortfall,
        availability=of.availability,
        response=of.response,
        rebound_w=of.rebound_w,
        rebound_wh=of.rebound_wh,
    )


def _kw(power_w: float | None) -> float | None:
    return None if power_w is None else round(kw_from_watts(power_w), _DECIMALS)
