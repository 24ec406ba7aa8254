"""Why a site gave less than was planned of it, a line each, by its largest causes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gateway.domain.measure.report import ReportException
from gateway.domain.measure.shortfall import WORDS, Cause, Shortfall
from gateway.domain.words import kw
from gateway.flows.report.evidence import Evidence

ENOUGH = 0.95
"""A site that gave this part of what was planned of it was not short."""
_NAMED = 3


def short(
    evidence: Evidence, missing: Mapping[str, Shortfall | None], told: Sequence[ReportException]
) -> Iterator[ReportException]:
    """One line for each site that was short; `told`: what else is known to have gone wrong."""
    for one in evidence.sites:
        site_id = one.site.site_id
        found = missing.get(site_id)
        out = site_id in evidence.stored.opted_out_sites
        if found is None or out or found.mean_w <= (1 - ENOUGH) * found.planned_mean_w:
            continue
        yield ReportException(
            at=evidence.event.window.start,
            site_id=site_id,
            kind="short",
            subject=site_id,
            text=_words(found, [e for e in told if e.site_id == site_id]),
        )


def _words(found: Shortfall, told: Sequence[ReportException]) -> str:
    parts = [f"{kw(part.mean_w)} {WORDS[part.cause]}" for part in found.parts]
    text = f"{kw(found.mean_w)} less than the {kw(found.planned_mean_w)} planned: "
    text += ", ".join(parts)
    if any(part.cause is Cause.UNEXPLAINED for part in found.parts):
        known = dict.fromkeys(e.kind for e in told)
        if known:
            text += f"; also reported: {', '.join(list(known)[:_NAMED])}"
    return text
