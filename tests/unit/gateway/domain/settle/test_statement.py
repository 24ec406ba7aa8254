"""Statements: what is on them, that parts sum, and what is said when they change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.measure.report import Curves, ParticipationReport
from gateway.domain.program import Program
from gateway.domain.settle.account import NO_CONTRACT, PeriodStatement, changes
from gateway.domain.settle.grounds import Grounds
from gateway.domain.settle.line import Kind
from gateway.domain.settle.period import period_named
from gateway.domain.settle.sharing import Sharing
from gateway.domain.settle.site_account import site_statement
from gateway.domain.settle.statement import period_statement
from support.calls import at
from support.deliveries import from_template
from support.participation import build_report

AUGUST = datetime(2026, 9, 2, tzinfo=UTC)
EIGHTY = Sharing(site_share=Decimal("0.8"))
KW = {"north-yard": Decimal(120), "harbor": Decimal(60), "east-fleet": Decimal(20)}


def reported(key: str, start: str, pct: float | None, **more: Any) -> ParticipationReport:
    """An event of four hours in New York with its report."""
    base = build_report()
    begin = at(start)
    window = Interval.lasting(begin, timedelta(hours=4))
    none = Curves(span=window, baseline=StepSeries(), actual=StepSeries(), target=StepSeries())
    head = replace(base.header, event_key=key, window=window, simulated=False)
    lines = tuple(replace(line, subject=key) for line in base.lines[:1])
    made = replace(
        base,
        header=head,
        final=True,
        curves=none,
        sites=tuple(replace(site, curves=none) for site in base.sites),
        figures=replace(base.figures, performance_pct=pct),
        lines=lines,
        sharing={"north-yard": EIGHTY, "harbor": EIGHTY},
    )
    return replace(made, **more)


def settled(
    reports: Sequence[ParticipationReport],
    *,
    program: Program | None = None,
    period: str = "2026-08",
    now: datetime = AUGUST,
    **more: Any,
) -> PeriodStatement:
    program = program or replace(from_template("dlrp-type"), product="")
    chosen = period_named(period, program.rules.seasons)
    grounds: dict[str, Any] = {
        "committed_kw": dict.fromkeys(chosen.months(), KW),
        "contracts": {"north-yard": EIGHTY, "harbor": EIGHTY},
        "networks": frozenset({"2"}),
    }
    return period_statement(
        Grounds(program=program, period=chosen, reports=reports, **grounds | more), now
    )


def test_capacity_by_the_sticky_factor_and_energy_as_reported() -> None:
    """Micro-example 1 (DLRP, tier 2): 200 kW, an event at 80 %: 160 x 25 a month."""
    statement = settled([reported("u/e1", "2026-08-14 16:00", 80.0)])
    capacity, energy = statement.lines
    assert (capacity.line.kind, capacity.line.amount) == (Kind.CAPACITY, Decimal("4000.00"))
    assert "factor 0.8: set by u/e1" in capacity.line.inputs
    assert (energy.line.kind, energy.line.amount) == (Kind.ENERGY, Decimal("400.80"))
    assert statement.totals == {"USD": Decimal("4400.80")}
    assert statement.final
    assert statement.waits_for == ()


def test_every_line_names_its_inputs_and_they_are_there() -> None:
    statement = settled([reported("u/e1", "2026-08-14 16:00", 80.0)])
    named = {one.name: one.value for one in statement.inputs}
    assert all(set(line.inputs) <= named.keys() for line in statement.lines)
    assert named["commitment 2026-08"] == "200 kW: east-fleet 20, harbor 60, north-yard 120"
    assert named["report of u/e1"].startswith("version 2, FINAL, sha256 ")


def test_a_site_sees_its_own_part_and_one_without_a_contract_is_told_so() -> None:
    statement = settled([reported("u/e1", "2026-08-14 16:00", 80.0)])
    mine = site_statement("harbor", "Harbor", "America/New_York", [statement])
    assert [one.line.amount for one in mine.lines] == [Decimal("960.00"), Decimal("132.16")]
    assert [one.line.quantity for one in mine.lines] == [60, Decimal("82.6")]
    assert "north" not in repr(mine)
    none = site_statement("east-fleet", "East", "America/New_York", [statement])
    assert [(one.line.amount, one.line.problem) for one in none.lines] == [(None, NO_CONTRACT)] * 2
    assert none.totals == {}


@pytest.mark.parametrize(
    ("now", "final", "unreported", "waits"),
    [
        (at("2026-08-31 23:59"), True, (), "the end of 2026-08"),
        (AUGUST, False, (), "the FINAL report of u/e1"),
        (AUGUST, True, ("u/e9",), "a report of u/e9"),
    ],
)
def test_it_is_preliminary_until_all_it_counts_is_final(
    now: datetime, final: bool, unreported: tuple[str, ...], waits: str
) -> None:
    report = replace(reported("u/e1", "2026-08-14 16:00", 80.0), final=final)
    statement = settled([report], now=now, unreported=unreported)
    assert (statement.final, statement.waits_for) == (False, (waits,))


def test_hours_of_the_next_month_are_that_months() -> None:
    report = reported("u/e1", "2026-07-31 22:00", 80.0)
    parts = tuple(
        replace(report.lines[0], subject=f"u/e1, {month}", amount=Decimal(amount))
        for month, amount in (("2026-07", 10), ("2026-08", 20))
    )
    both = [replace(report, lines=parts)]
    energy = [
        [one.line.amount for one in settled(both, period=month).lines if one.line.kind == "energy"]
        for month in ("2026-07", "2026-08", "2026-09")
    ]
    assert energy == [[10], [20], []]


def test_a_season_average_is_settled_when_the_season_ends() -> None:
    program = from_template("connected-solutions-type")
    season = program.rules.seasons[0]
    reports = [
        replace(
            reported("u/e1", "2026-07-14 16:00", 100.0),
            figures=replace(build_report().figures, delivered_mean_w=50_000.0),
        )
    ]
    ends = f"2026-{season.last[0]:02d}"
    for period, count in ((ends, 1), ("2026-07", 0), (f"2026-{season.name}", 1)):
        statement = settled(reports, program=program, period=period, networks=frozenset())
        found = [one for one in statement.lines if one.line.kind is Kind.AVERAGE]
        assert [one.line.quantity for one in found] == [50] * count


@pytest.mark.row("mv:M4")
def test_a_change_says_which_figure_and_from_which_input() -> None:
    report = reported("u/e1", "2026-08-14 16:00", 80.0)
    cheaper = replace(report.lines[0], amount=Decimal("390.10"), quantity=Decimal("195.05"))
    before = settled([report])
    after = settled([replace(report, version=3, lines=(cheaper,))])
    found = {one.what: one for one in changes(before, after)}
    amount = found["energy, u/e1: amount"]
    assert (amount.before, amount.after) == ("400.80 USD", "390.10 USD")
    assert len(amount.because) == 1
    assert amount.because[0].startswith("report of u/e1: version 2, FINAL")
    assert "now version 3, FINAL" in amount.because[0]
    assert "capacity, 2026-08: amount" not in found
    more = settled([report], committed_kw={date(2026, 8, 1): KW | {"harbor": Decimal(80)}})
    capacity = {one.what: one for one in changes(before, more)}["capacity, 2026-08: amount"]
    assert (capacity.before, capacity.after) == ("4000.00 USD", "4400.00 USD")
    assert "commitment 2026-08: 200 kW" in capacity.because[0]
    assert changes(before, settled([report])) == ()
    assert before.same_as(settled([report], now=AUGUST + timedelta(days=9)))


@given(
    shares=st.lists(st.integers(0, 100), min_size=3, max_size=3),
    kilowatts=st.lists(st.integers(0, 500), min_size=3, max_size=3),
    pcts=st.lists(st.one_of(st.none(), st.floats(-50, 200)), max_size=3),
    cents=st.integers(-100_000, 100_000),
)
def test_payments_sum_to_the_cent(
    shares: list[int], kilowatts: list[int], pcts: list[float | None], cents: int
) -> None:
    sites = list(KW)
    contracts = {
        site: Sharing(site_share=Decimal(share) / 100, site_share_of_charges=Decimal(share) / 100)
        for site, share in zip(sites, shares, strict=True)
    }
    reports = []
    for n, pct in enumerate(pcts, 1):
        one = reported(f"u/e{n}", f"2026-08-{n:02d} 16:00", pct, sharing=contracts)
        lines = tuple(replace(line, amount=Decimal(cents) / 100) for line in one.lines)
        reports.append(replace(one, lines=lines))
    committed = {date(2026, 8, 1): dict(zip(sites, map(Decimal, kilowatts), strict=True))}
    statement = settled(reports, contracts=contracts, committed_kw=committed)
    parts = statement.part_totals()
    whole = sum((sums.get("USD", Decimal(0)) for sums in parts.values()), Decimal(0))
    assert whole == statement.totals.get("USD", Decimal(0))
    for row in statement.lines:
        if row.line.amount is not None:
            of_sites = sum((part.amount or 0 for part in row.sites.values()), Decimal(0))
            assert row.aggregator is not None
            assert row.aggregator + of_sites == row.line.amount
    for site in sites:
        mine = site_statement(site, site, "UTC", [statement])
        assert mine.totals.get("USD", 0) == parts.get(site, {}).get("USD", 0)


@pytest.mark.parametrize("name", ["2026", "2026-13", "2026-00", "summer", "26-01", "2026-nowhere"])
def test_a_period_that_is_none(name: str) -> None:
    with pytest.raises(ValueError, match="no period"):
        period_named(name, from_template("dlrp-type").rules.seasons)


def test_a_month_of_clock_change_has_an_hour_more() -> None:
    program = from_template("dlrp-type")
    span = period_named("2026-11").span(program.zone)
    assert span.duration == timedelta(days=30, hours=1)
