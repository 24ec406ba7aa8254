"""Energy accounts with their tariffs and intensities, and the check for anomalies."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import timedelta

from contracts.time import Clock
from gateway.domain.portfolio import Portfolio
from gateway.flows.accounts.desk import Accounts
from gateway.flows.accounts.keeping import SlotKeeping
from gateway.flows.accounts.kept import KeptSlots
from gateway.flows.anomaly.check import AnomalyCheck
from gateway.ports import Ledger, TelemetryStore
from gateway.prices.account_settings import AccountSettings, SiteMarket
from gateway.store.anomalies import SqlAnomalies
from gateway.store.database import Database
from gateway.store.sessions import SqlSessionBook
from gateway.store.slot_blocks import SqlSlotBlocks
from gateway.store.slots import SqlSlots


class Accounting:
    """The accounts, and what reads for them ahead."""

    def __init__(
        self,
        settings: AccountSettings,
        database: Database,
        portfolio: Portfolio,
        telemetry: TelemetryStore,
        clock: Clock,
        max_hold: timedelta,
        market: SiteMarket,
    ) -> None:
        """Join them. `market`: what a site paid by the prices that it follows.

        Raises:
            ConfigError: a tariff or intensity file cannot be read.
        """
        plain = SqlSlots(database, max_hold=max_hold)
        reader = KeptSlots(plain, SqlSlotBlocks(database), portfolio, clock)
        self._keeping = SlotKeeping(reader, portfolio, settings.sites, clock)
        self.accounts = Accounts(
            portfolio,
            reader,
            SqlSessionBook(database),
            telemetry,
            clock,
            tariffs=settings.tariffs(market),
            intensities=settings.intensities(),
        )

    def run(self) -> Coroutine[object, object, None]:
        """Read ahead until cancelled."""
        return self._keeping.run()


def make_anomalies(
    database: Database, portfolio: Portfolio, ledger: Ledger, clock: Clock, max_hold: timedelta
) -> AnomalyCheck:
    """Made once; told of every site that connects."""
    return AnomalyCheck(
        portfolio,
        SqlSlots(database, max_hold=max_hold),
        SqlSessionBook(database),
        ledger,
        SqlAnomalies(database),
        clock,
    )
