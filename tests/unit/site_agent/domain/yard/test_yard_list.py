"""Who plugs in where and when to swap."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from site_agent.domain.horizon import Horizon
from site_agent.domain.yard.model import Plug, YardList, YardPolicy, YardVehicle
from site_agent.domain.yard.planning import yard_list
from support.site import NOON

HOUR = timedelta(hours=1)
AC = [Plug(evse_id="ac-1", power_w=7_000.0), Plug(evse_id="ac-2", power_w=7_000.0)]
DC = Plug(evse_id="dc-1", power_w=50_000.0, dc=True)


def van(
    name: str, arrives: float, departs: float, kwh: float, at: str | None = None
) -> YardVehicle:
    return YardVehicle(
        vehicle_id=name,
        arrives=NOON + arrives * HOUR,
        departs=NOON + departs * HOUR,
        required_wh=kwh * 1000,
        ac_w=7_000.0,
        dc_w=50_000.0,
        at=at,
    )


def made(vehicles: Iterable[YardVehicle], plugs: list[Plug], site_w: float = 1e6) -> YardList:
    horizon = Horizon.around(NOON, 24 * HOUR)
    return yard_list(tuple(vehicles), plugs, horizon, horizon.filled(site_w), NOON)


def test_with_plugs_enough_everybody_plugs_in_on_arrival_and_stays() -> None:
    listed = made([van("a", 1, 12, 20), van("b", 2, 12, 20)], AC)
    assert {(m.vehicle_id, m.at) for m in listed.moves} == {
        ("a", NOON + HOUR),
        ("b", NOON + 2 * HOUR),
    }
    assert len({stay.evse_id for stay in listed.stays}) == 2
    assert not any(stay.swapped for stay in listed.stays)
    assert not listed.short_wh


def test_two_share_one_plug_with_a_swap_that_survives_people_being_late() -> None:
    policy = YardPolicy()
    listed = made([van("a", 0, 14, 14), van("b", 0.1, 14, 28)], AC[:1])
    first, second = listed.stays
    assert (first.vehicle_id, second.vehicle_id) == ("a", "b")
    assert first.swapped
    assert not second.swapped
    assert first.since + 2 * HOUR < first.until, "time to charge at full power"
    out, into = listed.moves[-2:]
    assert (out.vehicle_id, out.from_evse, out.to_evse) == ("a", "ac-1", None)
    assert (into.vehicle_id, into.from_evse, into.to_evse) == ("b", None, "ac-1")
    assert into.at == out.at + policy.swap
    full_b = timedelta(hours=28 / 7)
    assert out.by + policy.swap + policy.slack + full_b <= NOON + 14 * HOUR
    assert "b needs the plug" in out.why


def test_a_vehicle_in_a_hurry_gets_the_fast_plug_and_the_others_leave_it_alone() -> None:
    vans = [van("slow-1", 0, 14, 30), van("slow-2", 0, 14, 30), van("fast", 2, 4, 40)]
    listed = made(vans, [*AC, DC])
    where = {stay.vehicle_id: stay.evse_id for stay in listed.stays}
    assert where["fast"] == "dc-1"
    assert where["slow-1"].startswith("ac")
    assert where["slow-2"].startswith("ac")


def test_who_is_plugged_in_stays_where_it_is() -> None:
    vans = [van("b", -1, 14, 30, at="ac-2"), van("a", 0, 14, 30)]
    listed = made(vans, AC)
    assert [(m.vehicle_id, m.to_evse) for m in listed.moves] == [("a", "ac-1")]


def test_a_charged_vehicle_makes_room_at_once() -> None:
    listed = made([van("full", -5, 14, 0, at="ac-1"), van("empty", 0, 5, 30)], AC[:1])
    out, into = listed.moves
    assert out.vehicle_id == "full"
    assert into.vehicle_id == "empty"
    assert not listed.short_wh


def test_what_cannot_be_is_told() -> None:
    listed = made([van("late", 0, 1, 60)], AC)
    assert listed.short_wh["late"] > 50_000
    nowhere = YardVehicle(
        vehicle_id="ccs-only",
        arrives=NOON,
        departs=NOON + HOUR,
        required_wh=1000.0,
        ac_w=0.0,
        dc_w=50_000.0,
    )
    assert made([nowhere], AC).without == ("ccs-only",)


def test_the_sites_power_is_counted_not_only_plugs() -> None:
    vans = [van("a", 0, 4, 20), van("b", 0, 4, 20)]
    assert not made(vans, AC, site_w=14_000.0).short_wh
    assert sum(made(vans, AC, site_w=7_000.0).short_wh.values()) > 10_000


def test_words_tell_times_on_the_yards_clock() -> None:
    horizon = Horizon.around(NOON, 24 * HOUR)
    policy = YardPolicy(zone=ZoneInfo("Europe/Berlin"))
    listed = yard_list([van("a", 0, 6, 20)], AC, horizon, horizon.filled(1e6), NOON, policy)
    assert listed.moves[0].why == "leaves 19:00 with 20 kWh more"


vans = st.builds(
    lambda i, arrives, stay, kwh: van(f"v{i}", arrives, arrives + stay, kwh),
    st.integers(0, 99),
    st.floats(0, 8),
    st.floats(0.5, 14),
    st.floats(0, 60),
)


@given(found=st.lists(vans, max_size=12, unique_by=lambda one: one.vehicle_id))
@settings(max_examples=60, deadline=None)
def test_no_plug_is_promised_twice_and_nobody_is_moved_twice(found: list[YardVehicle]) -> None:
    listed = made(found, [*AC, DC])
    by_plug = defaultdict(list)
    for stay in listed.stays:
        by_plug[stay.evse_id].append(stay)
    for stays in by_plug.values():
        for before, after in pairwise(stays):
            assert before.until <= after.since
    names = [stay.vehicle_id for stay in listed.stays]
    assert len(names) == len(set(names))
    plugged = [move.vehicle_id for move in listed.moves if move.to_evse is not None]
    assert len(plugged) == len(set(plugged))
    of = {one.vehicle_id: one for one in found}
    assert all(stay.since >= of[stay.vehicle_id].arrives for stay in listed.stays)
