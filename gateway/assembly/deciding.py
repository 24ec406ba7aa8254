"""What decides: the flows over the store and the link."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta

from contracts.time import Clock
from gateway.assembly.accounting import Accounting, make_anomalies
from gateway.assembly.calendar import keep_time
from gateway.assembly.nominating import Nominating
from gateway.assembly.settling import make_calendar, make_statements
from gateway.config import GatewaySettings
from gateway.flows.dispatch.baselines import Baselines
from gateway.flows.dispatch.delivering import Delivering
from gateway.flows.dispatch.situation import Observer
from gateway.flows.dispatch.worker import Dispatch
from gateway.flows.events.desk import EventDesk
from gateway.flows.events.intake import Intake
from gateway.flows.events.lifecycle import Lifecycle
from gateway.flows.metering.desk import MeterDesk
from gateway.flows.replay.desk import ReplayDesk
from gateway.flows.report.reruns import Reruns
from gateway.flows.report.settlement import Metered, Settlement
from gateway.flows.sites.admission import Admission
from gateway.flows.sites.envelopes import Envelopes
from gateway.flows.sites.inbox import SiteInbox
from gateway.flows.sites.live import Live
from gateway.flows.sites.outgoing import Outgoing
from gateway.prices.side import PriceSide
from gateway.programs.versions import price_sources
from gateway.reports.document import dump, load
from gateway.sites.link import NatsSiteLink
from gateway.store.database import Database
from gateway.store.delivery import SqlDelivery
from gateway.store.ledger import SqlLedger
from gateway.store.metering import SqlMeters
from gateway.store.prices import SqlPrices
from gateway.store.telemetry import SqlTelemetry

MAX_HOLD = timedelta(minutes=5)
"""A measured value stands for at most this long when the next one does not come."""
OFFLINE_AFTER = timedelta(seconds=30)
_BASELINE_REFRESH = timedelta(minutes=5)
_RECENT = timedelta(minutes=15)


class Deciding:
    """The flows of one gateway, each made once. Call `restore` before anything runs."""

    def __init__(
        self,
        config: GatewaySettings,
        clock: Clock,
        database: Database,
        link: NatsSiteLink,
        admission: Admission | None,
    ) -> None:
        """Join them.

        Raises:
            ConfigError: a tariff file cannot be read.
        """
        self.link = link
        options = config.dispatch.options()
        portfolio = self.portfolio = config.portfolio()
        ledger = self.ledger = SqlLedger(database)
        telemetry = self.telemetry = SqlTelemetry(database, max_hold=MAX_HOLD)
        live = self.live = Live(portfolio.sites, clock, offline_after=OFFLINE_AFTER)
        outgoing = self._outgoing = Outgoing(link, ledger, live, clock)
        self.delivery = SqlDelivery(database)
        prices = SqlPrices(database)
        self.prices = PriceSide(config.prices, prices, ledger, link, clock, prices)
        self._accounting = Accounting(
            config.accounts, database, portfolio, telemetry, clock, MAX_HOLD, self.prices.past.of
        )
        self.accounts = self._accounting.accounts
        self.anomalies = make_anomalies(database, portfolio, ledger, clock, MAX_HOLD)
        baselines = Baselines(portfolio, telemetry, refresh=_BASELINE_REFRESH, recent=_RECENT)
        splitting = config.dispatch.splitting()
        nominating = self.nominating = Nominating(
            database, portfolio, ledger, live, self.delivery, clock, config.nominating()
        )
        promised = nominating.commitments
        observer = Observer(portfolio, ledger, live, baselines, options, splitting, promised)
        delivering = Delivering(live, self.delivery, ledger, options)
        dispatch = self._dispatch = Dispatch(
            ledger, live, observer, baselines, outgoing, delivering, clock, options
        )
        self.envelopes = Envelopes(portfolio, ledger, outgoing, clock)
        self.intake = Intake(portfolio, ledger, dispatch, clock)
        self.desk = EventDesk(portfolio, ledger, self.intake, clock)
        self.inbox = SiteInbox(
            portfolio, ledger, telemetry, live, dispatch, outgoing, clock, admission=admission
        )
        self._settle(config, clock, database, baselines)

    def _settle(
        self, config: GatewaySettings, clock: Clock, database: Database, baselines: Baselines
    ) -> None:
        """What measures and settles."""
        portfolio, ledger, telemetry = self.portfolio, self.ledger, self.telemetry
        promised = self.nominating.commitments
        meters = SqlMeters(database)
        metered = Metered(meters, load)
        settlement = Settlement(
            portfolio,
            ledger,
            telemetry,
            baselines,
            dump,
            clock,
            promised,
            metered,
            findings=self.anomalies.anomalies_within,
        )
        final_after = config.reports.final_after
        self._reruns = Reruns(portfolio, ledger, meters, settlement, clock, final_after=final_after)
        self.meters = MeterDesk(portfolio, meters, clock, self._reruns.wake)
        self.replays = ReplayDesk(portfolio, ledger, settlement, clock)
        self.statements = make_statements(database, portfolio, ledger, telemetry, promised, clock)
        self._statement_calendar = make_calendar(
            self.statements, portfolio, ledger, self.prices, price_sources(config.programs), clock
        )
        self._lifecycle = Lifecycle(
            portfolio, ledger, self._dispatch, settlement, clock, config.reports.options()
        )

    async def restore(self) -> None:
        """Take up what was known before a restart."""
        await self.inbox.restore()
        await self.prices.restore()
        self.inbox.on_hello(self.prices.sites.heard)
        self.inbox.on_hello(self.anomalies.greeted)

    async def keep_time(self, stopping: asyncio.Event) -> None:
        """The calendar, until `stopping` is set and the tick under way has ended."""
        await keep_time(self._lifecycle, self.nominating.calendar, stopping)

    def runs(self) -> list[Coroutine[object, object, None]]:
        """Everything else, side by side until it is cancelled."""
        return [
            self.link.run(self.inbox),
            self._outgoing.run(),
            self._dispatch.run(),
            self.envelopes.run(),
            self._reruns.run(),
            *self.prices.runs(),
            self.anomalies.run(),
            self._accounting.run(),
            self._statement_calendar.run(),
        ]
