"""Statements over real stores: programs, events with reports, figures told, and a clock to turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from contracts.series import StepSeries
from contracts.site_link import points
from contracts.testing import FakeClock
from contracts.time import Interval
from gateway.assembly.settling import make_statements
from gateway.domain.enrolment import Enrolment
from gateway.domain.event import GridEvent, Opt, OptDecision, Signal, SignalKind
from gateway.domain.measure.report import Curves, ParticipationReport
from gateway.domain.portfolio import Portfolio, Site
from gateway.domain.program import Program
from gateway.domain.program.paying import Basis
from gateway.domain.settle.determinant import Determinant, What
from gateway.domain.settle.energy import energy_lines
from gateway.domain.settle.event_account import EventAccount, SiteAccount, Step
from gateway.domain.settle.sharing import Sharing
from gateway.flows.nominating.commitments import Commitments
from gateway.flows.statement.calendar import StatementCalendar
from gateway.reports.document import dump
from gateway.store.database import Database
from gateway.store.ledger import SqlLedger
from gateway.store.telemetry import SqlTelemetry
from support.calls import at
from support.participation import build_report

SITES = ("a", "b")
HALF = Sharing(site_share=Decimal("0.5"), site_share_of_charges=Decimal("0.5"))
QUARTER = timedelta(minutes=15)


@dataclass
class StatementWorld:
    """A gateway's stores with these programs, in which both sites promise 100 kW each."""

    programs: Sequence[Program]
    clock: FakeClock
    enrolled: Mapping[str, Any] = field(default_factory=dict)
    """Of every enrolment, over what is usual."""
    database: Database = field(default_factory=Database.in_memory)

    def __post_init__(self) -> None:
        sites = tuple(
            Site(site_id=s, name=f"Depot {s.upper()}", time_zone=zone, import_limit_w=500_000.0)
            for s in SITES
            for zone in [ZoneInfo("America/New_York")]
        )
        usual: dict[str, Any] = {"nominated_w": 100_000.0, "sharing": HALF}
        self.portfolio = Portfolio(
            sites=sites,
            programs=tuple(self.programs),
            enrolments=tuple(
                Enrolment(**{"site_id": s, "program_id": p.program_id, **usual, **self.enrolled})
                for p in self.programs
                for s in SITES
            ),
        )
        self.ledger = SqlLedger(self.database)
        self.telemetry = SqlTelemetry(self.database, max_hold=timedelta(minutes=5))
        self.statements = make_statements(
            self.database,
            self.portfolio,
            self.ledger,
            self.telemetry,
            Commitments(self.portfolio),
            self.clock,
        )
        self.calendar = self.restarted()

    def restarted(self) -> StatementCalendar:
        """A calendar that remembers nothing but what is stored."""
        return StatementCalendar(self.portfolio, self.ledger, self.statements, self.clock)

    async def at(self, local: str) -> None:
        """Turn the clock to a time in New York."""
        await self.clock.advance((at(local) - self.clock.now()).total_seconds())

    async def event(self, key: str, start: str, hours: float = 4, **more: Any) -> GridEvent:
        """An event of the first program, or of `program_id`."""
        window = Interval.lasting(at(start), timedelta(hours=hours))
        utility, _, name = key.partition("/")
        given = {"program_id": self.programs[0].program_id, **more}
        event = GridEvent(
            utility_id=utility,
            event_id=name,
            modification=0,
            created_at=window.start - timedelta(hours=2),
            window=window,
            signals=(
                Signal(kind=SignalKind.DELTA_W, series=StepSeries.of([(window, -200_000.0)])),
            ),
            **given,
        )
        decision = OptDecision(event_key=event.key, modification=0, opt=Opt.IN, cause="test")
        await self.ledger.put_event(event, decision, window.start - timedelta(hours=1))
        return event

    async def report(
        self,
        event: GridEvent,
        given_kw: Mapping[str, float],
        *,
        final: bool = False,
        **more: Any,
    ) -> ParticipationReport:
        """The next version of its report: what each site gave all the time."""
        program = self.portfolio.program_of(event)
        assert program is not None
        made = reported(event, program, given_kw, **more)
        version = await self.ledger.put_report(event.key, dump(made), final=final)
        return replace(made, version=version, final=final)

    async def tell(self, what: What, subject: str, **more: Any) -> Determinant:
        """A figure from outside about the first program."""
        given: dict[str, Any] = {
            "program_id": self.programs[0].program_id,
            "source": "the operator's notice",
            "told_by": "Ada",
            "told_at": self.clock.now(),
            **more,
        }
        (kept,) = await self.statements.tell([Determinant(what=what, subject=subject, **given)])
        return kept

    async def draws(self, site: str, window: Interval, load_kw: float) -> None:
        """A site's measured load."""
        steps = StepSeries.of((piece, 1000 * load_kw) for piece in window.split(QUARTER))
        await self.telemetry.insert_history(site, points.PCC_POWER_W, steps, "meter")

    async def actions(self, program_id: str = "p1") -> list[str]:
        """What the journal says of a program."""
        entries = await self.ledger.journal(program_id)
        return [f"{one.action}: {one.cause}" for one in entries]


def account(
    window: Interval, given_kw: Mapping[str, float], asked_kw: float = 200.0, **more: Any
) -> EventAccount:
    """Quarter-hours in which each site gave the same; it drew 100 kW less than nothing asked."""
    pieces = list(window.split(QUARTER))
    whole = 1000 * sum(given_kw.values())
    return EventAccount(
        steps=tuple(
            Step(interval=one, asked_w=1000 * asked_kw, delivered_w=whole) for one in pieces
        ),
        sites={
            site: SiteAccount(
                delivered_w=(1000 * kw,) * len(pieces),
                load_w=(1000 * (300 - kw),) * len(pieces),
            )
            for site, kw in given_kw.items()
        },
        **more,
    )


def reported(
    event: GridEvent,
    program: Program,
    given_kw: Mapping[str, float],
    *,
    basis: Basis = Basis.RESERVATION,
    **more: Any,
) -> ParticipationReport:
    """A report as if each site had given the same all the time; all of 200 kW was asked."""
    base, window = build_report(), event.window
    whole = sum(given_kw.values())
    hours = (window.duration or timedelta(0)) / timedelta(hours=1)
    none = Curves(span=window, baseline=StepSeries(), actual=StepSeries(), target=StepSeries())
    kept = account(window, given_kw, basis=basis)
    sites = tuple(
        replace(
            base.sites[0],
            site_id=site,
            name=f"Depot {site.upper()}",
            asked_mean_w=100_000.0,
            delivered_mean_w=1000 * kw,
            reduced_wh=1000 * kw * hours,
            performance_pct=kw,
            curves=none,
            opted_out=False,
        )
        for site, kw in given_kw.items()
    )
    made = replace(
        base,
        header=replace(
            base.header,
            event_key=event.key,
            event_id=event.event_id,
            utility_id=event.utility_id,
            program_id=event.program_id,
            window=window,
            simulated=False,
            test=event.test,
            opt="optIn",
        ),
        curves=none,
        sites=sites,
        figures=replace(
            base.figures,
            performance_pct=whole / 2,
            delivered_mean_w=1000 * whole,
            reduced_wh=1000 * whole * hours,
        ),
        lines=energy_lines(program, event.key, kept.rows(program), basis=basis),
        sharing=dict.fromkeys(given_kw, HALF),
        account=kept,
    )
    return replace(made, **more)


def started(programs: Sequence[Program], local: str, **enrolled: Any) -> StatementWorld:
    """A world at a time in New York."""
    return StatementWorld(programs, FakeClock(at(local)), enrolled)


def month(name: str) -> date:
    """The first day of `2026-08`."""
    return date.fromisoformat(f"{name}-01")


def instant(local: str) -> datetime:
    """A time in New York."""
    return at(local)
