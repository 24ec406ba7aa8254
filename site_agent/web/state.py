"""What the pages and the API of the agent look at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol

from contracts.time import Clock
from site_agent.domain.fleet.readiness import Readiness
from site_agent.domain.plan.schedule import Schedule
from site_agent.flows.people.journal import Journal


class Move(Protocol):
    """One thing for people in the yard to do (`domain.yard`)."""

    @property
    def vehicle_id(self) -> str:
        """Which vehicle."""
        ...

    @property
    def from_evse(self) -> str | None:
        """Where it stands; None: at no charger."""
        ...

    @property
    def to_evse(self) -> str | None:
        """Where it goes; None: to a parking place."""
        ...

    @property
    def at(self) -> datetime:
        """When it should be done."""
        ...

    @property
    def by(self) -> datetime:
        """Done later than this, a vehicle leaves without its energy."""
        ...

    @property
    def why(self) -> str:
        """What for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebState:
    """The running agent, as far as it is shown."""

    site_id: str
    zone: tzinfo
    clock: Clock
    stopping: asyncio.Event
    journal: Journal
    prospects: Callable[[], Sequence[Readiness]]
    plan: Callable[[], Schedule | None] = lambda: None
    """The newest plan; None: there is none."""
    banner: str = ""
    """A line on top of every page."""
    moves: Callable[[], Sequence[Move]] = tuple
    """What people should move, by time."""

    def now(self) -> datetime:
        """The present."""
        return self.clock.now()
