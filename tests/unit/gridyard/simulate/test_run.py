"""A night on a virtual clock: limits, energy, readiness."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gridyard.simulate import oracle
from gridyard.simulate.night import drawn
from support.simulated import case, group, run, simulation


def test_everybody_is_ready_and_the_limit_holds(tmp_path: Path) -> None:
    result = run(case(tmp_path))
    assert result.all_ready
    assert len(result.left) == 3
    assert result.within_limit
    assert 0 < result.demand_w <= 40_000
    assert result.nodes_over_s == 0


def test_without_control_the_limit_does_not_hold(tmp_path: Path) -> None:
    of = case(tmp_path, limit_w=25_000.0)
    assert not run(of, "uncontrolled").within_limit
    assert run(of, "first-come").within_limit
    assert run(of, "llf").within_limit


def test_the_same_seed_is_the_same_night_and_another_is_not(tmp_path: Path) -> None:
    of = case(tmp_path)
    first, again, other = run(of, seed=4), run(of, seed=4), run(of, seed=5)
    assert first.quarters_w == again.quarters_w
    assert first.left == again.left
    assert first.quarters_w != other.quarters_w


def test_energy_is_neither_made_nor_lost(tmp_path: Path) -> None:
    of = case(tmp_path)
    one = simulation(of)
    result = one.run()
    assert sum(result.quarters_w) / 4 == pytest.approx(result.import_wh, rel=1e-6)
    stored = sum(
        (left.soc_pct - left.arrived_soc_pct) / 100 * 60_000 / 0.92 for left in result.left
    )
    assert stored == pytest.approx(result.charged_wh, rel=1e-6)
    assert sum(stay.energy_wh for stay in result.stays) == pytest.approx(result.charged_wh)


def test_a_load_that_comes_on_is_answered_before_the_limit_is_passed(tmp_path: Path) -> None:
    load = {"at": "19:30", "kind": "load", "for_min": 30, "value_w": 1_400}
    of = case(tmp_path, plugs=4, limit_w=35_000.0, fleet=[group(count=4)], events=[load])
    result = run(of)
    assert result.peak_w > 30_000, "the limit was near"
    assert result.within_limit
    assert result.all_ready


def test_a_utilitys_limit_is_kept_from_its_first_second_but_one(tmp_path: Path) -> None:
    limit = {"at": "19:30", "kind": "import_limit", "for_min": 30, "value_w": 18_000}
    of = case(tmp_path, events=[limit])
    result = run(of)
    during = result.quarters_w[6:8]
    assert max(during) < 18_100
    assert max(result.quarters_w[:6]) > 20_000
    assert result.all_ready


def test_more_vans_than_plugs_are_swapped_in_time(tmp_path: Path) -> None:
    of = case(
        tmp_path,
        plugs=2,
        hours=11,
        fleet=[group(count=3, departs=["04:00", "04:30"])],
        yard={"late_share": 1.0, "late_most_min": 15},
    )
    result = run(of)
    assert result.all_ready
    assert result.swaps == 1
    assert {left.plugs for left in result.left} == {1}
    waits = [stay for stay in result.stays if stay.evse_id == result.stays[0].evse_id]
    gap = waits[1].since - waits[0].until
    assert timedelta(minutes=9) < gap < timedelta(minutes=11)


def test_the_oracle_knows_what_cannot_be(tmp_path: Path) -> None:
    of = case(tmp_path)
    night = drawn(of, 1)
    assert oracle.judge(of, night).feasible
    first = night.visits[0]
    late = replace(first, arrives=first.departs - timedelta(minutes=30))
    hopeless = replace(night, visits=(late, *night.visits[1:]))
    missing = oracle.judge(of, hopeless).missing_wh
    assert missing == pytest.approx(first.required_wh - 11_040 / 2, rel=0.01)


def test_the_oracle_counts_plugs_and_power(tmp_path: Path) -> None:
    crowd = [group(count=6, departs=["21:30", "21:40"])]
    wide = case(tmp_path, plugs=6, limit_w=100_000.0, fleet=crowd)
    few_plugs = case(tmp_path, plugs=2, limit_w=100_000.0, fleet=crowd)
    little_power = case(tmp_path, plugs=6, limit_w=20_000.0, fleet=crowd)
    assert oracle.judge(wide, drawn(wide, 1)).missing_wh < 1_000
    assert oracle.judge(few_plugs, drawn(few_plugs, 1)).missing_wh > 20_000
    assert oracle.judge(little_power, drawn(little_power, 1)).missing_wh > 20_000
