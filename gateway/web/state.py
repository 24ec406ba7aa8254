"""What the pages and the API need from the rest of the gateway, and nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from contracts.time import Clock
from gateway.domain.completeness import Duty
from gateway.domain.event import GridEvent, Opt, OptDecision
from gateway.domain.portfolio import Portfolio
from gateway.flows.accounts.desk import Accounts
from gateway.flows.anomaly.check import AnomalyCheck
from gateway.flows.events.desk import Change
from gateway.flows.metering.desk import MeterDesk
from gateway.flows.nominating.desk import NominationDesk
from gateway.flows.prices.desk import PriceDesk
from gateway.flows.replay.desk import ReplayDesk
from gateway.flows.sites.configuring import Configuring
from gateway.flows.sites.live import LiveSnapshot
from gateway.flows.statement.statements import Statements
from gateway.ports import DeliveryMemory, Ledger, SiteControl, TelemetryStore, UtilityHealth

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


class LiveState(Protocol):
    """The gateway's memory of now (`gateway.flows.sites.live.Live`)."""

    def snapshot(self) -> LiveSnapshot:
        """Every site, the sums, and the events in view."""
        ...


class EventActions(Protocol):
    """What a person may do to an event (`gateway.flows.events.intake.Intake`)."""

    async def opt_out_site(self, event_key: str, site_id: str, cause: str) -> None:
        """Take one site out of one event and plan again; doing it twice changes nothing.

        Raises:
            PermanentError: the event or the site is unknown, or the event is over.
        """
        ...

    async def opt_in_site(self, event_key: str, site_id: str, cause: str) -> None:
        """Take a site that opted out back into the event; doing it twice changes nothing.

        Raises:
            PermanentError: the event or the site is unknown, or the event is over.
        """
        ...


class EventDesk(Protocol):
    """Events that people and other programs tell (`gateway.flows.events.desk.EventDesk`)."""

    async def enter(self, event: GridEvent) -> OptDecision:
        """Take in an event; doing it twice changes nothing.

        Raises:
            PermanentError: its program is not ours, or takes no events this way.
        """
        ...

    async def change(self, event_key: str, wanted: Change, cause: str) -> None:
        """Change an event that was entered here, at any time before its end.

        Raises:
            PermanentError: it is unknown, over, a utility's own, or was changed meanwhile.
        """
        ...

    async def cancel_entered(self, event_key: str, cause: str) -> None:
        """Cancel an event that was entered here; doing it twice changes nothing.

        Raises:
            PermanentError: it is unknown, over, or a utility's own.
        """
        ...

    async def decide(self, event_key: str, opt: Opt, cause: str) -> None:
        """A person's word on an event, whatever rules and policies have said.

        Raises:
            PermanentError: the event is unknown or over.
        """
        ...


class ControlActions(Protocol):
    """What a person may do to a control of a utility (`gateway.flows.events.controls.Controls`)."""

    def of_site(self, site_id: str) -> Sequence[SiteControl]:
        """What binds a site or will."""
        ...

    async def choose(
        self, utility_id: str, control_id: str, site_id: str, cause: str, *, out: bool
    ) -> bool:
        """Take a site out of one control, or back in; False when it was so already.

        Raises:
            PermanentError: it is unknown or over, or nobody may opt out of it.
            TransientError: it cannot be done right now.
        """
        ...


def _nobody() -> Sequence[UtilityHealth]:
    return ()


def _nothing() -> Mapping[str, float]:
    return {}


def _no_checks() -> Mapping[str, bool]:
    return {}


def _no_duties() -> Sequence[Duty]:
    return ()


async def _no_records(_utility_id: str, _kind: str) -> Mapping[str, object]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class WebState:
    """Everything the web application holds on to."""

    clock: Clock
    portfolio: Portfolio
    ledger: Ledger
    telemetry: TelemetryStore
    delivery: DeliveryMemory
    live: LiveState
    actions: EventActions
    desk: EventDesk
    controls: ControlActions
    nominations: NominationDesk
    statements: Statements
    stopping: asyncio.Event
    """Set when the program stops: endless answers end."""
    prices: PriceDesk | None = None
    """Sources of prices, and who follows them; None: this gateway has none."""
    replays: ReplayDesk | None = None
    """Past events measured again; None: this gateway does not."""
    configuring: Configuring | None = None
    """Settings for sites; None: this gateway sends none."""
    accounts: Accounts | None = None
    """A site's month in energy, money and carbon; None: this gateway keeps none."""
    meters: MeterDesk | None = None
    """Intervals of revenue meters; None: this gateway keeps none."""
    anomalies: AnomalyCheck | None = None
    """What is wrong with meters, chargers and sites; None: nobody looks."""
    utilities: Callable[[], Sequence[UtilityHealth]] = _nobody
    """How the way to each utility is right now."""
    duties: Callable[[], Sequence[Duty]] = _no_duties
    """What utilities are to have of our telemetry."""
    records: Callable[[str, str], Awaitable[Mapping[str, object]]] = _no_records
    """What an adapter remembers of its utility: documents of one kind, by key."""
    counters: Callable[[], Mapping[str, float]] = _nothing
    """Totals since the start for `/metrics`, by name (`telemetry_rows`, ...)."""
    checks: Callable[[], Mapping[str, bool]] = _no_checks
    """What must be up for us to be ready, beside the store: for example the site link."""
    allowed_hosts: frozenset[str] = LOOPBACK
    """Host names (no port) under which browsers may reach us."""
    locale: str = ""
    """How reports are written where neither reader nor site says; empty: as the browser asks."""

    @property
    def zone(self) -> ZoneInfo:
        """The zone of pages about several sites: their common one, else UTC."""
        zones = {site.time_zone for site in self.portfolio.sites}
        return zones.pop() if len(zones) == 1 else ZoneInfo("UTC")

    @property
    def simulated(self) -> bool:
        """Whether anything shown may come from simulated hardware."""
        return any(site.simulated for site in self.portfolio.sites)

    def now(self) -> datetime:
        """The gateway's clock."""
        return self.clock.now()
