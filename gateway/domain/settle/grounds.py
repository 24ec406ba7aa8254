"""What a statement is made from, and what its reports say of a season."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from gateway.domain.measure.blocks import ZERO
from gateway.domain.measure.factor import EventResult, Standing, standing_factor
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.program import Program
from gateway.domain.program.performing import Performance
from gateway.domain.program.season import Season
from gateway.domain.program.wall import local_day, span_of
from gateway.domain.settle.credit import Claimed
from gateway.domain.settle.determinant import Determinant
from gateway.domain.settle.due import REPORT_OF
from gateway.domain.settle.peaks import PeakLoad
from gateway.domain.settle.period import StatementPeriod, next_month
from gateway.domain.settle.sharing import Sharing

_DIGITS = Decimal("1e-9")
"""To which a ratio that was stored as a float is exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastFactor:
    """The factor with which a season ended."""

    factor: Decimal
    because: str
    """Where it is from, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a statement is made from."""

    program: Program
    """The version in force when the period begins."""
    period: StatementPeriod
    reports: Sequence[ParticipationReport]
    """The newest of every event of the year and season the period lies in, up to its end."""
    unreported: Sequence[str] = ()
    """Events of the period that should have a report and have none yet."""
    committed_kw: Mapping[date, Mapping[str, Decimal]] = field(default_factory=dict)
    """By first day of a month and site, what was promised, kW."""
    contracts: Mapping[str, Sharing] = field(default_factory=dict)
    """By site; capacity is shared by these, events by what their reports say."""
    programs: Mapping[str, Program] = field(default_factory=dict)
    """By event, the version in force when it began; of an event that is absent it is `program`."""
    others: Mapping[str, Sequence[Claimed]] = field(default_factory=dict)
    """By event, events of other programs at the same time with some of the same sites."""
    told: Sequence[Determinant] = ()
    """Figures from outside that may bear on the period."""
    peaks: Mapping[date, PeakLoad] = field(default_factory=dict)
    """By first day of a month whose system peak was told, what was drawn in it."""
    last_factor: Mapping[date, LastFactor] = field(default_factory=dict)
    """By first day of a month, the factor of the season before its own, where that is known."""
    networks: frozenset[str] = frozenset()
    """Network groups of the sites enrolled, which may name the tier that is paid."""
    names: Mapping[str, str] = field(default_factory=dict)
    simulated: bool = False


def result_of(report: ParticipationReport) -> EventResult:
    """What a report says of its event, for factors and means."""
    head, pct_of, mean_w = (
        report.header,
        report.figures.performance_pct,
        report.figures.delivered_mean_w,
    )
    return EventResult(
        event_key=head.event_key,
        window=head.window,
        ratio=None if pct_of is None else (Decimal(repr(pct_of)) / 100).quantize(_DIGITS),
        mean_kw=ZERO if mean_w is None else (Decimal(repr(mean_w)) / 1000).quantize(_DIGITS),
        test=head.test,
        opted_out=head.opt == "optOut",
    )


def standing_of(
    program: Program,
    reports: Sequence[ParticipationReport],
    month: date,
    last_season: Decimal | None = None,
) -> Standing:
    """The factor of a month from the reports of its season, and of the season before."""
    rules = program.rules
    rule = rules.performance[0] if rules.performance else Performance()
    last = date.fromordinal(next_month(month).toordinal() - 1)
    return standing_factor(
        map(result_of, reports),
        rule,
        span_of(month, last, program.zone),
        tests_set_it=rules.tests is not None and rules.tests.sets_factor,
        last_season=last_season,
    )


def season_factor(
    program: Program, reports: Sequence[ParticipationReport], first: date, last: date
) -> LastFactor | None:
    """The factor with which a season ended; None: none of its events says one.

    Sticky: that of its last event; else the mean over its events.
    """
    rules = program.rules
    rule = rules.performance[0] if rules.performance else Performance()
    standing = standing_factor(
        map(result_of, reports),
        rule,
        span_of(first, last, program.zone),
        tests_set_it=rules.tests is not None and rules.tests.sets_factor,
    )
    if standing.factor is None:
        return None
    return LastFactor(factor=standing.factor, because=standing.because)


def in_season(program: Program, report: ParticipationReport, month: date) -> bool:
    """Whether an event is of the season (without seasons: the year) of a month, and not later."""
    day = local_day(report.header.window.start, program.zone)
    if day >= next_month(month):
        return False
    seasons = [one for one in program.rules.seasons if _touches(one, month)]
    if not program.rules.seasons:
        return day.year == month.year
    return any(one.holds(day) and _same_run(one, day, month) for one in seasons)


def _touches(season: Season, month: date) -> bool:
    return any(season.holds(day) for day in _days(month))


def _same_run(season: Season, day: date, month: date) -> bool:
    first, last = season.around(day)
    return first < next_month(month) and month <= last


def _days(month: date) -> Iterable[date]:
    return map(date.fromordinal, range(month.toordinal(), next_month(month).toordinal()))


def report_name(report: ParticipationReport) -> str:
    """As an input of a statement."""
    return f"{REPORT_OF}{report.header.event_key}"
