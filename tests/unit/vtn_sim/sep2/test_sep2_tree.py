"""What clients find in the tree: devices, groups, programs, controls; who may see them; pages."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from contracts.identity import sfdi
from contracts.sep2.codes import EventState
from contracts.sep2.resources import (
    ConnectionPoint,
    DefaultDERControl,
    DERControlList,
    DERCurve,
    DERCurveList,
    DERProgramList,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignmentsList,
    Registration,
    Resource,
    Scaled,
    Time,
)
from contracts.testing import FakeClock
from support.sep2_world import AGGREGATOR, OTHER_AGGREGATOR, SETTINGS, World, lfdi_of
from vtn_sim.sep2.paging import Page

MakeWorld = Callable[..., World]
TWO_CLIENTS = [{"name": "agg", "lfdi": AGGREGATOR}, {"name": "other", "lfdi": OTHER_AGGREGATOR}]


def devices(world: World) -> EndDeviceList:
    entry = world.get(world.utility.hrefs.entry, DeviceCapability)
    assert entry.end_device_list_link is not None
    return world.get(entry.end_device_list_link.href, EndDeviceList, "?l=255")


def device(world: World, number: int) -> EndDevice:
    return next(d for d in devices(world).items if d.lfdi == lfdi_of(number))


def programs(world: World, number: int) -> list[DERProgramList]:
    link = device(world, number).function_set_assignments_list_link
    assert link is not None
    fsas = world.get(link.href, FunctionSetAssignmentsList, "?l=15")
    links = [fsa.der_program_list_link for fsa in fsas.items]
    return [world.get(link.href, DERProgramList, "?l=15") for link in links if link]


def controls_of(world: World, name: str) -> DERControlList:
    for program in (p for listed in programs(world, 1) for p in listed.items):
        if program.primacy == world.utility.groups.programs.get(name).primacy:
            link = program.der_control_list_link
            assert link is not None
            return world.get(link.href, DERControlList, "?l=255")
    raise AssertionError(name)


# --- devices -------------------------------------------------------------------------------------


def test_an_aggregator_sees_itself_and_its_devices_by_change_and_sfdi(world: World) -> None:
    listed = devices(world)
    assert listed.all == listed.results == 3
    assert [d.sfdi for d in listed.items] == sorted(d.sfdi or 0 for d in listed.items)
    own = next(d for d in listed.items if d.lfdi == AGGREGATOR)
    assert own.subscription_list_link
    assert own.function_set_assignments_list_link is None
    assert device(world, 1).der_list_link
    assert device(world, 1).subscription_list_link is None


async def test_a_changed_device_comes_first(world: World, clock: FakeClock) -> None:
    await clock.advance(5)
    world.act("set-pin", device="one", pin=999_999)
    assert devices(world).items[0].lfdi == lfdi_of(1)


def test_pins_are_in_the_registration(world: World) -> None:
    link = device(world, 2).registration_link
    assert link
    assert world.get(link.href, Registration).pin == 222_222


def test_another_clients_devices_do_not_exist(make_world: MakeWorld) -> None:
    world = make_world(
        aggregators=TWO_CLIENTS,
        devices=[
            {"lfdi": lfdi_of(1), "label": "one", "fsas": ["wide"]},
            {"lfdi": lfdi_of(2), "label": "two", "aggregator": "other", "fsas": ["narrow"]},
        ],
    )
    other = world.client_of(OTHER_AGGREGATOR)
    assert {d.lfdi for d in devices(world).items} == {AGGREGATOR, lfdi_of(1)}

    mine = device(world, 1).href or ""
    assert world.status("GET", mine, client=other) == 404
    assert world.status("PUT", mine + "/der/1/ders", client=other) == 404
    assert world.status("POST", mine + "/lel", client=other) == 404
    theirs = world.utility.hrefs.program(world.utility.hrefs.prefix, 2)
    assert world.status("GET", theirs) == 404
    assert world.status("GET", theirs, client=other) == 200


def test_a_device_with_a_certificate_of_its_own_sees_itself_alone(make_world: MakeWorld) -> None:
    devices = [{"lfdi": lfdi_of(7), "direct": True, "fsas": ["narrow"]}]
    world = make_world(devices=devices)
    own = world.client_of(lfdi_of(7))
    listed = world.get(world.utility.hrefs.devices, EndDeviceList, "?l=9", client=own)
    assert [d.lfdi for d in listed.items] == [lfdi_of(7)]
    assert listed.items[0].subscription_list_link
    assert world.utility.devices.client(lfdi_of(8)) is None


def test_in_band_registration(make_world: MakeWorld) -> None:
    unlisted = {"lfdi": lfdi_of(3), "label": "three", "registered": False}
    world = make_world(devices=[*SETTINGS["devices"], unlisted])
    listed = world.utility.hrefs.devices
    new = EndDevice(lfdi=lfdi_of(3), sfdi=sfdi(lfdi_of(3)), changed_time=world.utility.now())
    assert lfdi_of(3) not in {d.lfdi for d in devices(world).items}

    location = world.post(listed, new)
    assert world.get(location, EndDevice).lfdi == lfdi_of(3)
    assert lfdi_of(3) in {d.lfdi for d in devices(world).items}
    assert ("EndDeviceList", "") in world.topics
    assert world.status("POST", listed, new) == 409


@pytest.mark.parametrize(("in_band", "wanted"), [("off", 403), ("known", 403), ("any", 201)])
def test_who_may_register_an_unknown_device(
    make_world: MakeWorld, in_band: str, wanted: int
) -> None:
    world = make_world(in_band=in_band, in_band_fsas=["wide"])
    new = EndDevice(lfdi=lfdi_of(9), sfdi=sfdi(lfdi_of(9)), changed_time=world.utility.now())
    assert world.status("POST", world.utility.hrefs.devices, new) == wanted
    if wanted == 201:
        assert device(world, 9).function_set_assignments_list_link


def test_an_sfdi_that_does_not_fit_is_refused(make_world: MakeWorld) -> None:
    world = make_world(in_band="any")
    new = EndDevice(lfdi=lfdi_of(9), sfdi=sfdi(lfdi_of(8)), changed_time=world.utility.now())
    assert world.status("POST", world.utility.hrefs.devices, new) == 400


def test_another_clients_device_cannot_be_registered(make_world: MakeWorld) -> None:
    theirs = {"lfdi": lfdi_of(3), "aggregator": "other", "registered": False}
    world = make_world(aggregators=TWO_CLIENTS, devices=[theirs])
    new = EndDevice(lfdi=lfdi_of(3), sfdi=sfdi(lfdi_of(3)), changed_time=world.utility.now())
    assert world.status("POST", world.utility.hrefs.devices, new) == 403


async def test_a_device_shows_that_it_lives_by_put(world: World, clock: FakeClock) -> None:
    await clock.advance(60)
    one = device(world, 1)
    changed = EndDevice(
        lfdi=one.lfdi, sfdi=one.sfdi, changed_time=one.changed_time, device_category=512
    )
    assert world.status("PUT", one.href or "", changed) == 204
    assert device(world, 1).device_category == 512
    assert device(world, 1).changed_time == world.utility.now()


def test_a_deleted_device_is_gone_and_told(world: World) -> None:
    href = device(world, 1).href or ""
    world.act("delete-device", device="one")
    assert world.status("GET", href) == 404
    assert len(devices(world).items) == 2
    assert ("EndDeviceList", "") in world.topics


def test_the_connection_point_is_australian(world: World, make_world: MakeWorld) -> None:
    link = device(world, 1).connection_point_link
    assert link
    assert world.status("GET", link.href) == 404
    assert world.status("PUT", link.href, ConnectionPoint(connection_point_id="NMI1")) == 204
    assert world.get(link.href, ConnectionPoint).connection_point_id == "NMI1"
    plain = make_world(csipaus=None, programs=[], fsas=[], devices=[{"lfdi": lfdi_of(1)}])
    assert device(plain, 1).connection_point_link is None


# --- time ----------------------------------------------------------------------------------------


def test_the_clock_can_be_wrong(world: World, clock: FakeClock) -> None:
    world.act("shift-clock", seconds=-90)
    told = world.get(world.utility.hrefs.time, Time)
    assert told.current_time == clock.now() - timedelta(seconds=90)
    assert told.quality == 7


def test_local_time_is_that_of_the_place(make_world: MakeWorld) -> None:
    told = make_world(time_zone="America/Los_Angeles").utility
    world = make_world(time_zone="America/Los_Angeles")
    time_now = world.get(world.utility.hrefs.time, Time)
    assert told.settings.time_zone.key == "America/Los_Angeles"
    assert time_now.tz_offset == timedelta(hours=-8)
    assert time_now.local_time
    assert time_now.local_time - time_now.current_time == timedelta(hours=-8)


# --- programs and controls -----------------------------------------------------------------------


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


# --- pages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "shown"),
    [("", 1), ("?l=0", 0), ("?l=2", 2), ("?s=1&l=5", 2), ("?s=9&l=5", 0), ("?s=2", 1)],
)
def test_pages(world: World, query: str, shown: int) -> None:
    listed = world.get(world.utility.hrefs.devices, EndDeviceList, query)
    assert (listed.all, listed.results, len(listed.items)) == (3, shown, shown)


@pytest.mark.parametrize("query", ["?s=-1", "?l=x", "?a=99999999999999", "?l=1_0", "?l="])
def test_pages_that_are_none(world: World, query: str) -> None:
    with pytest.raises(Exception, match="is no number"):
        world.get(world.utility.hrefs.devices, EndDeviceList, query)


def test_the_server_decides_how_long_a_page_is(make_world: MakeWorld) -> None:
    world = make_world(max_items=2)
    listed = world.get(world.utility.hrefs.devices, EndDeviceList, "?l=255")
    assert (listed.all, listed.results) == (3, 2)


def test_after_a_time_in_lists_that_have_one(world: World) -> None:
    for start in (60, 120, 180):
        world.act(
            "add-control",
            program="narrow",
            start_in_s=start,
            duration_s=10,
            modes={"opModImpLimW": start},
        )
    listed = controls_of(world, "narrow")
    first = int(listed.items[0].interval.start.timestamp())
    later = world.get(listed.href, DERControlList, f"?l=9&a={first}")
    assert [c.mrid for c in later.items] == [c.mrid for c in listed.items[1:]]


def test_poll_rates_are_told_and_can_be_changed(make_world: MakeWorld) -> None:
    world = make_world(poll_rates={"EndDeviceList": 300}, poll_rate_s=60)
    assert devices(world).poll_rate == timedelta(seconds=300)
    assert programs(world, 1)[0].poll_rate == timedelta(seconds=60)
    world.act("set-poll-rate", kind="EndDeviceList", seconds=5)
    world.act("set-poll-rate", kind="*", seconds=7)
    assert devices(world).poll_rate == timedelta(seconds=5)
    assert programs(world, 1)[0].poll_rate == timedelta(seconds=7)


def test_an_endless_list_grows(world: World) -> None:
    href = world.utility.hrefs.devices
    for start in (0, 50):
        resource: Resource = world.tree.read(
            world.client, href, Page(start=start, limit=50), endless=True
        )
        assert isinstance(resource, EndDeviceList)
        assert resource.all == start + 1050
        assert len(resource.items) == 50


# --- what is not there ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/edev", "/dcap/x", "{p}", "{p}/", "{p}/edev/0", "{p}/edev/x", "{p}/derp//derc", "/"]
)
def test_nothing_is_anywhere_else(world: World, path: str) -> None:
    assert world.status("GET", path.format(p=world.utility.hrefs.prefix)) == 404


def test_methods_that_are_not_allowed(world: World) -> None:
    hrefs = world.utility.hrefs
    assert world.status("POST", hrefs.time) == 405
    assert world.status("DELETE", hrefs.devices) == 405
    assert world.status("PUT", hrefs.entry) == 405


def test_nonsense_is_refused_with_an_error(world: World) -> None:
    for body in (b"", b"<x", b"<EndDevice xmlns='urn:ieee:std:2030.5:ns'/>", b"\xff"):
        assert world.status("POST", world.utility.hrefs.devices, body) == 400


def test_a_thousand_devices_are_listed_in_milliseconds(make_world: MakeWorld) -> None:
    many = [{"lfdi": lfdi_of(n + 1), "fsas": ["wide", "narrow"]} for n in range(1000)]
    world = make_world(devices=many)
    href = world.utility.hrefs.devices
    assert world.get(href, EndDeviceList, "?l=50").all == 1001
    took = []
    for start in range(0, 1000, 50):
        begun = time.process_time()
        answer = world.answer("GET", f"{href}?s={start}&l=50")
        took.append(time.process_time() - begun)
        assert answer.status == 200
    assert sorted(took)[len(took) // 2] < 0.2
