"""Groups, programs, controls, defaults and curves as clients find them in the tree."""

from __future__ import annotations

from datetime import timedelta

from contracts.sep2.codes import EventState
from contracts.sep2.resources import (
    DefaultDERControl,
    DERControlList,
    DERCurve,
    DERCurveList,
    Scaled,
)
from contracts.testing import FakeClock
from support.sep2_walk import MakeWorld, controls_of, programs
from support.sep2_world import World


def test_groups_lead_to_programs(world: World) -> None:
    assert sorted(p.primacy for listed in programs(world, 1) for p in listed.items) == [1, 5]
    assert [p.primacy for listed in programs(world, 2) for p in listed.items] == [5]


def test_programs_come_by_primacy_then_mrid(make_world: MakeWorld) -> None:
    ranks = [7, 1, 7, 3, 1, 7]
    names = [f"p{n}" for n in range(len(ranks))]
    world = make_world(
        programs=[{"name": n, "primacy": p} for n, p in zip(names, ranks, strict=True)],
        fsas=[{"name": "wide", "programs": names}, {"name": "narrow"}],
    )
    listed = next(p for p in programs(world, 1) if p.items)
    keys = [(p.primacy, -int(p.mrid or "", 16)) for p in listed.items]
    assert keys == sorted(keys)


def test_mrids_of_programs_survive_a_restart_and_addresses_do_not(make_world: MakeWorld) -> None:
    first, second = make_world(), make_world()
    mrids = [[p.mrid for listed in programs(w, 1) for p in listed.items] for w in (first, second)]
    hrefs = [{p.href for listed in programs(w, 1) for p in listed.items} for w in (first, second)]
    assert mrids[0] == mrids[1]
    assert not hrefs[0] & hrefs[1]
    assert all((mrid or "").endswith("00007ED9") for mrid in mrids[0])


def test_a_control_as_it_is_asked_for(world: World, clock: FakeClock) -> None:
    asked = world.act(
        "add-control",
        program="narrow",
        name="evening",
        start_in_s=60,
        duration_s=300,
        modes={"opModImpLimW": 150_000, "opModMaxLimW": 95.0},
        randomize_start_s=-10,
        ramp_s=2.5,
    )
    (control,) = controls_of(world, "narrow").items
    assert control.mrid == asked["mrid"]
    assert control.interval.start == clock.now() + timedelta(seconds=60)
    assert control.interval.duration == timedelta(seconds=300)
    assert control.randomize_start == timedelta(seconds=-10)
    assert control.response_required == 3
    assert control.reply_to
    base = control.der_control_base
    assert base.modes == {
        "opModImpLimW": Scaled(multiplier=1, value=15_000),
        "opModMaxLimW": 9_500,
    }
    assert base.ramp_tms == timedelta(seconds=2.5)


async def test_the_active_list_holds_what_runs(world: World, clock: FakeClock) -> None:
    world.act(
        "add-control", program="narrow", start_in_s=60, duration_s=60, modes={"opModImpLimW": 1}
    )
    program = next(p for listed in programs(world, 1) for p in listed.items if p.primacy == 1)
    assert program.active_der_control_list_link
    href = program.active_der_control_list_link.href
    assert world.get(href, DERControlList, "?l=9").items == ()
    await clock.advance(60)
    (running,) = world.get(href, DERControlList, "?l=9").items
    assert running.event_status.current_status == EventState.ACTIVE
    await clock.advance(60)
    assert world.get(href, DERControlList, "?l=9").all == 0


async def test_a_cancelled_control_says_so(world: World, clock: FakeClock) -> None:
    world.act(
        "add-control",
        program="narrow",
        name="c",
        start_in_s=0,
        duration_s=60,
        modes={"opModImpLimW": 1},
    )
    await clock.advance(10)
    world.act("cancel-event", event="c", randomized=True)
    (control,) = controls_of(world, "narrow").items
    assert control.event_status.current_status == EventState.CANCELLED_WITH_RANDOMIZATION
    assert control.event_status.date_time == clock.now()
    assert control.creation_time == clock.now() - timedelta(seconds=10)


def test_the_default_can_be_changed_and_taken_away(world: World) -> None:
    program = next(p for listed in programs(world, 2) for p in listed.items)
    assert program.default_der_control_link
    href = program.default_der_control_link.href
    before = world.get(href, DefaultDERControl)
    world.act("set-default", program="wide", default={"modes": {"opModExpLimW": 0}})
    after = world.get(href, DefaultDERControl)
    assert after.mrid == before.mrid
    assert after.version == 1
    assert set(after.der_control_base.modes) == {"opModExpLimW"}
    assert ("DefaultDERControl", "1") in world.topics

    world.act("set-default", program="wide", default=None)
    assert world.status("GET", href) == 404
    assert programs(world, 2)[0].items[0].default_der_control_link is None


def test_curves_are_linked_from_controls(make_world: MakeWorld) -> None:
    curve = {
        "name": "vv",
        "mode": "opModVoltVar",
        "points": [[92, 44], [98, 0], [102, 0], [108, -44]],
        "y_ref": 3,
    }
    programs_ = [
        {"name": "wide", "primacy": 1, "curves": [curve]},
        {"name": "narrow", "primacy": 2},
    ]
    world = make_world(programs=programs_)
    world.act(
        "add-control", program="wide", start_in_s=0, duration_s=60, modes={"opModVoltVar": "vv"}
    )
    (control,) = controls_of(world, "wide").items
    link = control.der_control_base.modes["opModVoltVar"]
    found = world.get(getattr(link, "href", None), DERCurve)
    assert found.curve_type == 11
    assert [(p.x_value, p.y_value) for p in found.curve_data][-1] == (108, -44)
    listed = (found.href or "").rpartition("/")[0]
    assert world.get(listed, DERCurveList).items[0].mrid == found.mrid

    world.act("set-curve", program="wide", curve=curve | {"points": [[92, 30], [108, -30]]})
    changed = world.get(found.href, DERCurve)
    assert (changed.mrid, changed.creation_time) == (found.mrid, found.creation_time)
    assert [(p.x_value, p.y_value) for p in changed.curve_data] == [(92, 30), (108, -30)]
    assert world.get(listed, DERCurveList).items == (changed,)


def test_moving_a_device_changes_its_groups(world: World) -> None:
    world.act("move-device", device="one", fsas=["wide"])
    assert [p.primacy for listed in programs(world, 1) for p in listed.items] == [5]
    number = str(world.utility.devices.get("one").number)
    assert ("FunctionSetAssignmentsList", number) in world.topics
    hidden = world.utility.hrefs.program(world.utility.hrefs.prefix, 2)
    assert world.status("GET", hidden) == 404


def test_primacies_are_swapped_at_once(world: World) -> None:
    world.act("set-primacy", primacies={"wide": 1, "narrow": 5})
    assert [p.primacy for listed in programs(world, 2) for p in listed.items] == [1]
    assert {("DERProgram", "1"), ("DERProgram", "2")} <= set(world.topics)
