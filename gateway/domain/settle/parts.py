"""Who gets what of an event's money: the aggregator's part and each site's, from a report alone.

What is earned is shared by the energy a site delivered, a charge by what it was asked for and did
not deliver. Programs leave this to the aggregator; the choice is ours (docs/decisions/0035).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal

from gateway.domain.measure.blocks import ZERO
from gateway.domain.measure.report import ParticipationReport, SiteResult
from gateway.domain.settle.line import Kind, Line
from gateway.domain.settle.sharing import split

_WH_PER_KWH = 1000
_CHARGES = frozenset({Kind.PENALTY, Kind.PEAK, Kind.OVER_LEVEL})


def parts_of(
    report: ParticipationReport, line: Line
) -> tuple[Decimal, Mapping[str, Decimal]] | None:
    """The aggregator's part of a line and each contracted site's; None: the line has no amount."""
    if line.amount is None:
        return None
    return split(line, report.sharing, weights_kwh(report, line))


def weights_kwh(report: ParticipationReport, line: Line) -> dict[str, Decimal]:
    """By site, the energy by which it shares in a line, kWh >= 0; unknown counts as none."""
    if line.kind is Kind.OVER_LEVEL and report.account is not None:
        over = {site: one.over_level_kwh or ZERO for site, one in report.account.sites.items()}
        return {one.site_id: over.get(one.site_id, ZERO) for one in report.sites}
    charge = line.kind in _CHARGES or (line.amount is not None and line.amount < 0)
    if not charge:
        return {one.site_id: _kwh(one.reduced_wh or 0.0) for one in report.sites}
    hours = (report.header.window.duration or timedelta(0)) / timedelta(hours=1)
    return {one.site_id: _kwh(_missed_w(one) * hours) for one in report.sites}


def _missed_w(one: SiteResult) -> float:
    return one.asked_mean_w - max(0.0, one.delivered_mean_w or 0.0)


def _kwh(energy_wh: float) -> Decimal:
    return max(ZERO, Decimal(repr(energy_wh)) / _WH_PER_KWH)
