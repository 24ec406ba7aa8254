"""How high the load goes when the sites of an event are back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import fsum

from contracts.time import Interval
from gateway.domain.delivery.course import Course
from gateway.domain.delivery.measured import PortfolioMinute
from gateway.domain.words import kw, pct, span

WATCHED_PART = 0.5
"""A minute in which less than this part of the sites was measured says nothing."""


def returning_minute(given_w: Sequence[float | None], interval: Interval) -> PortfolioMinute | None:
    """A minute after the end from each site's baseline less its load, None where not measured.

    `delivered_w` is below 0 by what is drawn beyond the baseline; sites that were not measured
    count with the mean of the others.
    """
    known = [w for w in given_w if w is not None]
    coverage = len(known) / len(given_w) if given_w else 0.0
    if coverage < WATCHED_PART:
        return None
    return PortfolioMinute(
        interval=interval,
        target_w=0.0,
        asked_w=0.0,
        delivered_w=fsum(known) / coverage,
        coverage=coverage,
    )


def in_words(course: Course, end: datetime) -> str:
    """`highest load 34.0 kW above the baseline, 4 min after the end`."""
    after = [m for m in course.minutes if m.interval.start >= end]
    if not after:
        return "nothing was measured after the end"
    peak = min(after, key=lambda m: m.delivered_w)
    if peak.delivered_w >= 0:
        return "the load stayed at or below the baseline"
    when = span(peak.interval.end - end) if peak.interval.end else ""
    seen = "" if peak.coverage == 1 else f" ({pct(peak.coverage)} of the sites measured)"
    return f"highest load {kw(-peak.delivered_w)} above the baseline, {when} after the end{seen}"
