"""What nominates: the desk, and the calendar that fills it."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.time import Clock
from gateway.domain.portfolio import Portfolio
from gateway.flows.nominating.calendar import NominationCalendar
from gateway.flows.nominating.commitments import Commitments
from gateway.flows.nominating.desk import NominationDesk
from gateway.flows.nominating.gathering import Gathering
from gateway.flows.nominating.options import NominatingOptions
from gateway.flows.nominating.recorder import Recorder
from gateway.flows.sites.live import Live
from gateway.ports import DeliveryMemory, Ledger
from gateway.store.database import Database
from gateway.store.nominations import SqlNominations


class Nominating:
    """Each part once."""

    def __init__(
        self,
        database: Database,
        portfolio: Portfolio,
        ledger: Ledger,
        live: Live,
        delivery: DeliveryMemory,
        clock: Clock,
        options: Mapping[str, NominatingOptions],
    ) -> None:
        """`options`: of the programs for which proposals are made by the clock."""
        book = SqlNominations(database)
        gathering = Gathering(portfolio, ledger, live, delivery, book)
        self.commitments = Commitments(portfolio, book)
        self.desk = NominationDesk(portfolio, ledger, book, gathering, clock, options)
        recorder = Recorder(portfolio, ledger, live, book, clock)
        self.calendar = NominationCalendar(self.desk, recorder, ledger, clock, options)
