"""One report for whoever reads it: operator, site owner or utility.

The operator sees all of it, an owner their own site and part of the money, the utility all but what
is between the aggregator and the owners.

A variant is a report of its own with less in it, so that page, PDF and exports cannot show more
than was left in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from contracts.errors import PermanentError
from contracts.series import Step
from contracts.time import Interval
from gateway.domain.measure.report import (
    Curves,
    KeyFigures,
    ParticipationReport,
    ReportException,
    SiteResult,
)
from gateway.domain.measure.shortfall import Shortfall
from gateway.domain.settle.line import Line, plain
from gateway.domain.settle.parts import parts_of, weights_kwh
from gateway.domain.words import kw, pct

NO_CONTRACT = "nothing is agreed on how this site shares in the program's money"


_ABOUT_VEHICLES = ("vehicle-short", "departure-at-risk")


class Audience(StrEnum):
    """Who reads a report."""

    OPERATOR = "operator"
    OWNER = "owner"
    UTILITY = "utility"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A report as one reader may see it."""

    report: ParticipationReport
    audience: Audience
    words: str
    """For whom, as is printed on it."""


def variant(
    report: ParticipationReport, audience: Audience = Audience.OPERATOR, site_id: str = ""
) -> Variant:
    """What this reader may see; `site_id` is the owner's.

    Raises:
        PermanentError: an owner's variant without a site, or of one that took no part.
    """
    match audience:
        case Audience.OPERATOR:
            return Variant(report=report, audience=audience, words="for the operator")
        case Audience.UTILITY:
            return Variant(report=_for_utility(report), audience=audience, words="for the utility")
        case Audience.OWNER:
            mine = next((site for site in report.sites if site.site_id == site_id), None)
            if mine is None:
                known = ", ".join(site.site_id for site in report.sites) or "none"
                raise PermanentError(
                    f"an owner's report needs one of the event's sites, not {site_id!r}: {known}"
                )
            words = f"for the owner of {mine.name}"
            return Variant(report=_for_owner(report, mine), audience=audience, words=words)


def _for_utility(report: ParticipationReport) -> ParticipationReport:
    """No contract with an owner, no owner's words, no vehicle by name."""
    return replace(
        report,
        sharing={},
        account=None,
        exceptions=tuple(_without_private(one) for one in report.exceptions),
        figures=replace(report.figures, shortfall=_nameless(report.figures.shortfall)),
        sites=tuple(replace(s, shortfall=_nameless(s.shortfall)) for s in report.sites),
    )


def _nameless(found: Shortfall | None) -> Shortfall | None:
    """Causes and kW, of no vehicle or device by name."""
    if found is None:
        return None
    return replace(found, parts=tuple(replace(part, about=()) for part in found.parts))


def _without_private(one: ReportException) -> ReportException:
    if one.kind == "opt-out":
        return replace(one, text="the site's owner took it out of the event")
    if one.kind in _ABOUT_VEHICLES:
        return replace(one, subject="a vehicle", text="short of the energy for its departure")
    return one


def _for_owner(report: ParticipationReport, mine: SiteResult) -> ParticipationReport:
    """One site: nothing of the others, not even by a sum from which they could be had."""
    own = tuple(one for one in report.data if one.site_id == mine.site_id)
    head = replace(
        report.header,
        signal=f"reduce by {kw(mine.asked_mean_w)} on average at this site",
        opt_cause="",
        first_response_at=None,
        all_applied_s=None,
    )
    return replace(
        report,
        header=head,
        figures=_figures(mine, report.header.window),
        curves=mine.curves,
        sites=(mine,),
        exceptions=tuple(one for one in report.exceptions if one.site_id == mine.site_id),
        estimated_intervals=sum(
            mine.curves.actual.covered_seconds(step.interval) < _seconds(step.interval)
            or any(one.estimates(step.interval) for one in own)
            for step in _during(mine.curves, report.header.window)
        ),
        lines=tuple(_share(report, mine, line) for line in report.lines),
        data=own,
        changes=tuple(one for one in report.changes if one.where == mine.site_id),
        sharing={},
        account=None,
        anomalies=tuple(one for one in report.anomalies if one.site_id == mine.site_id),
    )


def _figures(mine: SiteResult, event: Interval) -> KeyFigures:
    after = Interval(start=event.end or event.start, end=mine.curves.span.end)
    return KeyFigures(
        performance_pct=mine.performance_pct,
        delivered_mean_w=mine.delivered_mean_w,
        delivered_min_w=_over(mine.curves, event, min),
        nominated_w=mine.nominated_w,
        target_mean_w=mine.asked_mean_w,
        reduced_wh=mine.reduced_wh,
        rebound_w=_rebound(mine.curves, after) if mine.rebound_w is None else mine.rebound_w,
        coverage=mine.coverage,
        rebound_wh=mine.rebound_wh,
        availability=mine.availability,
        response=mine.response,
        shortfall=mine.shortfall,
    )


def _rebound(curves: Curves, after: Interval) -> float | None:
    lowest = _over(curves, after, min)
    return None if lowest is None else max(0.0, -lowest)


def _over(curves: Curves, window: Interval, choose: Callable[[list[float]], float]) -> float | None:
    """Of the differences of baseline and measured load over a window, W; None: none is known."""
    pairs = ((step.value, curves.actual.mean(step.interval)) for step in _during(curves, window))
    known = [base - actual for base, actual in pairs if actual is not None]
    return choose(known) if known else None


def _during(curves: Curves, window: Interval) -> Iterator[Step]:
    return iter(curves.baseline.clip(window))


def _seconds(interval: Interval) -> float:
    return interval.duration.total_seconds() if interval.duration else 0.0


def _share(report: ParticipationReport, mine: SiteResult, line: Line) -> Line:
    """The site's part of a line, told by its own delivery and contract."""
    quantity = plain(weights_kwh(report, line)[mine.site_id])
    parts = parts_of(report, line)
    contract = report.sharing.get(mine.site_id)
    bare = replace(line, quantity=quantity, unit="kWh", price=None, inputs=())
    if parts is None:
        return bare
    if contract is None:
        return replace(bare, amount=None, currency="", problem=NO_CONTRACT)
    share = contract.site_share if (line.amount or 0) >= 0 else contract.site_share_of_charges
    return replace(
        bare,
        amount=parts[1][mine.site_id],
        inputs=(f"the site's share: {pct(float(share))} of what falls to these kWh",),
    )
