"""What the gateway is told: telemetry, notices, prospects and offers, over the link."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence

from contracts.time import Clock
from site_agent.assembly.deciding import Deciding
from site_agent.config import LinkSettings, SiteSettings
from site_agent.domain.decide.control import DEFAULT_POLICY
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.flows.orders.configuration_needs import ConfigurationHandler
from site_agent.flows.report.ended_sessions import EndedSessions
from site_agent.flows.report.health import AgentHealth
from site_agent.flows.report.notices import Condition, Key, NoticeBoard
from site_agent.flows.report.offers import Offers
from site_agent.flows.report.outlook import Outlook, Sources
from site_agent.flows.report.prospects import Prospects
from site_agent.flows.report.telemetry import Telemetry
from site_agent.ports import Sensor
from site_agent.store.sqlite import SqliteStore
from site_agent.uplink.lasting import agent_version, keep
from site_agent.uplink.link import NatsUplink


class ToGateway:
    """The way up; without a link its rows wait in the outbox."""

    def __init__(
        self,
        settings: SiteSettings,
        clock: Clock,
        store: SqliteStore,
        deciding: Deciding,
        configurations: ConfigurationHandler | None = None,
    ) -> None:
        """`configurations`: who takes settings from the gateway; None: nobody."""
        self._settings = settings
        self._clock = clock
        self._store = store
        self._deciding = deciding
        self._configurations = configurations
        self._uplink: NatsUplink | None = None
        self._health = AgentHealth(
            agent_version(),
            clock,
            waiting=store.outbox.waiting,
            last_gap=store.outbox.last_gap,
            latest=deciding.latest,
            configuration=lambda: None if configurations is None else configurations.state(),
        )
        self.board = NoticeBoard(store.key_values)
        sources = Sources.of(deciding.forecasts.forecaster, deciding.plans.latest)
        look = Outlook(deciding.model, deciding.instructions, sources)
        self.prospects = Prospects(look)
        self.offers = Offers(
            latest=deciding.latest,
            look=look,
            outbox=store.outbox,
            taken=lambda: self._uplink is not None and self._uplink.takes("flexibility_offer"),
            clock=clock,
            policy=DEFAULT_POLICY,
            prices_id=deciding.planned_for,
        )
        self._ended = EndedSessions(
            store=store.sessions,
            outbox=store.outbox,
            memory=store.key_values,
            needs=self._needs,
            identify=lambda shown, evse_id: deciding.roster.fleet().identify(shown, evse_id),
            taken=lambda: self._uplink is not None and self._uplink.takes("ended_session"),
            clock=clock,
        )

    def runs(
        self,
        sensors: Mapping[str, Sensor],
        more: Sequence[Callable[[], Mapping[Key, Condition]]],
    ) -> list[Coroutine[object, object, None]]:
        """Everything on its way up; `more` tells of conditions worth a notice."""
        telemetry = Telemetry(
            latest=self._deciding.latest,
            outbox=self._store.outbox,
            board=self.board,
            prospects=self.prospects,
            sessions=self._deciding.sessions,
            clock=self._clock,
            policy=DEFAULT_POLICY,
            every_s=self._settings.telemetry_s,
            sensors=sensors,
            more=[*more, self._conditions],
            proved=self.offers.proved,
        )
        link = self._settings.link
        way = [] if link is None else [self._keep(link)]
        return [telemetry.run(), self.offers.run(), self._ended.run(), *way]

    def connected(self) -> bool:
        """Whether the gateway has welcomed us."""
        return self._uplink is not None and self._uplink.connected

    def _needs(self) -> Sequence[VehicleNeed]:
        snapshot = self._deciding.snapshot()
        return () if snapshot is None else snapshot.needs

    def _conditions(self) -> Mapping[Key, Condition]:
        return {} if self._uplink is None else self._uplink.conditions()

    async def _keep(self, link: LinkSettings) -> None:
        """Keep the link; without readable credentials the depot goes on charging alone."""
        self._uplink = NatsUplink(
            site_id=self._settings.site_id,
            servers=link.servers,
            credentials=link.credentials,
            outbox=self._store.outbox,
            instructions=self._deciding.instructions,
            clock=self._clock,
            agent_version=agent_version(),
            prices=self._deciding.market,
            configurations=self._configurations,
            health=self._health.now,
        )
        await keep(self._uplink, link.credentials, self._settings.site_id, self._clock)
