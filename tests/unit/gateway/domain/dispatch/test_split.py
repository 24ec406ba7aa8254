"""A plan from offers that sites have told: energies, confidence, ramps, groups, blocks, history."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.dispatch import DispatchPlan, plan
from gateway.domain.dispatch.fairness import Asked
from gateway.domain.dispatch.limits import Block, GroupLimit, Limits
from gateway.domain.event import GridEvent
from gateway.domain.flexibility import OfferedSlot, SiteFlexibility
from gateway.store.documents import PLAN

T0 = datetime(2026, 3, 4, 17, tzinfo=UTC)
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
KW = 1e3


def window(hours: float) -> Interval:
    return Interval(start=T0, end=T0 + hours * HOUR)


def told(
    name: str,
    down_kw: float | list[float],
    *,
    hours: float = 2,
    lasts: float = 1,
    sure: float = 1.0,
    expected_kw: float = 100,
    again: float | None = None,
    **fields: Any,
) -> SiteFlexibility:
    """A site with a baseline of 100 kW that has told an offer by quarters."""
    pieces = list(window(hours).split(QUARTER))
    downs = down_kw if isinstance(down_kw, list) else [down_kw] * len(pieces)
    slots = tuple(
        OfferedSlot(
            interval=piece,
            expected_w=expected_kw * KW,
            down_w=down * KW,
            sure_w=sure * down * KW,
            lasts=lasts * HOUR,
            again_at=None if again is None else T0 + again * HOUR,
        )
        for piece, down in zip(pieces, downs, strict=True)
    )
    most = max(downs) * KW + max(0.0, 100 - expected_kw) * KW
    base: dict[str, Any] = {"as_of": T0, "available": True, "down_w": most}
    return SiteFlexibility(
        site_id=name,
        baseline=StepSeries.of((piece, 100 * KW) for piece in pieces),
        slots=slots,
        **{**base, **fields},
    )


def planned(
    sites: list[SiteFlexibility], target_kw: float, hours: float = 2, **limits: Any
) -> DispatchPlan:
    event = GridEvent(
        utility_id="u",
        event_id="e",
        modification=0,
        program_id="p",
        created_at=T0,
        window=window(hours),
        signals=(),
    )
    target = StepSeries.of([(window(hours), target_kw * KW)])
    return plan(
        event,
        target,
        sites,
        created_at=T0,
        revision=1,
        reason="new",
        limits=Limits(**limits),
    )


def mean_kw(made: DispatchPlan, name: str, since: float = 0, until: float = 2) -> float:
    found = made.allocation(name)
    assert found is not None
    span = Interval(start=T0 + since * HOUR, end=T0 + until * HOUR)
    return found.reduction.integral_h(span) / (until - since) / KW


def short_kwh(made: DispatchPlan) -> float:
    return made.shortfall.integral_h(window(2)) / KW


def cause(made: DispatchPlan, name: str) -> str:
    found = made.allocation(name)
    assert found is not None
    return found.cause


@pytest.mark.row("portfolio:A5")
def test_energy_is_spread_over_the_event_and_the_rest_is_reported() -> None:
    """100 kW for an hour is 100 kWh: 50 kW for two hours, and so much is asked of it."""
    made = planned([told("a", 100)], 80)
    assert mean_kw(made, "a") == pytest.approx(50)
    assert short_kwh(made) == pytest.approx(60)
    assert "energy does not last" in made.short_because
    assert "its energy lasts until 19:00" in cause(made, "a")


def test_where_one_sites_energy_ends_another_gives_more() -> None:
    made = planned([told("a", 100, lasts=1), told("b", 100, lasts=2)], 140)
    assert mean_kw(made, "a") == pytest.approx(50)
    assert mean_kw(made, "b") == pytest.approx(90)
    assert not made.shortfall


def test_each_interval_has_its_own_offer() -> None:
    made = planned([told("a", [80, 80, 80, 80, 20, 20, 20, 20], lasts=2)], 50)
    assert mean_kw(made, "a", 0, 1) == pytest.approx(50)
    assert mean_kw(made, "a", 1, 2) == pytest.approx(20)
    assert short_kwh(made) == pytest.approx(30)
    assert made.short_because.startswith("30.0 kW: the offers do not reach it")


def test_what_a_site_expects_below_its_baseline_costs_no_energy() -> None:
    """It obeys already: 40 kW below its baseline, with 10 kW for an hour left beyond that."""
    made = planned([told("a", 10, expected_kw=60)], 60)
    assert mean_kw(made, "a") == pytest.approx(45)


def test_after_its_restart_a_site_can_be_asked_again() -> None:
    once = planned([told("a", 100, lasts=0.5)], 100)
    twice = planned([told("a", 100, lasts=0.5, again=1)], 100)
    assert mean_kw(once, "a") == pytest.approx(25)
    assert mean_kw(twice, "a", 0, 1) == pytest.approx(50)
    assert mean_kw(twice, "a", 1, 2) == pytest.approx(50)


def test_what_is_sure_is_asked_first_and_what_is_likely_only_if_needed() -> None:
    sites = [told("a", 100, sure=0.6, lasts=2), told("b", 100, sure=1.0, lasts=2)]
    enough = planned(sites, 150)
    assert mean_kw(enough, "a") == pytest.approx(60)
    assert mean_kw(enough, "b") == pytest.approx(90)
    more = planned(sites, 190)
    assert mean_kw(more, "a") == pytest.approx(95)
    assert "60.0 kW of it is sure, the rest is likely" in cause(more, "a")
    assert not more.shortfall


@pytest.mark.row("portfolio:A12")
def test_a_network_group_gives_no_more_than_its_limit_and_others_make_up_for_it() -> None:
    sites = [told(name, 80, lasts=2) for name in "abc"]
    group = GroupLimit(name="feeder", sites=frozenset("ab"), reduction_w=60 * KW)
    made = planned(sites, 120, groups=(group,))
    assert [mean_kw(made, name) for name in "abc"] == pytest.approx([30, 30, 60])
    assert cause(made, "a").endswith("the limit of its network group binds")
    short = planned(sites, 180, groups=(group,))
    assert short_kwh(short) == pytest.approx(80)
    assert "limits of network groups bind" in short.short_because


@pytest.mark.row("portfolio:A12")
def test_groups_nest_and_an_export_limit_counts_by_baselines() -> None:
    sites = [told(name, 150, lasts=2) for name in "abc"]
    feeder = GroupLimit(name="feeder", sites=frozenset("abc"), reduction_w=200 * KW)
    transformer = GroupLimit(name="transformer", sites=frozenset("ab"), lowest_w=150 * KW)
    made = planned(sites, 400, groups=(feeder, transformer))
    assert [mean_kw(made, name) for name in "abc"] == pytest.approx([25, 25, 150])


def test_a_slow_site_gives_no_more_than_its_ramp_lets_it() -> None:
    """1 kW a minute: 15, 30, ... kW at the end of each quarter."""
    made = planned([told("a", 100, lasts=2, ramp_w_per_min=1 * KW)], 60)
    found = made.allocation("a")
    assert found is not None
    assert [step.reduction_w / KW for step in found.steps] == pytest.approx(
        [15, 30, 45, 60, 60, 60, 60, 60]
    )
    assert "cannot come down faster" in made.short_because
    under_way = planned([told("a", 100, ramp_w_per_min=1 * KW)], 50, given_w={"a": 50 * KW})
    assert not under_way.shortfall


def test_a_site_with_a_least_request_gives_it_whole_and_what_is_too_much_is_told() -> None:
    sites = [told(name, 40, lasts=2) for name in "ab"]
    made = planned(sites, 30, blocks={"a": Block(), "b": Block()})
    given = sorted(mean_kw(made, name) for name in "ab")
    assert given == pytest.approx([0, 40])
    assert made.over.integral_h(window(2)) / KW == pytest.approx(20)


def test_who_was_asked_more_before_is_asked_less_now_and_is_told_so() -> None:
    sites = [told(name, 100, lasts=2) for name in "ab"]
    history = {
        "a": Asked(asked_wh=60.0, offered_wh=100.0),
        "b": Asked(asked_wh=20.0, offered_wh=100.0),
    }
    made = planned(sites, 100, history=history)
    assert [mean_kw(made, name) for name in "ab"] == pytest.approx([40, 60])
    assert "20 % less for what it was asked before" in cause(made, "a")
    assert made.evenness == pytest.approx(100**2 / (2 * (40**2 + 60**2)))


def test_without_a_known_end_energy_goes_first_to_whom_it_is_lost() -> None:
    """`b` cannot give for long: its energy is asked for now, that of `a` kept for later."""
    a = told("a", 100, lasts=0.75)
    b = told("b", [100, 100, 0, 0, 0, 0, 0, 0], lasts=0.5)
    made = planned([a, b], 80, ends_known=False)
    assert mean_kw(made, "b", 0, 0.5) == pytest.approx(80, abs=0.1)
    assert mean_kw(made, "a", 0, 0.5) == pytest.approx(0, abs=0.1)


def test_times_in_causes_are_those_of_the_sites_owner() -> None:
    made = planned([told("a", 100, zone=ZoneInfo("Europe/Berlin"))], 80)
    assert "until 20:00" in cause(made, "a")


def test_a_plan_from_before_all_this_is_still_read() -> None:
    made = planned([told("a", 100)], 80)
    document = PLAN.dump(made)
    assert PLAN.load(document) == made
    for name in ("short_because", "over", "evenness"):
        del document[name]
    for one in document["allocations"]:
        del one["offered_wh"]
    old = PLAN.load(document)
    assert old.allocations[0].offered_wh is None
    assert old.shortfall == made.shortfall
