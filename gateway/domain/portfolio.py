"""Who is in the portfolio: sites, and how each is enrolled in programs."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One depot as the aggregator knows it."""

    site_id: str
    name: str
    time_zone: ZoneInfo
    import_limit_w: float
    """Contracted import at the PCC, W."""
    simulated: bool = False
    """Simulated sites are labelled as such on every page, PDF and export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A site's part in a program."""

    site_id: str
    program_id: str
    nominated_w: float
    """Reduction promised, W, >= 0."""
