"""Why a site gave less than it was asked: it drew more than it was told, or had less to give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.domain.measure.report import ReportException
from gateway.domain.words import kw
from gateway.flows.report.evidence import Evidence, SiteEvidence

ENOUGH = 0.95
"""A site that gave this part of what it was asked was not short."""
_NAMED = 3


def short(evidence: Evidence, told: Sequence[ReportException]) -> Iterator[ReportException]:
    """One line for each site that was short; `told`: what else is known to have gone wrong."""
    for one in evidence.sites:
        found = one.performance
        given_w, asked_w = found.delivered_mean_w, found.asked_mean_w
        out = one.site.site_id in evidence.stored.opted_out_sites
        if given_w is None or asked_w <= 0 or given_w >= ENOUGH * asked_w or out:
            continue
        kind, why = _why(evidence, one, asked_w - given_w, told)
        yield ReportException(
            at=evidence.event.window.start,
            site_id=one.site.site_id,
            kind=kind,
            subject=one.site.site_id,
            text=f"gave {kw(given_w)} of the {kw(asked_w)} it was asked: {why}",
        )


def _why(
    evidence: Evidence, one: SiteEvidence, missing_w: float, told: Sequence[ReportException]
) -> tuple[str, str]:
    """`above-limit`, or `less-to-give` where it kept to what it was told."""
    over_w = _above_limit_w(evidence, one)
    if over_w < (1 - ENOUGH) * missing_w:
        return "less-to-give", "it kept to what it was told, but its baseline is lower than planned"
    known = dict.fromkeys(f"{e.kind} ({e.subject})" for e in told if e.site_id == one.site.site_id)
    because = ", ".join(list(known)[:_NAMED]) or "nothing was reported that explains it"
    return "above-limit", f"{kw(over_w)} more than it was told to keep under; {because}"


def _above_limit_w(evidence: Evidence, one: SiteEvidence) -> float:
    """By how much it was above its limit, on average over the time it had one, W."""
    part = evidence.plan.allocation(one.site.site_id) if evidence.plan else None
    limit = part.limit.clip(evidence.event.window) if part else ()
    seconds, above = 0.0, 0.0
    for step in limit:
        mean_w = one.actual.mean(step.interval)
        if mean_w is not None and step.interval.duration is not None:
            length_s = step.interval.duration.total_seconds()
            seconds += length_s
            above += length_s * max(0.0, mean_w - step.value)
    return above / seconds if seconds else 0.0
