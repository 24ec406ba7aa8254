"""Energy accounts: the desk over the store, with the tariffs and intensities of the settings."""

from __future__ import annotations

from datetime import timedelta

from contracts.time import Clock
from gateway.domain.portfolio import Portfolio
from gateway.flows.accounts.desk import Accounts
from gateway.ports import TelemetryStore
from gateway.prices.account_settings import AccountSettings
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
