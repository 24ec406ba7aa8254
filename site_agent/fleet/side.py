"""Everything of the fleet's systems, made from the settings for the program to run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from fastapi import APIRouter

from contracts.site_link.messages import Severity
from contracts.time import Clock
from site_agent.config import SiteSettings
from site_agent.domain.fleet.facts import Source
from site_agent.domain.fleet.happenings import Kind
from site_agent.domain.fleet.readiness import Readiness
from site_agent.domain.site import SiteSnapshot
from site_agent.fleet.api import PREFIX, fleet_routes
from site_agent.fleet.api.service import FleetService
from site_agent.fleet.commands import fleet_commands
from site_agent.fleet.files.folder import DropFolder
from site_agent.fleet.telematics.build import configured, run_poller
from site_agent.fleet.webhooks.sender import Endpoint, Sender
from site_agent.flows.control.control_loop import Cycle
from site_agent.flows.fleet.answers import AnswerStore
from site_agent.flows.fleet.roster import LiveRoster
from site_agent.flows.fleet.sessions import Sessions
from site_agent.flows.fleet.webhook_queue import WebhookQueue
from site_agent.flows.fleet.webhooks import Subscription, Webhooks
from site_agent.flows.report.notices import Condition, Key
from site_agent.ports import Command, KeyValues, SessionStore

TELEMATICS_SILENT = "telematics-silent"
SILENT_FOR = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the rest of the agent lends."""

    roster: LiveRoster
    sessions: Sessions
    history: SessionStore
    answers: AnswerStore
    webhooks: WebhookQueue
    memory: KeyValues
    latest: Callable[[], Cycle | None]
    prospects: Callable[[], Sequence[Readiness]]
    clock: Clock


class FleetSide:
    """The fleet's systems of one site."""

    def __init__(self, settings: SiteSettings, around: Surroundings) -> None:
        """Read what has to be read.

        Raises:
            ConfigError: a secret cannot be read.
        """
        self._settings = settings
        self._around = around
        self._failures: dict[Source, str] = {}
        self._endpoints = [Endpoint(one) for one in settings.fleet_systems.webhooks]

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

    def runs(self) -> list[Coroutine[object, object, None]]:
        """What has to run beside the control loop."""
        return [*self._webhooks(), *self._folder(), *self._telematics()]

    def commands(self) -> Mapping[str, Command]:
        """What people at this machine may ask."""
        around = self._around
        return fleet_commands(around.roster, self._settings.time_zone, around.clock)

    def _telematics(self) -> Iterator[Coroutine[object, object, None]]:
        around = self._around
        for source, settings in configured(self._settings.fleet_systems):
            note = partial(self._failures.__setitem__, source)
            yield run_poller(source, settings, around.roster, around.memory, around.clock, note)

    def conditions(self) -> Mapping[Key, Condition]:
        """What people should know of the fleet's systems, as notices take it."""
        return {
            (TELEMATICS_SILENT, source.value): Condition(
                severity=Severity.WARNING,
                text=f"{source.value} has told nothing for half an hour: {why}",
                after=SILENT_FOR,
            )
            for source, why in self._failures.items()
            if why
        }

    def _folder(self) -> Iterator[Coroutine[object, object, None]]:
        folder, around = self._settings.fleet_systems.csv_folder, self._around
        if folder is not None:
            yield DropFolder(folder, around.roster, self._settings.time_zone, around.clock).run()

    def _webhooks(self) -> Iterator[Coroutine[object, object, None]]:
        around = self._around
        if not self._endpoints:
            return
        flow = Webhooks(
            self._settings.site_id,
            [
                Subscription(endpoint=one.name, kinds=frozenset(map(Kind, one.events or Kind)))
                for one in self._settings.fleet_systems.webhooks
            ],
            around.webhooks,
            around.history,
            self._picture,
            around.clock,
        )
        yield flow.run()
        for endpoint in self._endpoints:
            yield Sender(endpoint, around.webhooks, around.clock, lambda: flow.news).run()

    def _picture(self) -> tuple[SiteSnapshot, Sequence[Readiness]] | None:
        cycle = self._around.latest()
        return None if cycle is None else (cycle.snapshot, self._around.prospects())

    def _judged(self) -> tuple[datetime, Sequence[Readiness]] | None:
        cycle = self._around.latest()
        return None if cycle is None else (cycle.snapshot.at, self._around.prospects())
