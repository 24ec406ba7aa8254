"""What two reports of one event say otherwise, figure by figure, and from which inputs.

Two versions of a settlement, or the event as it was and as it would be by another rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from gateway.domain.measure.report import BaselineDay, KeyFigures, ParticipationReport, SiteResult
from gateway.domain.settle.line import Line

PORTFOLIO = "portfolio"
Value = float | Decimal | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs."""

    where: str
    """`portfolio`, or a site's id."""
    what: str
    """Such as `delivered, mean`."""
    unit: str
    """`W`, `Wh`, `%`, a currency; empty of words and shares."""
    before: Value
    after: Value
    """None on either side: it was not known, or is not there."""

    @property
    def by(self) -> float | Decimal | None:
        """After less before; None of words and of what one side does not know."""
        if isinstance(self.before, Decimal) and isinstance(self.after, Decimal):
            return self.after - self.before
        if isinstance(self.before, float) and isinstance(self.after, float):
            return self.after - self.before
        return None


def difference(before: ParticipationReport, after: ParticipationReport) -> tuple[Change, ...]:
    """Everything of account that differs: first what was put in, then figures, sites and money."""
    return (
        *_inputs(before, after),
        *_figures(before.figures, after.figures),
        *_sites(before, after),
        *_unknown(before, after),
        *_money(before.lines, after.lines),
    )


def _inputs(before: ParticipationReport, after: ParticipationReport) -> Iterator[Change]:
    pairs = (
        ("baseline rule", before.method, after.method),
        ("performance rule", before.performance_rule, after.performance_rule),
        ("asked", before.header.signal, after.header.signal),
        ("window", _window(before), _window(after)),
        ("program", before.header.program_name, after.header.program_name),
        ("measured by", before.measured_by, after.measured_by),
    )
    yield from _differing(PORTFOLIO, ((what, "", old, new) for what, old, new in pairs))


def _figures(before: KeyFigures, after: KeyFigures) -> Iterator[Change]:
    pairs = (
        ("performance", "%", before.performance_pct, after.performance_pct),
        ("counts as", "%", before.factor_pct, after.factor_pct),
        ("delivered, mean", "W", before.delivered_mean_w, after.delivered_mean_w),
        ("delivered, worst interval", "W", before.delivered_min_w, after.delivered_min_w),
        ("nominated", "W", before.nominated_w, after.nominated_w),
        ("asked, mean", "W", before.target_mean_w, after.target_mean_w),
        ("energy reduced", "Wh", before.reduced_wh, after.reduced_wh),
        ("rebound", "W", before.rebound_w, after.rebound_w),
        ("coverage", "", before.coverage, after.coverage),
    )
    yield from _differing(PORTFOLIO, pairs)


def _sites(before: ParticipationReport, after: ParticipationReport) -> Iterator[Change]:
    old = {site.site_id: site for site in before.sites}
    new = {site.site_id: site for site in after.sites}
    for site_id in sorted(old.keys() | new.keys()):
        if site_id in old and site_id in new:
            yield from _site(old[site_id], new[site_id])
        else:
            was, now = ("takes part" if site_id in one else None for one in (old, new))
            yield Change(where=site_id, what="participant", unit="", before=was, after=now)


def _unknown(before: ParticipationReport, after: ParticipationReport) -> Iterator[Change]:
    """Why sites have no baseline."""
    old, new = (
        {e.site_id: e.text for e in one.exceptions if e.kind == "no-baseline"}
        for one in (before, after)
    )
    for site_id in sorted(old.keys() | new.keys()):
        pairs = (("no baseline", "", old.get(site_id), new.get(site_id)),)
        yield from _differing(site_id, pairs)


def _site(before: SiteResult, after: SiteResult) -> Iterator[Change]:
    inputs = (before.inputs_hash[:12], after.inputs_hash[:12])
    pairs: tuple[tuple[str, str, Value, Value], ...] = (
        ("inputs of the baseline", "", *inputs),
        ("baseline days", "", _days(before.days), _days(after.days)),
        ("adjustment", "", before.adjustment, after.adjustment),
        ("delivered, mean", "W", before.delivered_mean_w, after.delivered_mean_w),
        ("performance", "%", before.performance_pct, after.performance_pct),
        ("energy reduced", "Wh", before.reduced_wh, after.reduced_wh),
        ("nominated", "W", before.nominated_w, after.nominated_w),
        ("coverage", "", before.coverage, after.coverage),
        ("note", "", before.baseline_note, after.baseline_note),
    )
    yield from _differing(after.site_id, pairs)


def _money(before: Iterable[Line], after: Iterable[Line]) -> Iterator[Change]:
    old, new = _by_kind(before), _by_kind(after)
    for kind, currency in sorted(old.keys() | new.keys()):
        was, now = old.get((kind, currency)), new.get((kind, currency))
        yield from _differing(PORTFOLIO, ((kind, currency, was, now),))


def _differing(where: str, pairs: Iterable[tuple[str, str, Value, Value]]) -> Iterator[Change]:
    for what, unit, before, after in pairs:
        if before != after:
            yield Change(where=where, what=what, unit=unit, before=before, after=after)


def _days(days: Iterable[BaselineDay]) -> str:
    return ", ".join(one.day.isoformat() for one in days if one.used)


def _window(report: ParticipationReport) -> str:
    window = report.header.window
    end = "further notice" if window.end is None else window.end.isoformat(timespec="minutes")
    return f"{window.start.isoformat(timespec='minutes')} to {end}"


def _by_kind(lines: Iterable[Line]) -> dict[tuple[str, str], Decimal]:
    """What each kind of line comes to, by currency; of lines without an amount the quantity."""
    found: dict[tuple[str, str], Decimal] = {}
    for line in lines:
        if line.amount is not None:
            key, value = (line.kind.value, line.currency), line.amount
        else:
            key, value = (f"{line.kind.value}, without a price", line.unit), line.quantity
        found[key] = found.get(key, Decimal(0)) + value
    return found
