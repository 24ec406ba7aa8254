"""What the API stands on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.time import Clock
from site_agent.domain.fleet.readiness import Readiness
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.flows.fleet.roster import LiveRoster
from site_agent.ports import SessionStore


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetService:
    """The fleet of one site, and how it is doing."""

    roster: LiveRoster
    sessions: SessionStore
    prospects: Callable[[], tuple[datetime, Sequence[Readiness]] | None]
    """When they were judged, and every vehicle's; None: not yet."""
    expected: Callable[[datetime], Sequence[ExpectedStay]]
    clock: Clock
    time_zone: str
    """Of files' local times."""
