"""Everything of the fleet's systems, made from the settings for the program to run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter

from contracts.time import Clock
from site_agent.config import SiteSettings
from site_agent.domain.fleet.readiness import Readiness
from site_agent.fleet.api import PREFIX, fleet_routes
from site_agent.fleet.api.service import FleetService
from site_agent.flows.answers import AnswerStore
from site_agent.flows.control_loop import Cycle
from site_agent.flows.roster import LiveRoster
from site_agent.flows.sessions import Sessions
from site_agent.ports import SessionStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the rest of the agent lends."""

    roster: LiveRoster
    sessions: Sessions
    history: SessionStore
    answers: AnswerStore
    latest: Callable[[], Cycle | None]
    prospects: Callable[[], Sequence[Readiness]]
    clock: Clock


class FleetSide:
    """The fleet's systems of one site."""

    def __init__(self, settings: SiteSettings, around: Surroundings) -> None:
        self._settings = settings
        self._around = around

    def router(self) -> APIRouter:
        """The fleet API, for the agent's web server; it checks its callers itself."""
        around, settings = self._around, self._settings
        service = FleetService(
            roster=around.roster,
            sessions=around.history,
            prospects=self._judged,
            expected=around.sessions.expected,
            clock=around.clock,
            time_zone=settings.time_zone,
        )
        return fleet_routes(settings.fleet_systems.api, service, around.answers)

    @property
    def own_access(self) -> tuple[str, ...]:
        """Where its paths begin."""
        return (PREFIX,)

    def _judged(self) -> tuple[datetime, Sequence[Readiness]] | None:
        cycle = self._around.latest()
        return None if cycle is None else (cycle.snapshot.at, self._around.prospects())
