"""What a report tells of one site: its row, its chart, and how its baseline came about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from gateway.domain.measure.report import BaselineDay, Curves, ReportHeader, SiteResult
from gateway.reports import words
from gateway.reports.chart import event_chart


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """An SVG with the same content in words."""

    title: str
    svg: str
    alt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """One participant, in the units of the table's head (kW, %, kWh)."""

    site_id: str
    name: str
    nominated_kw: str
    asked_kw: str
    delivered_kw: str
    performance: str
    reduced_kwh: str
    vehicles: str
    opted_out: bool
    coverage: str
    chart: Chart


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodRow:
    """How one site's baseline came about."""

    name: str
    days_used: str
    days_rejected: str
    adjustment: str
    history: str
    note: str
    inputs_hash: str


def site_row(site: SiteResult, head: ReportHeader, tz: tzinfo) -> SiteRow:
    """A participant's row, with its chart."""
    return SiteRow(
        site_id=site.site_id,
        name=site.name,
        nominated_kw=words.kilo(site.nominated_w),
        asked_kw=words.kilo(site.asked_mean_w),
        delivered_kw=words.kilo(site.delivered_mean_w),
        performance=words.percent(site.performance_pct),
        reduced_kwh=words.kilo(site.reduced_wh),
        vehicles=f"{site.vehicles_ready} of {site.vehicles_total}",
        opted_out=site.opted_out,
        coverage=words.share(site.coverage),
        chart=chart_of(site.name, site.curves, head, tz, height=220),
    )


def method_row(site: SiteResult) -> MethodRow:
    """Days used and rejected, adjustment and inputs of a site's baseline."""
    used = [day.day.isoformat() for day in site.days if day.used]
    capped = ", at its bound" if site.adjustment_capped else ""
    return MethodRow(
        name=site.name,
        days_used=f"{len(used)}: {', '.join(used)}" if used else "none",
        days_rejected=_rejected(site.days),
        adjustment=(
            "none" if site.adjustment is None else f"{words.number(site.adjustment, 3)}{capped}"
        ),
        history=site.history_label or "measured",
        note=site.baseline_note or "none",
        inputs_hash=site.inputs_hash,
    )


def chart_of(
    title: str, curves: Curves, head: ReportHeader, tz: tzinfo, height: int = 300
) -> Chart:
    """The curves as one SVG, described."""
    alt = _alt(title, curves, head, tz)
    svg = event_chart(curves, head.window, tz, name=alt, height=height)
    return Chart(title=title, svg=svg, alt=alt)


def _alt(title: str, curves: Curves, head: ReportHeader, tz: tzinfo) -> str:
    window = head.window.intersection(curves.span)
    means = (
        ("baseline", curves.baseline),
        ("actual", curves.actual),
        ("target", curves.target),
    )
    said = [
        f"mean {name} {words.power(series.mean(window) if window else None)}"
        for name, series in means
    ]
    return (
        f"{title}: load in kW over time, {words.span(curves.span, tz)}. "
        f"During the event: {', '.join(said)}."
    )


def _rejected(days: tuple[BaselineDay, ...]) -> str:
    """Rejected days grouped by reason: `event day: 2026-11-12; no data: 2026-11-03`."""
    reasons: dict[str, list[str]] = {}
    for day in days:
        if not day.used:
            reasons.setdefault(day.reason or "no reason given", []).append(day.day.isoformat())
    return "; ".join(f"{reason}: {', '.join(dates)}" for reason, dates in reasons.items()) or "none"
