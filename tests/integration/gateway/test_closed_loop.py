"""Delivery is kept over the real link: of three depots one does not do what it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from certs.pki import make_test_pki
from contracts.reading import Quality
from contracts.series import StepSeries
from contracts.site_link import points
from contracts.site_link.messages import Measurement
from contracts.testing import FakeClock
from contracts.time import Interval
from gateway.domain.delivery.course import Course, DeliveryRules
from gateway.domain.delivery.restoration import RestorationRules
from gateway.domain.enrolment import Enrolment
from gateway.domain.event import GridEvent, Signal, SignalKind
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.program import BaselineMethod, DayType, Program
from gateway.flows.dispatch.baselines import Baselines
from gateway.flows.dispatch.delivering import Delivering
from gateway.flows.dispatch.options import DispatchOptions
from gateway.flows.dispatch.situation import Observer
from gateway.flows.dispatch.worker import Dispatch
from gateway.flows.events.intake import Intake
from gateway.flows.sites.inbox import SiteInbox
from gateway.flows.sites.live import Live
from gateway.flows.sites.outgoing import Outgoing
from gateway.sites.link import NatsSiteLink
from gateway.store.database import Database
from gateway.store.delivery import SqlDelivery
from gateway.store.ledger import SqlLedger
from gateway.store.telemetry import SqlTelemetry
from support.site_link import CLOCK, Net, running
from support.site_link import Site as LinkedSite
from support.waiting import until

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SITES = ("depot-1", "depot-2", "depot-3")
USUAL_W, OFFER_W, WANTED_W = 100_000.0, 60_000.0, 60_000.0
PROGRAM = Program(
    program_id="relief",
    name="Peak relief",
    utility_id="u1",
    baseline=BaselineMethod(day_type=DayType.ANY, look_back=timedelta(days=12)),
)
OPTIONS = DispatchOptions(
    stale_after=timedelta(seconds=90),
    delivery=DeliveryRules(),
    restoration=RestorationRules(cap_w=20_000.0),
)
EVENT = Interval(start=NOON, end=NOON + 30 * MINUTE)


class Gateway:
    """Its flows on pretended time, its link on real sockets."""

    def __init__(self, net: Net, database: Database) -> None:
        self.clock = FakeClock(NOON - 5 * MINUTE)
        self.ledger = SqlLedger(database)
        self.telemetry = SqlTelemetry(database, max_hold=5 * MINUTE)
        portfolio = Portfolio(
            sites=tuple(
                Site(site_id=s, name=s, time_zone=ZoneInfo("UTC"), import_limit_w=150_000.0)
                for s in SITES
            ),
            programs=(PROGRAM,),
            enrolments=tuple(
                Enrolment(site_id=s, program_id="relief", nominated_w=OFFER_W) for s in SITES
            ),
        )
        self.link = NatsSiteLink(
            servers=net.servers, login=net.gateway_login(), clock=CLOCK, answer_s=30.0
        )
        self.live = Live(portfolio.sites, self.clock, offline_after=OPTIONS.stale_after)
        baselines = Baselines(portfolio, self.telemetry, refresh=60 * MINUTE, recent=15 * MINUTE)
        observer = Observer(portfolio, self.ledger, self.live, baselines, OPTIONS)
        self.outgoing = Outgoing(self.link, self.ledger, self.live, self.clock)
        self.delivering = Delivering(self.live, SqlDelivery(database), self.ledger, OPTIONS)
        self.dispatch = Dispatch(
            self.ledger,
            self.live,
            observer,
            baselines,
            self.outgoing,
            self.delivering,
            self.clock,
            OPTIONS,
        )
        self.intake = Intake(portfolio, self.ledger, self.dispatch, self.clock)
        self.inbox = SiteInbox(
            portfolio,
            self.ledger,
            self.telemetry,
            self.live,
            self.dispatch,
            self.outgoing,
            self.clock,
        )

    @property
    def course(self) -> Course:
        found = self.delivering.course("u1/e1")
        assert found is not None
        return found

    async def history(self) -> None:
        for site_id in SITES:
            days = [
                Interval.lasting(NOON - timedelta(days=d, hours=6), 12 * 60 * MINUTE)
                for d in range(1, 12)
            ]
            steps = StepSeries.of(
                (piece, USUAL_W) for day in days for piece in day.split(5 * MINUTE)
            )
            await self.telemetry.insert_history(site_id, points.PCC_POWER_W, steps, "synthetic")

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        async with (
            running(self.link.run(self.inbox)),
            running(self.outgoing.run()),
        ):
            await self.link.listening.wait()
            yield


class Depot:
    """Draws what its newest instruction leaves it, or ignores it."""

    def __init__(self, site_id: str, site: LinkedSite, obeys: float) -> None:
        self.site_id = site_id
        self.site = site
        self.obeys = obeys

    @property
    def told(self) -> int:
        """The number of its newest instruction."""
        return self.site.instructions.last_seq()

    def load_w(self, now: datetime) -> float:
        newest = self.site.instructions.stored[-1:]
        limits = [
            step.import_limit_w
            for one in newest
            for step in one.steps
            if step.start <= now < step.end and step.import_limit_w is not None
        ]
        held_w = min(limits, default=USUAL_W)
        return USUAL_W - self.obeys * max(0.0, USUAL_W - held_w)

    async def report(self, now: datetime) -> None:
        load_w = self.load_w(now)
        values = {
            points.PCC_POWER_W: load_w,
            points.FLEX_DOWN_W: load_w - (USUAL_W - OFFER_W),
        }
        await self.site.outbox.append(
            [
                Measurement(at=now, point=point, value=value, quality=Quality.GOOD)
                for point, value in values.items()
            ]
        )


class Scene:
    """A gateway and its depots; time passes minute by minute, when all is told and heard."""

    def __init__(self, gateway: Gateway, depots: list[Depot]) -> None:
        self.gateway = gateway
        self.depots = depots

    async def pass_minutes(self, count: int) -> None:
        for _ in range(count):
            await self.gateway.clock.advance(60)
            now = self.gateway.clock.now()
            for depot in self.depots:
                await depot.report(now)
            await until(partial(self._heard, now))
            self.gateway.dispatch.request_all()
            await self.gateway.dispatch.work_off()
            await self._delivered()

    def _heard(self, at: datetime) -> bool:
        return all(self.gateway.live.site(d.site_id).measured_at() == at for d in self.depots)

    async def _delivered(self) -> None:
        """Every depot has its newest instruction, and the gateway its word on it."""
        rows = await self.gateway.ledger.instructions("u1/e1")
        newest = {row.instruction.site_id: row.instruction.site_seq for row in rows}
        await until(lambda: all(d.told >= newest.get(d.site_id, 0) for d in self.depots))
        await until(lambda: not self.gateway.outgoing._under_way)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    net = Net(make_test_pki(tmp_path / "pki", sites=SITES), tmp_path)
    database = Database.in_memory()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(net.broker.run()))
        await net.broker.ready.wait()
        gateway = Gateway(net, database)
        await gateway.history()
        await stack.enter_async_context(gateway.at_work())
        depots = [
            Depot(site_id, await stack.enter_async_context(net.site(site_id)), obeys)
            for site_id, obeys in zip(SITES, (1.0, 1.0, 0.0), strict=True)
        ]
        yield Scene(gateway, depots)
    database.close()


@pytest.mark.row("portfolio:A6")
@pytest.mark.row("portfolio:A11")
async def test_others_make_up_for_a_depot_that_does_not_deliver(scene: Scene) -> None:
    gateway, (first, _, deaf) = scene.gateway, scene.depots
    await scene.pass_minutes(2)
    signal = StepSeries.of([(EVENT, -WANTED_W)])
    event = GridEvent(
        utility_id="u1",
        event_id="e1",
        modification=0,
        program_id="relief",
        created_at=NOON - 5 * MINUTE,
        window=EVENT,
        signals=(Signal(kind=SignalKind.DELTA_W, series=signal),),
    )
    await gateway.intake.receive([event])
    await scene.pass_minutes(7)
    told = [step.import_limit_w for step in first.site.instructions.stored[-1].steps]
    assert told[0] == pytest.approx(80_000.0), "a third each, as nobody knows better"
    assert gateway.course.recent == pytest.approx(2 / 3, abs=0.01)
    await scene.pass_minutes(20)
    assert gateway.course.recent == pytest.approx(1.0, abs=0.03)
    assert gateway.delivering.standing("depot-3").quarantine is not None
    assert "left out" in deaf.site.instructions.stored[-1].cause
    assert first.load_w(gateway.clock.now()) >= USUAL_W - OFFER_W, "never above the offer"
    back = first.site.instructions.stored[-1].steps[-1]
    assert EVENT.end is not None
    assert EVENT.end < back.end <= EVENT.end + 15 * MINUTE, "how it returns is with it already"
