"""A realistic participation report: three depots, a gap, one opt-out, one fault, a hostile name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import sin

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.report import (
    BaselineDay,
    Curves,
    KeyFigures,
    ParticipationReport,
    ReportException,
    ReportHeader,
    SiteResult,
)
from gateway.domain.settle.line import Kind, Line
from gateway.reports.audience import variant
from gateway.reports.view import ReportView, report_view

START = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)  # 17:00 PST the day before
WINDOW = Interval.lasting(START, timedelta(hours=2))
SPAN = Interval(start=START - timedelta(hours=1), end=START + timedelta(hours=3))
QUARTER = timedelta(minutes=15)
HASH = "9f2c1d7be0a4c68b35f1d2e7a90b4c8d6e5f3a2b1c0d9e8f7a6b5c4d3e2f1a0b"


def _load(base_w: float, held_w: float, *, gap: bool = False) -> Curves:
    """A depot that holds `held_w` during the event and overshoots a little afterwards."""
    quarters, minutes = list(SPAN.split(QUARTER)), list(SPAN.split(timedelta(minutes=1)))
    baseline = StepSeries.of(
        (piece, base_w * (1 + 0.08 * sin(n / 3))) for n, piece in enumerate(quarters)
    )
    target = StepSeries.of(
        (piece, (baseline.value_at(piece.start) or 0.0) - (base_w - held_w))
        for piece in WINDOW.split(QUARTER)
    )

    def actual_w(at: datetime, n: int) -> float:
        usual = baseline.value_at(at) or 0.0
        if at in WINDOW:
            into_min = (at - START).total_seconds() / 60
            held = (target.value_at(at) or 0.0) * (0.985 + 0.02 * sin(n / 2.1))
            return held + max(0.0, 1 - into_min / 2) * (usual - held)
        after = 1.12 if WINDOW.end and WINDOW.end <= at < WINDOW.end + QUARTER * 2 else 1.0
        return usual * after * (1 + 0.03 * sin(n / 1.7))

    lost = Interval.lasting(START + timedelta(minutes=70), timedelta(minutes=9))
    actual = StepSeries.of(
        (piece, actual_w(piece.start, n))
        for n, piece in enumerate(minutes)
        if not (gap and piece.start in lost)
    )
    return Curves(span=SPAN, baseline=baseline, actual=actual, target=target)


def _sum(parts: list[Curves]) -> Curves:
    def total(name: str) -> StepSeries:
        every = [getattr(part, name) for part in parts]
        rows = ((s.interval, [one.value_at(s.interval.start) for one in every]) for s in every[0])
        return StepSeries.of(
            (i, sum(v or 0.0 for v in values)) for i, values in rows if None not in values
        )

    return Curves(
        span=SPAN, baseline=total("baseline"), actual=total("actual"), target=total("target")
    )


def _days() -> tuple[BaselineDay, ...]:
    days = [date(2026, 11, 19) - timedelta(days=n) for n in range(14)]
    return tuple(
        BaselineDay(
            day=day,
            used=day.weekday() < 5 and day != date(2026, 11, 12),
            reason=""
            if day.weekday() < 5 and day != date(2026, 11, 12)
            else "event day"
            if day == date(2026, 11, 12)
            else "weekend",
        )
        for day in days
    )


def _site(site_id: str, name: str, curves: Curves, **changes: object) -> SiteResult:
    site = SiteResult(
        site_id=site_id,
        name=name,
        nominated_w=60_000.0,
        asked_mean_w=60_000.0,
        delivered_mean_w=58_900.0,
        performance_pct=98.2,
        reduced_wh=117_800.0,
        vehicles_ready=11,
        vehicles_total=12,
        opted_out=False,
        coverage=1.0,
        adjustment=1.037,
        adjustment_capped=False,
        days=_days(),
        history_label="synthetic",
        curves=curves,
        inputs_hash=HASH,
    )
    return replace(site, **changes)  # type: ignore[arg-type]  # a test's own keyword arguments


def build_report() -> ParticipationReport:
    """PRELIMINARY, version 2, simulated; two hours in local time UTC-8."""
    north, harbor = _load(142_000.0, 82_000.0), _load(96_000.0, 51_000.0, gap=True)
    east = _load(38_000.0, 38_000.0)
    sites = (
        _site("north-yard", "North Yard Bus Depot", north),
        _site(
            "harbor",
            "Harbor Street Vans",
            harbor,
            nominated_w=45_000.0,
            asked_mean_w=45_000.0,
            delivered_mean_w=41_300.0,
            performance_pct=91.8,
            reduced_wh=82_600.0,
            vehicles_ready=7,
            vehicles_total=7,
            coverage=0.925,
            adjustment=1.2,
            adjustment_capped=True,
        ),
        _site(
            "east-fleet",
            "East Fleet <Couriers> & Co",
            east,
            nominated_w=15_000.0,
            asked_mean_w=0.0,
            delivered_mean_w=None,
            performance_pct=None,
            reduced_wh=None,
            vehicles_ready=4,
            vehicles_total=5,
            opted_out=True,
            adjustment=None,
            history_label=None,
        ),
    )
    return ParticipationReport(
        version=2,
        final=False,
        created_at=START + timedelta(hours=3, minutes=4),
        header=ReportHeader(
            event_key="pacific-utility/evt-2026-1121",
            event_id="evt-2026-1121",
            utility_id="pacific-utility",
            program_id="http://utility.example/programs/peak-relief",
            program_name="Peak Relief",
            test=False,
            simulated=True,
            window=WINDOW,
            signal="reduce by 105 kW against baseline (LOAD_DISPATCH delta)",
            time_zone="America/Los_Angeles",
            notified_at=START - timedelta(hours=2),
            opted_in_at=START - timedelta(hours=2) + timedelta(seconds=1.4),
            first_response_at=START + timedelta(seconds=0.8),
            all_applied_s=6.2,
            opt="optIn",
            opt_cause="105.0 kW offered by 2 of 3 sites covers the 105.0 kW asked",
        ),
        figures=KeyFigures(
            performance_pct=95.4,
            delivered_mean_w=100_200.0,
            delivered_min_w=71_400.0,
            nominated_w=120_000.0,
            target_mean_w=105_000.0,
            reduced_wh=200_400.0,
            rebound_w=33_100.0,
            coverage=0.975,
            factor_pct=95.4,
        ),
        curves=_sum([north, harbor, east]),
        sites=sites,
        exceptions=(
            ReportException(
                at=START - timedelta(minutes=20),
                site_id="east-fleet",
                kind="opt-out",
                subject="east-fleet",
                text="opted out by the site's owner: early departures",
            ),
            ReportException(
                at=START + timedelta(minutes=31),
                site_id="north-yard",
                kind="charger-offline",
                subject="cp-04",
                text="no heartbeat for 120 s; counted at its fail-safe share",
            ),
            ReportException(
                at=START + timedelta(minutes=70),
                site_id="harbor",
                kind="link-lost",
                subject="harbor",
                text="telemetry missing for 9 min; outbox replay found no rows",
            ),
        ),
        method=(
            "10-of-10 type: mean of the last 10 eligible days (same day type, coverage >= 90 %), "
            "same-day ratio adjustment over 4 h to 1 h before the event, bounded to 0.8-1.2."
        ),
        estimated_intervals=1,
        performance_rule="delivered over asked, mean over the event; counted up to 100%",
        lines=(
            Line(
                kind=Kind.ENERGY,
                subject="pacific-utility/evt-2026-1121",
                quantity=Decimal("200.4"),
                unit="kWh",
                price=Decimal(2),
                amount=Decimal("400.80"),
                currency="USD",
                example=True,
                rule="energy (voluntary): 2 USD a kWh (example)",
                inputs=("200.4 kWh counted",),
                source="operator's own text, undated",
            ),
            Line(
                kind=Kind.PENALTY,
                subject="pacific-utility/evt-2026-1121",
                quantity=Decimal("9.6"),
                unit="kWh",
                price=None,
                amount=None,
                currency="",
                example=False,
                rule="penalty on what was not delivered: rate: see the tariff",
                problem="rate: see the tariff",
            ),
        ),
    )


def seen(report: ParticipationReport) -> ReportView:
    """What the operator reads."""
    return report_view(variant(report))
