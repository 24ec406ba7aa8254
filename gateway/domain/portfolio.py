"""Who is in the portfolio: sites, and how each is enrolled in programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from gateway.domain.enrolment import Enrolment
from gateway.domain.event import GridEvent
from gateway.domain.metering.site_meter import SiteMeter
from gateway.domain.program.program import Program, newest, version_at
from gateway.domain.program.wall import local_day


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
    locale: str = ""
    """How its owner writes numbers and dates, such as `de-CH`; empty: not said."""
    meters: tuple[SiteMeter, ...] = ()
    """Its revenue meters."""


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

    def program(self, program_id: str, at: datetime | None = None) -> Program | None:
        """The version in force at an instant, or the newest, by the utility's name for it."""
        versions = self.versions(program_id)
        return newest(versions) if at is None else version_at(versions, at)

    def versions(self, program_id: str) -> tuple[Program, ...]:
        """Every version of one program."""
        return tuple(one for one in self.programs if one.program_id == program_id)

    def program_of(self, event: GridEvent) -> Program | None:
        """The version of the event's program that is in force when the event starts."""
        return self.program(event.program_id, event.window.start)

    def enrolled(self, program_id: str, at: datetime | None = None) -> Mapping[str, Enrolment]:
        """By site, who takes part in a program at an instant; None: at whichever."""
        return {one.site_id: one for one in self._enrolments(program_id, at)}

    def nominations(self, program_id: str, at: datetime | None = None) -> Mapping[str, float]:
        """Reduction promised to a program in W, by site enrolled at an instant (or ever)."""
        return {site: one.nominated_w for site, one in self.enrolled(program_id, at).items()}

    def meters(self, site_id: str, program_id: str, at: datetime) -> tuple[SiteMeter, ...]:
        """The revenue meters by which a site is settled in a program: named ones, or all."""
        site, enrolled = self.site(site_id), self.enrolled(program_id, at).get(site_id)
        named = enrolled.meters if enrolled else ()
        return tuple(one for one in (site.meters if site else ()) if not named or one.name in named)

    def names_meters(self, site_id: str, program_id: str, at: datetime) -> bool:
        """Whether the enrolment says which meters; only then they may be of a part of the site."""
        enrolled = self.enrolled(program_id, at).get(site_id)
        return enrolled is not None and bool(enrolled.meters)

    def addressed(self, event: GridEvent) -> tuple[Site, ...]:
        """Sites of the event's program that it names: one by one, by group, or all of them.

        A network of the program's enrolments is a name as well.
        """
        enrolled = self.enrolled(event.program_id, event.window.start)
        return tuple(
            site
            for site in self.sites
            if site.site_id in enrolled and _named(event, site, enrolled[site.site_id])
        )

    def addresses(self, event: GridEvent, site_id: str) -> bool:
        """Whether one site is among those addressed, without a look at the others."""
        site = self.site(site_id)
        mine = [one for one in self.enrolments if one.site_id == site_id]
        return site is not None and any(
            _named(event, site, one)
            for one in self._enrolments(event.program_id, event.window.start, mine)
        )

    def _enrolments(
        self, program_id: str, at: datetime | None, among: Sequence[Enrolment] | None = None
    ) -> Iterator[Enrolment]:
        program = self.program(program_id)
        day = None if at is None or program is None else local_day(at, program.zone)
        for one in self.enrolments if among is None else among:
            if one.program_id == program_id and (day is None or one.holds_on(day)):
                yield one


def _named(event: GridEvent, site: Site, enrolment: Enrolment) -> bool:
    named = set(event.targets)
    return (
        not named
        or site.site_id in named
        or not named.isdisjoint(site.groups)
        or enrolment.network in named
    )
