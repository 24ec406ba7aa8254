"""Journal, answers and yard list of one site, put together for its control loop and its pages."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Protocol

from contracts.time import Clock
from site_agent.domain.fleet.agreed import FleetVehicle
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.flows.control.control_loop import Cycle
from site_agent.flows.fleet.yard import YardLists
from site_agent.flows.people.journal import Journal
from site_agent.flows.people.picture import Pictures
from site_agent.flows.people.why_commands import why_commands
from site_agent.flows.report.prospects import Prospects
from site_agent.ports import Command, JournalStore


class Known(Protocol):
    """The live roster (`flows.fleet.roster`)."""

    @property
    def vehicles(self) -> Mapping[str, FleetVehicle]:
        """By id."""
        ...

    def ids(self) -> Iterable[str]:
        """Of all vehicles."""
        ...


class Coming(Protocol):
    """Who is expected (`flows.fleet.sessions`)."""

    def expected(self, now: datetime) -> Sequence[ExpectedStay]:
        """By time."""
        ...


class PeopleSide:
    """What people are told."""

    def __init__(
        self,
        roster: Known,
        coming: Coming,
        prospects: Prospects,
        store: JournalStore,
        clock: Clock,
        zone: tzinfo,
    ) -> None:
        pictures = Pictures(roster.ids, lambda: prospects.latest)
        self.journal = Journal(pictures, store, clock)
        self.yard = YardLists(lambda: roster.vehicles, coming.expected, clock, zone)

    def heard(self, cycle: Cycle) -> None:
        """A cycle has been decided."""
        self.journal.heard(cycle)
        self.yard.heard(cycle)

    def runs(self) -> list[Coroutine[object, object, None]]:
        """What runs beside the control loop."""
        return [self.journal.run(), self.yard.run()]

    def commands(self) -> Mapping[str, Command]:
        """For people at the console."""
        return why_commands(self.journal)
