"""Two months and a dozen depots; the ledger balances, and says so when it does not."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from contracts.series import StepSeries
from gateway.domain.dispatch import AllocatedStep, DispatchPlan, SiteAllocation
from gateway.domain.event import Opt
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import Effect, RuleKind
from gridyard.cli import app
from gridyard.simulate.season import show
from gridyard.simulate.season.admission import Admission
from gridyard.simulate.season.enrolled import CAPACITY, EMERGENCY, ENERGY
from gridyard.simulate.season.ledger import faults, unbalanced
from gridyard.simulate.season.run import Season, run_season
from gridyard.simulate.season.summary import months, programs

SITES, MONTHS = 12, 2


def lived(seed: int = 1, sites: int = SITES, count: int = MONTHS) -> Season:
    return run_season(sites, count, seed, lambda done, of: None)


@pytest.fixture(scope="module")
def season() -> Season:
    return lived()


@pytest.mark.row("portfolio:A8")
def test_the_ledger_balances(season: Season) -> None:
    assert season.faults == []
    assert {one.program_id for one in season.moments} == {CAPACITY, EMERGENCY, ENERGY}
    for row in months(season):
        assert row.asked_kwh == pytest.approx(row.promised_kwh + row.shortfall_kwh)
        assert row.received >= row.accepted >= row.cancelled
    entries = season.admission.entries.values()
    assert sum(row.received for row in months(season)) == len(entries)
    assert sum(row.accepted for row in months(season)) == sum(one.accepted for one in entries)


@pytest.mark.row("portfolio:A8")
def test_what_breaks_a_rule_is_refused_with_the_rule(season: Season) -> None:
    refused = [one for one in season.admission.entries.values() if not one.accepted]
    assert refused
    for one in refused:
        assert any(found.effect is Effect.BREACH for found in one.found), one.event.key
        if not one.event.cancelled:
            assert "against the program's rules" in one.stored.decision.cause
    rules = {found.rule for one in refused for found in one.found}
    assert {RuleKind.QUOTA, RuleKind.DURATION, RuleKind.NOTICE} <= rules


@pytest.mark.row("portfolio:A7")
def test_owners_limits_take_their_sites_out(season: Season) -> None:
    accepted = [one for one in season.admission.entries.values() if one.accepted]
    kept_out = {site for one in accepted for site in one.objections}
    assert kept_out <= {"site-00000", "site-00005", "site-00010"}
    assert kept_out
    index = {site.site_id: k for k, site in enumerate(season.admission.portfolio.sites)}
    for moment in season.moments:
        entry = season.admission.entries[moment.event_key]
        if not entry.modifications:
            assert all(moment.asked_w[index[site]] == 0 for site in entry.objections)


@pytest.mark.row("portfolio:A9")
def test_a_site_gives_to_two_events_at_once_what_it_has(season: Season) -> None:
    """Capacity and energy may go together; the books would not balance if a kW were sold twice."""
    asked: dict[tuple[datetime, str], np.ndarray] = {}
    for one in season.moments:
        asked[one.at, one.program_id] = one.asked_w
    both = [
        (capacity > 0) & (asked[at, ENERGY] > 0)
        for (at, name), capacity in asked.items()
        if name == CAPACITY and (at, ENERGY) in asked
    ]
    assert any(sites.any() for sites in both)


def test_what_was_promised_is_delivered_about(season: Season) -> None:
    for one in programs(season):
        mine = [row for row in months(season) if row.program == one.program]
        promised, delivered = (
            sum(getattr(row, name) for row in mine) for name in ("promised_kwh", "delivered_kwh")
        )
        assert 0.85 < delivered / promised < 1.1, one.program
        assert 0 < one.sites.jain <= 1


def test_the_same_seed_is_the_same_season() -> None:
    one, again = (list(months(lived(seed=7, sites=4, count=1))) for _ in range(2))
    assert one == again


def test_a_site_asked_too_much_is_found(season: Season) -> None:
    first = max(season.moments, key=lambda one: float(one.asked_w.sum()))
    found = faults([replace(first, asked_w=first.offer_w + 5_000.0)], Admission(portfolio(season)))
    assert any("asked is not wanted" in fault for fault in found)
    assert any("more than it offers" in fault for fault in found)


def test_a_promise_that_nobody_keeps_is_found(season: Season) -> None:
    first = season.moments[0]
    asked = np.zeros_like(first.asked_w)
    lost = replace(first, asked_w=asked, short_w=first.wanted_w, over_w=0.0, reported_w=0.0)
    assert "W promised, 0.0 W asked of sites" in faults([lost], Admission(portfolio(season)))[0]


def test_a_kilowatt_sold_twice_is_found(season: Season) -> None:
    first = max(season.moments, key=lambda one: float(one.asked_w.sum()))
    twice = [first, replace(first, event_key="utility/other")]
    found = faults(twice, Admission(portfolio(season)))
    assert "more by all events than it offers" in found[0]
    assert "by two events that exclude each other" in found[1]


def test_an_event_too_many_is_found(season: Season) -> None:
    """What was refused for the quota, accepted all the same."""
    admission = Admission(portfolio(season))
    for key, entry in season.admission.entries.items():
        only = {one.rule for one in entry.found if one.effect is Effect.BREACH}
        decision = entry.stored.decision
        if only == {RuleKind.QUOTA}:
            decision = replace(decision, opt=Opt.IN)
        admission.entries[key] = replace(entry, stored=replace(entry.stored, decision=decision))
    assert any("used" in fault for fault in faults((), admission))


def test_a_plan_whose_parts_are_not_its_sum_is_found(season: Season) -> None:
    event = next(iter(season.admission.entries.values())).event
    step = AllocatedStep(interval=event.window, reduction_w=40_000.0, limit_w=10_000.0)
    made = DispatchPlan(
        event_key=event.key,
        modification=0,
        revision=3,
        created_at=event.created_at,
        reason="",
        target=StepSeries.of([(event.window, 100_000.0)]),
        allocations=(SiteAllocation(site_id="a", steps=(step,), cause=""),),
        shortfall=StepSeries.of([(event.window, 60_000.0)]),
    )
    assert list(unbalanced(made)) == []
    assert "plan 3" in next(unbalanced(replace(made, shortfall=StepSeries())))


def test_the_command_tells_people_and_machines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(show, "SITES", 4)
    runner = CliRunner()
    asked = ["simulate", "season", "--months", "1", "--csv", str(tmp_path)]
    result = runner.invoke(app, asked)
    assert result.exit_code == 0, result.output
    assert "the ledger balances" in result.stdout
    assert (tmp_path / "season-1-months.csv").read_text().startswith("program,month,received")
    found = json.loads(runner.invoke(app, [*asked, "--json"]).stdout)
    assert found["faults"] == []
    assert {row["program"] for row in found["months"]} >= {CAPACITY, ENERGY}


def test_the_command_fails_when_the_ledger_does_not_balance(
    monkeypatch: pytest.MonkeyPatch, season: Season
) -> None:
    wrong = replace(season, faults=["3 W are missing"])
    monkeypatch.setattr(show, "run_season", lambda *_: wrong)
    result = CliRunner().invoke(app, ["simulate", "season"])
    assert result.exit_code != 0
    assert "the ledger does not balance: 1 faults" in result.stdout
    assert "3 W are missing" in result.stderr


def portfolio(season: Season) -> Portfolio:
    return season.admission.portfolio
