"""What people and the fleet's systems ask and are told: pages, API, console, webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from zoneinfo import ZoneInfo

from contracts.time import Clock
from site_agent.assembly.deciding import Deciding
from site_agent.assembly.field import Field
from site_agent.assembly.gateway import ToGateway
from site_agent.config import SiteSettings
from site_agent.console.door import Door
from site_agent.devices.commissioning.told import watch_commands
from site_agent.devices.ocpp.operate.commands import OcppCommands
from site_agent.devices.ocpp.security import Profile
from site_agent.domain.device import ChargerState
from site_agent.fleet.side import FleetSide, Surroundings
from site_agent.flows.control.control_loop import Cycle
from site_agent.flows.people.journal import Journal
from site_agent.flows.people.leases import lease_commands
from site_agent.flows.people.picture import Pictures
from site_agent.flows.people.why_commands import why_commands
from site_agent.flows.report.notices import Condition, Key
from site_agent.store.sqlite import SqliteStore
from site_agent.uplink.lasting import agent_version
from site_agent.web.build import make_web
from site_agent.web.server import Part, WebServer
from site_agent.web.state import WebState


class People:
    """Every way to ask the agent."""

    def __init__(
        self,
        settings: SiteSettings,
        clock: Clock,
        store: SqliteStore,
        deciding: Deciding,
        gateway: ToGateway,
    ) -> None:
        """Read the secrets.

        Raises:
            ConfigError: one cannot be read.
        """
        self._settings = settings
        self._clock = clock
        self._memory = store.key_values
        self._deciding = deciding
        self._prospects = gateway.prospects
        self._zone = ZoneInfo(settings.time_zone)
        self._fleet = FleetSide(
            settings,
            Surroundings(
                roster=deciding.roster,
                sessions=deciding.sessions,
                history=store.sessions,
                answers=store.answers,
                webhooks=store.webhooks,
                memory=store.key_values,
                latest=deciding.latest,
                prospects=lambda: gateway.prospects.latest,
                clock=clock,
            ),
        )
        pictures = Pictures(deciding.roster.ids, lambda: gateway.prospects.latest)
        self._journal = Journal(pictures, store.journal, clock)
        self.heard: Callable[[Cycle], None] = self._journal.heard

    def conditions(self) -> Mapping[Key, Condition]:
        """What of the fleet's systems is worth a notice."""
        return self._fleet.conditions()

    def web(self, stopping: asyncio.Event) -> WebServer | None:
        """The agent's own page and API; None where none is wanted."""
        state = WebState(
            site_id=self._settings.site_id,
            zone=self._zone,
            clock=self._clock,
            stopping=stopping,
            journal=self._journal,
            prospects=lambda: self._prospects.latest,
            plan=self._deciding.plans.latest,
            moves=lambda: self._deciding.yard.moves,
        )
        fleet = Part(router=self._fleet.router(), own_access=self._fleet.own_access)
        return make_web(self._settings.web, state, self._deciding.latest, [fleet])

    def runs(self, field: Field) -> list[Coroutine[object, object, None]]:
        """Everything but the web server."""
        return [self._journal.run(), *self._fleet.runs(), self._door(field).run()]

    def _door(self, field: Field) -> Door:
        """Where people at this machine ask and command."""
        ocpp = OcppCommands(
            field.central,
            clock=self._clock,
            memory=self._memory,
            seen=self._seen,
            zone=self._settings.time_zone,
            profile=Profile(self._settings.ocpp.security_profile),
            tls=self._settings.ocpp.cert is not None,
            agent=agent_version(),
        )
        snapshot = self._deciding.snapshot
        watching = watch_commands(snapshot, field.sensors, self._clock)
        asking = {
            **lease_commands(snapshot),
            **why_commands(self._journal),
            **self._fleet.commands(),
        }
        return Door(self._settings.data, {**ocpp.table(), **asking, **watching})

    def _seen(self) -> dict[str, ChargerState]:
        """The chargers in the last control cycle."""
        snapshot = self._deciding.snapshot()
        chargers = () if snapshot is None else snapshot.chargers
        return {charger.spec.evse_id: charger for charger in chargers}
