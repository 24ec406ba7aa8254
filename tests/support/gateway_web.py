"""A small world behind the pages: the real store and live state, three depots, one event."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import sin
from zoneinfo import ZoneInfo

import httpx
from fastapi import FastAPI

from contracts.series import StepSeries
from contracts.site_link import points
from contracts.site_link.messages import (
    Batch,
    Fallback,
    Instruction,
    InstructionState,
    InstructionStatus,
    InstructionStep,
    NumberedRow,
)
from contracts.time import Clock, Interval
from gateway.assembly.nominating import Nominating
from gateway.assembly.settling import make_statements
from gateway.domain.curves import pointwise, total
from gateway.domain.dispatch import AllocatedStep, DispatchPlan, SiteAllocation
from gateway.domain.enrolment import Enrolment
from gateway.domain.event import GridEvent, Opt, OptDecision, Signal, SignalKind
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.metering.interval import Meter
from gateway.domain.metering.site_meter import SiteMeter
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.program import Program, Rules
from gateway.domain.program.nominating import NominationRule
from gateway.domain.program.quota import Per
from gateway.flows.dispatch.baselines import Baselines
from gateway.flows.events.desk import EventDesk
from gateway.flows.events.intake import Intake
from gateway.flows.metering.desk import MeterDesk
from gateway.flows.replay.desk import ReplayDesk
from gateway.flows.report.settlement import Settlement
from gateway.flows.sites.live import EventBand, Live
from gateway.ports import JournalEntry, UtilityHealth
from gateway.reports import document
from gateway.store.database import Database
from gateway.store.delivery import SqlDelivery
from gateway.store.ledger import SqlLedger
from gateway.store.metering import SqlMeters
from gateway.store.nominations import SqlNominations
from gateway.store.telemetry import SqlTelemetry
from gateway.web.app import create_app
from gateway.web.state import WebState
from support.gateway_web_choices import Actions, Controls, Planner
from support.gateway_web_telemetry import readings, said

NOW = datetime(2026, 11, 21, 1, 12, 30, tzinfo=UTC)  # 17:12:30 PST the day before
ZONE = ZoneInfo("America/Los_Angeles")
PROGRAM = "http://utility.example/programs/peak-relief"
EVENT = "pacific-utility/evt-2026-1121"
EVENT_URL = "/events/pacific-utility/evt-2026-1121"
LOADS = {"north-yard": (142_000.0, 60_000.0), "harbor": (96_000.0, 45_000.0), "east": (38e3, 0.0)}
NAMES = {"north-yard": "North Yard Bus Depot", "harbor": "Harbor Street Vans", "east": "East <Co>"}


@dataclass
class World:
    """Everything a test may look at or change."""

    clock: Clock
    live: Live
    ledger: SqlLedger
    telemetry: SqlTelemetry
    delivery: SqlDelivery
    nominations: SqlNominations
    actions: Actions
    controls: Controls
    state: WebState
    app: FastAPI
    health: list[UtilityHealth] = field(default_factory=list)


def sites() -> tuple[Site, ...]:
    return tuple(
        Site(
            site_id=site_id,
            name=NAMES[site_id],
            time_zone=ZONE,
            import_limit_w=250_000.0,
            simulated=True,
            meters=(SiteMeter(name="grid", rules=Meter(limit_w=500_000.0)),),
        )
        for site_id in LOADS
    )


def make_world(clock: Clock) -> World:
    """The wiring alone, with nothing in it."""
    database = Database.in_memory()
    ledger, telemetry = SqlLedger(database), SqlTelemetry(database, max_hold=timedelta(seconds=60))
    delivery = SqlDelivery(database)
    live = Live(sites(), clock, offline_after=timedelta(seconds=30))
    health: list[UtilityHealth] = []
    actions, controls = Actions(ledger, clock), Controls()
    rules = Rules(nominations=(NominationRule(period=Per.MONTH),))
    program = Program(
        program_id=PROGRAM, name="Peak Relief", utility_id="pacific-utility", zone=ZONE, rules=rules
    )
    enrolments = tuple(
        Enrolment(site_id=s, program_id=PROGRAM, nominated_w=w) for s, (_, w) in LOADS.items()
    )
    portfolio = Portfolio(sites=sites(), programs=(program,), enrolments=enrolments)
    baselines = Baselines(
        portfolio, telemetry, refresh=timedelta(minutes=5), recent=timedelta(minutes=15)
    )
    settlement = Settlement(portfolio, ledger, telemetry, baselines, document.dump, clock)
    nominating = Nominating(database, portfolio, ledger, live, delivery, clock, {})
    statements = make_statements(
        database, portfolio, ledger, telemetry, nominating.commitments, clock
    )
    state = WebState(
        clock=clock,
        portfolio=portfolio,
        ledger=ledger,
        telemetry=telemetry,
        delivery=delivery,
        live=live,
        actions=actions,
        desk=EventDesk(portfolio, ledger, Intake(portfolio, ledger, Planner(), clock), clock),
        controls=controls,
        replays=ReplayDesk(portfolio, ledger, settlement, clock),
        nominations=nominating.desk,
        statements=statements,
        meters=MeterDesk(portfolio, SqlMeters(database), clock, lambda: None),
        stopping=asyncio.Event(),
        utilities=lambda: health,
        counters=lambda: {"telemetry_rows": 4200.0},
    )
    return World(
        clock=clock,
        live=live,
        ledger=ledger,
        telemetry=telemetry,
        delivery=delivery,
        nominations=SqlNominations(database),
        actions=actions,
        controls=controls,
        state=state,
        app=create_app(state),
        health=health,
    )


async def fill(world: World, report: ParticipationReport, start: datetime, end: datetime) -> None:
    """An event from `start` to `end`, seen from the clock's now, with all that led to it."""
    now = world.clock.now()
    window = Interval(start=start, end=end)
    event = grid_event(window)
    decision = OptDecision(
        event_key=event.key,
        modification=0,
        opt=Opt.IN,
        cause="program 'Peak Relief' accepts events; we follow the change of load it asks for",
    )
    await world.ledger.put_event(event, decision, start - timedelta(minutes=30))
    await world.ledger.opt_out_site(event.key, "east", start - timedelta(minutes=5), "early start")
    plans = [plan(window, 1, "event received"), plan(window, 2, "east opted out")]
    for revision in plans:
        await send(world, revision, window)
    await happened(world, start)
    await measure(world, window, now)
    stored = replace(report, header=replace(report.header, event_key=event.key))
    await world.ledger.put_report(event.key, document.dump(stored), final=False)
    show(world, window, plans[-1])
    world.health.append(
        UtilityHealth(
            utility_id="pacific-utility",
            protocol="OpenADR 2.0b",
            connected=True,
            detail="polling every 10 s",
            last_contact_at=now - timedelta(seconds=3),
        )
    )


def grid_event(window: Interval, event_id: str = "evt-2026-1121") -> GridEvent:
    ask = StepSeries.of([(window, -105_000.0)])
    return GridEvent(
        utility_id="pacific-utility",
        event_id=event_id,
        modification=0,
        program_id=PROGRAM,
        created_at=window.start - timedelta(minutes=31),
        window=window,
        signals=(Signal(kind=SignalKind.DELTA_W, series=ask),),
    )


def baseline(site_id: str, span: Interval) -> StepSeries:
    base, _ = LOADS[site_id]
    return StepSeries.of(
        (piece, base * (1 + 0.04 * sin(n / 2)))
        for n, piece in enumerate(span.split(timedelta(minutes=5)))
    )


def plan(window: Interval, revision: int, reason: str) -> DispatchPlan:
    def allocated(site_id: str) -> SiteAllocation:
        _, given = LOADS[site_id]
        steps = tuple(
            AllocatedStep(interval=step.interval, reduction_w=given, limit_w=step.value - given)
            for step in baseline(site_id, window)
        )
        cause = f"{given / 1000:.1f} kW of the {given / 1000:.1f} kW offered; nothing held back"
        return SiteAllocation(site_id=site_id, steps=steps, cause=cause)

    return DispatchPlan(
        event_key=EVENT,
        modification=0,
        revision=revision,
        created_at=window.start - timedelta(minutes=30 - 10 * revision),
        reason=reason,
        target=StepSeries.of([(window, 105_000.0)]),
        allocations=tuple(allocated(site) for site in LOADS if site != "east" or revision == 1),
        shortfall=StepSeries(),
    )


async def send(world: World, revision: DispatchPlan, window: Interval) -> None:
    assert window.end is not None
    sent = [
        Instruction(
            instruction_id=f"{allocation.site_id}-evt-2026-1121-r{revision.revision}",
            site_id=allocation.site_id,
            site_seq=1,
            event_id=EVENT,
            program_id=PROGRAM,
            issued_at=revision.created_at,
            start=window.start,
            expires_at=window.end + timedelta(minutes=15),
            steps=tuple(
                InstructionStep(
                    start=step.interval.start,
                    end=step.interval.end or window.end,
                    import_limit_w=step.limit_w,
                )
                for step in allocation.steps
            ),
            fallback=Fallback(import_limit_w=None),
            cause=allocation.cause,
        )
        for allocation in revision.allocations
    ]
    await world.ledger.put_plan(revision, sent)
    for one in sent:
        await confirm(world, one, revision, window.start)


async def confirm(world: World, sent: Instruction, revision: DispatchPlan, start: datetime) -> None:
    states = [(revision.created_at + timedelta(seconds=0.4), InstructionState.STORED, "")]
    if revision.revision == 1:
        states.append((start - timedelta(minutes=5), InstructionState.SUPERSEDED, "revision 2"))
    elif start <= world.clock.now():
        states += [
            (start + timedelta(seconds=0.3), InstructionState.STARTED, ""),
            (start + timedelta(seconds=5.8), InstructionState.APPLIED, "11 of 11 chargers"),
        ]
    for at, state, reason in states:
        status = InstructionStatus(
            at=at,
            instruction_id=sent.instruction_id,
            event_id=sent.event_id,
            state=state,
            reason=reason,
        )
        await world.ledger.put_statuses([(sent.site_id, status)])


async def happened(world: World, start: datetime) -> None:
    for minutes, action, cause in (
        (
            30,
            "accepted",
            "program 'Peak Relief' accepts events; we follow the change of load it asks for",
        ),
        (20, "planned", "revision 1: 120.0 kW offered by 3 sites, 105.0 kW asked"),
        (5, "site opted out", "East <Co>: early start"),
    ):
        at = start - timedelta(minutes=minutes)
        await world.ledger.log(JournalEntry(at=at, subject=EVENT, action=action, cause=cause))


async def measure(world: World, window: Interval, now: datetime) -> None:
    """Fifteen minutes of load, the newest readings, a raised notice and two vehicles."""
    history = Interval(start=now - timedelta(minutes=20), end=now)
    for site_id, (base, given) in LOADS.items():
        steps = StepSeries.of(
            (piece, (base - (given if piece.start in window else 0.0)) * (1 + 0.02 * sin(n)))
            for n, piece in enumerate(history.split(timedelta(seconds=10)))
        )
        await world.telemetry.insert_history(site_id, points.PCC_POWER_W, steps, "synthetic")
        load = steps.steps[-1].value
        world.live.heard(site_id)
        world.live.restore(site_id, readings(load, given, now - timedelta(seconds=1.5)))
    rows = said(now)
    batch = Batch(
        site_id="north-yard",
        epoch="e1",
        rows=tuple(NumberedRow(seq=n, row=row) for n, row in enumerate(rows, 1)),
        sent_at=now,
    )
    await world.telemetry.ingest(batch, now)


def show(world: World, window: Interval, newest: DispatchPlan) -> None:
    span = Interval(start=window.start - timedelta(hours=1), end=window.end)
    expected = total([baseline(site_id, span) for site_id in LOADS])
    event = grid_event(window)
    world.live.show_events(
        [
            EventBand(
                event_key=event.key,
                event_id=event.event_id,
                program_name="Peak Relief",
                window=window,
                test=False,
                cancelled=False,
                opt="optIn",
                cause="accepted",
                revision=newest.revision,
                plan_reason=newest.reason,
                baseline=expected,
                target=newest.target,
                target_load=pointwise(lambda w: w[0] - w[1], (expected, newest.target)),
                shortfall=newest.shortfall,
            )
        ]
    )


def browser(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://localhost:8080",
        headers={"Accept": "text/html"},
    )
