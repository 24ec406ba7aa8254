"""A whole gateway in one loop: fake time, a database in memory, sites that answer at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.series import StepSeries
from contracts.site_link import points
from contracts.testing import FakeClock
from contracts.time import Interval
from gateway.domain.enrolment import Enrolment, OwnerLimits
from gateway.domain.event import GridEvent, Signal, SignalKind
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.metering.site_meter import SiteMeter
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.program import BaselineMethod, DayType, Program
from gateway.flows.dispatch.baselines import Baselines
from gateway.flows.dispatch.delivering import Delivering
from gateway.flows.dispatch.options import DispatchOptions
from gateway.flows.dispatch.situation import Observer
from gateway.flows.dispatch.worker import Dispatch
from gateway.flows.events.desk import EventDesk
from gateway.flows.events.intake import Intake
from gateway.flows.events.lifecycle import Lifecycle, LifecycleOptions
from gateway.flows.metering.desk import MeterDesk
from gateway.flows.report.reruns import Reruns
from gateway.flows.report.settlement import Metered, Settlement
from gateway.flows.sites.envelopes import EnvelopeOptions, Envelopes
from gateway.flows.sites.inbox import SiteInbox
from gateway.flows.sites.live import Live
from gateway.flows.sites.outgoing import Outgoing
from gateway.reports.document import dump, load
from gateway.sites.memory import MemorySiteLink
from gateway.store.database import Database
from gateway.store.delivery import SqlDelivery
from gateway.store.ledger import SqlLedger
from gateway.store.metering import SqlMeters
from gateway.store.telemetry import SqlTelemetry
from support.answering_site import FakeSite

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SITES = ("depot-1", "depot-2", "depot-3")

PROGRAM = Program(
    program_id="relief",
    name="Peak relief",
    utility_id="u1",
    baseline=BaselineMethod(
        day_type=DayType.ANY,
        adjust_from=timedelta(minutes=30),
        adjust_until=timedelta(minutes=10),
        look_back=timedelta(days=12),
    ),
    measurement_interval=timedelta(minutes=5),
    observe_after=timedelta(minutes=10),
)
OPTIONS = DispatchOptions(
    check_every=timedelta(seconds=60),
    stale_after=timedelta(seconds=90),
    undelivered_after=timedelta(seconds=45),
    horizon=timedelta(hours=2),
)


@dataclass
class World:
    """Everything a test may want to look at."""

    database: Database
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOON - 40 * MINUTE))
    options: DispatchOptions = OPTIONS
    program: Program = PROGRAM
    others: tuple[Program, ...] = ()
    """Programs besides, in which every site takes part as well."""
    owners: Mapping[str, OwnerLimits] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sites = tuple(
            Site(
                site_id=site_id,
                name=site_id.title(),
                time_zone=ZoneInfo("UTC"),
                import_limit_w=10_000.0,
                groups=frozenset({"north"} if site_id == "depot-1" else ()),
                meters=(SiteMeter(name="grid"),),
            )
            for site_id in SITES
        )
        self.portfolio = Portfolio(
            sites=sites,
            programs=(self.program, *self.others),
            enrolments=tuple(
                Enrolment(
                    site_id=s,
                    program_id=program.program_id,
                    nominated_w=30_000.0,
                    owner=self.owners.get(s, OwnerLimits()),
                )
                for program in (self.program, *self.others)
                for s in SITES
            ),
        )
        self.ledger = SqlLedger(self.database)
        self.telemetry = SqlTelemetry(self.database, max_hold=timedelta(minutes=3))
        self.live = Live(sites, self.clock, offline_after=self.options.stale_after)
        self.link = MemorySiteLink(self.clock)
        baselines = Baselines(
            self.portfolio, self.telemetry, refresh=10 * MINUTE, recent=timedelta(minutes=15)
        )
        observer = Observer(self.portfolio, self.ledger, self.live, baselines, self.options)
        self.outgoing = Outgoing(self.link, self.ledger, self.live, self.clock)
        self.delivering = Delivering(
            self.live, SqlDelivery(self.database), self.ledger, self.options
        )
        self.dispatch = Dispatch(
            self.ledger,
            self.live,
            observer,
            baselines,
            self.outgoing,
            self.delivering,
            self.clock,
            self.options,
        )
        self.envelopes = Envelopes(
            self.portfolio,
            self.ledger,
            self.outgoing,
            self.clock,
            EnvelopeOptions(check_every=15 * MINUTE),
        )
        self.intake = Intake(self.portfolio, self.ledger, self.dispatch, self.clock)
        self.desk = EventDesk(self.portfolio, self.ledger, self.intake, self.clock)
        self.inbox = SiteInbox(
            self.portfolio,
            self.ledger,
            self.telemetry,
            self.live,
            self.dispatch,
            self.outgoing,
            self.clock,
        )
        self.meters = SqlMeters(self.database)
        metered = Metered(self.meters, load)
        self.settlement = Settlement(
            self.portfolio, self.ledger, self.telemetry, baselines, dump, self.clock, None, metered
        )
        self.reruns = Reruns(
            self.portfolio,
            self.ledger,
            self.meters,
            self.settlement,
            self.clock,
            final_after=timedelta(hours=1),
        )
        self.meter_desk = MeterDesk(self.portfolio, self.meters, self.clock, self.reruns.wake)
        self.lifecycle = Lifecycle(
            self.portfolio,
            self.ledger,
            self.dispatch,
            self.settlement,
            self.clock,
            LifecycleOptions(final_after=timedelta(hours=1)),
        )
        self.sites = {site_id: FakeSite(self, site_id) for site_id in SITES}

    def adopt(self, sites: dict[str, FakeSite]) -> None:
        """Take over the depots of a predecessor: they live on when the gateway does not."""
        self.sites = sites
        for site in sites.values():
            site.world = self

    @asynccontextmanager
    async def running(self) -> AsyncIterator[World]:
        """Dispatch and link at work."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self.link.run(self.inbox)),
                group.create_task(self.outgoing.run()),
                group.create_task(self.dispatch.run()),
                group.create_task(self.envelopes.run()),
            ]
            await self.settle()
            yield self
            for task in tasks:
                task.cancel()

    async def settle(self) -> None:
        """Let everything that can run, run; no time passes."""
        for _ in range(2):
            await self.clock.advance(0)

    async def history(
        self, load_w: float = 100_000.0, days: int = 12, point: str = points.PCC_POWER_W
    ) -> None:
        """Flat load on past days, from an hour before noon to six after."""
        for site_id in SITES:
            spans = [
                Interval(
                    start=NOON - timedelta(days=d, hours=1), end=NOON - timedelta(days=d, hours=-6)
                )
                for d in range(days, 0, -1)
            ]
            steps = StepSeries.of((piece, load_w) for s in spans for piece in s.split(5 * MINUTE))
            await self.telemetry.insert_history(site_id, point, steps, "synthetic")

    async def everyone_reports(self, site_ids: Sequence[str] = SITES) -> None:
        """One round of telemetry."""
        for site_id in site_ids:
            await self.sites[site_id].report()
        await self.settle()

    async def pass_time(
        self, minutes: float, site_ids: Sequence[str] = SITES, every_s: float = 60
    ) -> None:
        """Time passes while these sites report."""
        for _ in range(round(minutes * 60 / every_s)):
            await self.clock.advance(every_s)
            await self.everyone_reports(site_ids)

    async def ready(self) -> None:
        """History, everybody connected and heard."""
        await self.history()
        for site in self.sites.values():
            await site.connect()
        await self.everyone_reports()

    async def report(self, key: str = "u1/e1") -> ParticipationReport:
        """The newest report."""
        document = await self.ledger.report(key)
        assert document is not None
        return load(document)


def grid_event(
    name: str = "e1",
    start: float = 0,
    end: float | None = 30,
    value: float = -60_000.0,
    kind: SignalKind = SignalKind.DELTA_W,
    **changes: object,
) -> GridEvent:
    """An event in minutes from noon; by default 60 kW less for half an hour."""
    window = Interval(start=NOON + start * MINUTE, end=None if end is None else NOON + end * MINUTE)
    event = GridEvent(
        utility_id="u1",
        event_id=name,
        modification=0,
        program_id="relief",
        created_at=NOON - 90 * MINUTE,
        window=window,
        signals=(Signal(kind=kind, series=StepSeries.of([(window, value)])),),
    )
    return replace(event, **changes)  # type: ignore[arg-type]  # a test's shorthand


MakeEvent = Callable[..., GridEvent]


@pytest.fixture
def event() -> MakeEvent:
    """See `grid_event`."""
    return grid_event


@pytest.fixture
def make_world() -> Callable[..., World]:
    """For tests that need more than one."""
    return World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A gateway at work at 11:20, forty minutes before the events of these tests."""
    database = Database.in_memory()
    async with World(database).running() as made:
        yield made
    database.close()
