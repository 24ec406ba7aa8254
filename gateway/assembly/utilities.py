"""One adapter for each utility, with what it may see of the rest."""

from __future__ import annotations

from contracts.identity import client_context
from contracts.time import Clock
from gateway.assembly.deciding import Deciding
from gateway.config import GatewaySettings
from gateway.flows.upstream.participation import Participants
from gateway.flows.upstream.resources import ResourceReports
from gateway.flows.upstream.usage import StateReports, UsageReports
from gateway.ports import UtilityLink
from gateway.store.database import Database
from gateway.store.utility_memory import SqlUtilityMemory
from gateway.utility.openadr.ven import OpenAdrVen
from gateway.utility.sep2.acting import Sep2Ports
from gateway.utility.sep2.aggregator import Sep2Aggregator


class Utilities:
    """All that the settings name, and what they remember."""

    def __init__(
        self, config: GatewaySettings, clock: Clock, deciding: Deciding, database: Database
    ) -> None:
        """Make them.

        Raises:
            ConfigError: a certificate or key cannot be used.
        """
        self.memory = SqlUtilityMemory(database)
        self.sep2 = self._sep2(config, clock, deciding)
        self.links: list[UtilityLink] = [*self._openadr(config, clock, deciding), *self.sep2]

    def _openadr(
        self, config: GatewaySettings, clock: Clock, deciding: Deciding
    ) -> list[OpenAdrVen]:
        portfolio, ledger = deciding.portfolio, deciding.ledger
        reports = ResourceReports(portfolio, deciding.telemetry, ledger, deciding.live, clock)
        participation = Participants(portfolio, ledger, deciding.intake)
        return [
            OpenAdrVen(
                settings,
                client_context(settings.ca, settings.cert, settings.key),
                deciding.intake,
                reports,
                self.memory,
                clock,
                participation=participation,
            )
            for settings in config.openadr
        ]

    def _sep2(
        self, config: GatewaySettings, clock: Clock, deciding: Deciding
    ) -> list[Sep2Aggregator]:
        ports = Sep2Ports(
            envelopes=deciding.envelopes,
            events=deciding.intake,
            usage=UsageReports(deciding.portfolio, deciding.telemetry),
            states=StateReports(deciding.live, deciding.ledger),
            readiness=deciding.ledger.readiness,
            memory=self.memory,
        )
        return [Sep2Aggregator(settings, ports, clock) for settings in config.sep2]
