"""The four cases every depot meets in its first week.

Over sockets: an unknown identity in `integration/site_agent`, a charger that goes offline in
`unit/site_agent/flows/test_bounds_held.py`.
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from gridyard.simulate.measure import Result
from gridyard.simulate.night import drawn
from support.simulated import case, group, run

SERVICE_W = 400 * 230 * 3.0


def held(result: Result) -> bool:
    return result.within_limit and result.nodes_over_s == 0


def test_forty_vehicles_plug_in_within_ten_seconds(tmp_path: Path) -> None:
    fleet = [
        group(
            count=40,
            departs=["20:10", "20:10"],
            arrival_soc_pct=[20, 28],
            required_soc_pct=30,
        )
    ]
    of = case(tmp_path, plugs=40, limit_w=150_000.0, hours=2.25, fleet=fleet)
    night = drawn(of, 1)
    at = night.begin + timedelta(minutes=5)
    visits = tuple(
        replace(one, arrives=at + timedelta(seconds=number * 0.25), expected=at)
        for number, one in enumerate(night.visits)
    )
    result = run(of, visits=visits)
    plugged = [stay.since for stay in result.stays]
    assert len(plugged) == 40
    assert max(plugged) - min(plugged) <= timedelta(seconds=10)
    assert result.demand_w <= 150_000, "no quarter of an hour above the limit"
    assert result.over_s <= 1.0, "who comes later waits until who came first has given way"
    assert result.peak_w < SERVICE_W
    assert result.nodes_over_s == 0
    assert result.demand_w > 120_000, "the limit was worth something"
    assert result.all_ready


def test_an_unknown_vehicle_is_charged_and_harms_nobody(tmp_path: Path) -> None:
    of = case(tmp_path, plugs=4, fleet=[group(count=4)])
    visits = drawn(of, 1).visits
    stranger = replace(visits[0], known=False)
    result = run(of, visits=(stranger, *visits[1:]))
    assert held(result)
    assert result.all_ready
    assert any(stay.vehicle_id == stranger.visit_id for stay in result.stays)


def test_a_charger_that_goes_offline_in_a_session_is_counted_and_the_rest_stay_inside(
    tmp_path: Path,
) -> None:
    offline = {"at": "19:00", "kind": "charger_offline", "for_min": 60, "evse": "p01"}
    of = case(tmp_path, limit_w=25_000.0, events=[offline])
    result, undisturbed = run(of), run(case(tmp_path, limit_w=25_000.0))
    assert held(result)
    assert result.all_ready
    first = next(stay for stay in result.stays if stay.evse_id == "p01")
    same = next(stay for stay in undisturbed.stays if stay.evse_id == "p01")
    assert first.vehicle_id == same.vehicle_id
    assert result.quarters_w != undisturbed.quarters_w


def test_who_ranks_first_is_ready_when_power_is_too_little_for_all(tmp_path: Path) -> None:
    fleet = [
        group(count=4, departs=["20:40", "20:40"], required_soc_pct=80, rank=5),
        group(
            name="first",
            count=1,
            arrives=["19:00", "19:00"],
            departs=["20:40", "20:40"],
            arrival_soc_pct=[50, 50],
            required_soc_pct=70,
        ),
    ]
    of = case(tmp_path, plugs=5, limit_w=25_000.0, fleet=fleet)
    result = run(of)
    ready = {left.vehicle_id for left in result.left if left.ready}
    assert "first-01" in ready
    assert not result.all_ready, "power was tight"
    assert held(result)
