"""Who is in the portfolio: sites, and how each is enrolled in programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from gateway.domain.event import GridEvent
from gateway.domain.program import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One depot as the aggregator knows it."""

    site_id: str
    name: str
    time_zone: ZoneInfo
    import_limit_w: float
    """Contracted import at the PCC, W."""
    groups: frozenset[str] = frozenset()
    """Names under which utilities may address several sites at once."""
    simulated: bool = False
    """Simulated sites are labelled as such on every page, PDF and export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A site's part in a program."""

    site_id: str
    program_id: str
    nominated_w: float
    """Reduction promised, W, >= 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """Every site, program and enrolment, as configured."""

    sites: tuple[Site, ...]
    programs: tuple[Program, ...] = ()
    enrolments: tuple[Enrolment, ...] = ()
    holidays: frozenset[date] = frozenset()
    """Local dates that count as days off in baselines."""

    def site(self, site_id: str) -> Site | None:
        """One site."""
        return next((site for site in self.sites if site.site_id == site_id), None)

    def program(self, program_id: str) -> Program | None:
        """One program by the utility's name for it."""
        return next((one for one in self.programs if one.program_id == program_id), None)

    def nominations(self, program_id: str) -> Mapping[str, float]:
        """Reduction promised to a program in W, by enrolled site."""
        return {e.site_id: e.nominated_w for e in self.enrolments if e.program_id == program_id}

    def addressed(self, event: GridEvent) -> tuple[Site, ...]:
        """Sites of the event's program that it names: one by one, by group, or all of them."""
        enrolled, named = self.nominations(event.program_id), set(event.targets)
        return tuple(
            site
            for site in self.sites
            if site.site_id in enrolled
            and (not named or site.site_id in named or site.groups & named)
        )
