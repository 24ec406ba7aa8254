"""Energy accounts with their tariffs and intensities, and the check for anomalies."""

from __future__ import annotations

from datetime import timedelta

from contracts.time import Clock
from gateway.domain.portfolio import Portfolio
from gateway.flows.accounts.desk import Accounts
from gateway.flows.anomaly.check import AnomalyCheck
from gateway.ports import Ledger, TelemetryStore
from gateway.prices.account_settings import AccountSettings
from gateway.store.anomalies import SqlAnomalies
from gateway.store.database import Database
from gateway.store.sessions import SqlSessionBook
from gateway.store.slots import SqlSlots


def make_accounts(
    settings: AccountSettings,
    database: Database,
    portfolio: Portfolio,
    telemetry: TelemetryStore,
    clock: Clock,
    max_hold: timedelta,
) -> Accounts:
    """Made once.

    Raises:
        ConfigError: a tariff or intensity file cannot be read.
    """
    return Accounts(
        portfolio,
        SqlSlots(database, max_hold=max_hold),
        SqlSessionBook(database),
        telemetry,
        clock,
        tariffs=settings.tariffs(),
        intensities=settings.intensities(),
    )


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
