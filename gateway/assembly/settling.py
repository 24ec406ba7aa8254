"""What settles months and seasons: statements, what is told to make them, and their calendar."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.time import Clock
from gateway.domain.portfolio import Portfolio
from gateway.flows.nominating.commitments import Commitments
from gateway.flows.statement.calendar import StatementCalendar
from gateway.flows.statement.grounds import Gathered
from gateway.flows.statement.prices import PriceCapture
from gateway.flows.statement.statements import Statements
from gateway.ports import Ledger, TelemetryStore
from gateway.prices.side import PriceSide
from gateway.reports.document import load
from gateway.store.database import Database
from gateway.store.determinants import SqlDeterminants
from gateway.store.statements import SqlStatements


def make_statements(
    database: Database,
    portfolio: Portfolio,
    ledger: Ledger,
    telemetry: TelemetryStore,
    commitments: Commitments,
    clock: Clock,
) -> Statements:
    """Statements over the stores of one gateway."""
    determinants = SqlDeterminants(database)
    gathered = Gathered(portfolio, ledger, telemetry, commitments, determinants, load)
    return Statements(portfolio, gathered, SqlStatements(database), determinants, clock)


def make_calendar(
    statements: Statements,
    portfolio: Portfolio,
    ledger: Ledger,
    prices: PriceSide,
    sources: Mapping[str, str],
    clock: Clock,
) -> StatementCalendar:
    """Their calendar; `sources`: by program, the source of prices it is settled on."""
    captured = PriceCapture(sources, prices.desk.prices, statements, ledger, clock)
    return StatementCalendar(portfolio, ledger, statements, clock, captured)
