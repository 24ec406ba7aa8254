"""Discovery by links, and what a change or nothing at all costs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.errors import TransientError
from contracts.sep2.resources import (
    DERProgramList,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignmentsList,
    ListLink,
    RejectedItem,
)
from gateway.utility.sep2.walk import is_whole
from support.sep2_finder import Finder, alter_device, finder, listed
from support.sep2_tree_server import NOW, Fleet, control, lfdi, settings


@pytest.mark.row("sep2:8", "sep2:11", "csip:P23", "csip:P25", "csip-test:CORE-010")
@pytest.mark.parametrize("prefix", ["", "/x7", "/a/b/c:1"])
async def test_everything_is_found_by_links_wherever_the_server_puts_it(prefix: str) -> None:
    found = finder(5, prefix=prefix, groups=4)
    view = await found.settle()
    assert set(view.devices) == {lfdi(n) for n in range(1, 6)}
    device = view.devices[lfdi(5)]
    assert device.href == f"{prefix}/edev/5"
    assert found.programs(5) == [f"{prefix}/prog/{n}" for n in ("feeder-1", "sub-0", "system")]
    first = device.programs[0]
    assert [one.href for one in first.controls] == [f"{prefix}/prog/feeder-1/derc/1"]
    assert first.default is not None
    assert device.der is not None
    assert device.der.capability == f"{prefix}/edev/5/der/1/dercap"
    assert device.der.status == f"{prefix}/edev/5/der/1/ders"
    assert device.der.poll_rate == timedelta(seconds=60)
    assert device.log_events == f"{prefix}/edev/5/lel"
    assert device.connection_point == f"{prefix}/edev/5/cp"
    assert view.mirror_usage_points == f"{prefix}/mup"
    assert found.discovery.time.synchronised


async def test_relative_links_are_read_in_their_document() -> None:
    found = finder(1)
    found.fleet.change("/dcap", end_device_list_link=ListLink(href="edev", all=2))
    alter_device(found.fleet, 1, function_set_assignments_list_link=ListLink(href="edev/1/fsa"))
    await found.settle()
    assert len(found.programs(1)) == 3


@pytest.mark.row("csip:P6")
@pytest.mark.parametrize("href", ["http://utility.example/edev/1/fsa", "https://evil.example/fsa"])
async def test_a_link_to_elsewhere_is_not_followed_and_harms_nothing(href: str) -> None:
    found = finder(2)
    alter_device(found.fleet, 1, function_set_assignments_list_link=ListLink(href=href))
    await found.settle()
    assert found.programs(1) == []
    assert len(found.programs(2)) == 3


@pytest.mark.row("sep2:39", "csip:P37")
async def test_the_budget_of_a_thousand_devices_with_their_own_program_lists() -> None:
    found = Finder(Fleet(1000, prefix="/x7"), settings(1000), direct=True)
    await found.settle()
    assert len(found.view.devices) == 1000
    assert found.fleet.requests / 1000 <= 4.2
    assert found.fleet.asked["/x7/prog/system/derc"] == 1, "shared by a thousand, read once"


@pytest.mark.row("sep2:39", "csip:P37")
async def test_the_budget_of_an_unchanged_poll_with_shared_program_lists() -> None:
    found = Finder(Fleet(1000, prefix="/x7", shared=True), settings(1000), direct=True)
    view = await found.settle()
    assert found.fleet.requests / 1000 <= 4.2
    for _ in range(4):
        before = found.fleet.requests
        assert await found.after(305) is view
        assert 0 < (found.fleet.requests - before) / 1000 <= 0.1


async def test_what_did_not_change_is_the_very_same_object() -> None:
    found = finder(4, groups=2)
    before = await found.settle()
    path = "/prog/feeder-1/derc"
    found.fleet.change(path, items=(control(f"{path}/1", 1), control(f"{path}/2", 2)))
    after = await found.after(305)
    assert after is not before
    changed, same = after.devices[lfdi(1)], after.devices[lfdi(2)]
    assert same is before.devices[lfdi(2)]
    assert len(changed.programs[0].controls) == 2
    assert changed.programs[1] is before.devices[lfdi(1)].programs[1]
    assert after.devices[lfdi(3)].programs[0] is changed.programs[0], "made once"


@pytest.mark.row("sep2:16", "csip:G6")
async def test_a_changed_default_is_seen_at_the_next_poll() -> None:
    found = finder(1)
    await found.settle()
    found.fleet.change("/prog/system/dderc", set_grad_w=77)
    view = await found.after(305)
    default = view.devices[lfdi(1)].programs[-1].default
    assert default is not None
    assert default.set_grad_w == 77


@pytest.mark.row("sep2:13", "csip:G5", "csip-test:BASIC-003", "csip-test:MAINT-003")
@pytest.mark.parametrize("shared", [False, True])
async def test_a_device_that_moves_takes_the_programs_of_its_new_group(*, shared: bool) -> None:
    found = finder(4, groups=4, shared=shared)
    await found.settle()
    still = found.view.devices[lfdi(2)]
    before = len(found.views)
    found.fleet.assign(1, 3)
    await found.after(3700)
    assert found.programs(1)[0] == "/prog/feeder-3"
    assert found.view.devices[lfdi(2)] is still
    steps = [[p.href for p in v.devices[lfdi(1)].programs] for v in found.views[before:]]
    assert all(len(step) == 3 for step in steps), "never without programs in between"


@pytest.mark.row("sep2:13")
async def test_a_changed_time_of_a_device_has_its_groups_read_at_once() -> None:
    found = finder(4, groups=4)
    await found.settle()
    found.fleet.assign(1, 3)
    alter_device(found.fleet, 1, changed_time=NOW + timedelta(hours=1))
    fsa_reads = sum(n for path, n in found.fleet.asked.items() if path.endswith("/fsa"))
    await found.after(905)  # the EndDeviceList is due, FSA lists are not
    assert found.programs(1)[0] == "/prog/feeder-3"
    assert sum(n for p, n in found.fleet.asked.items() if p.endswith("/fsa")) == fsa_reads + 1


@pytest.mark.row("sep2:13")
async def test_a_program_that_is_gone_has_the_list_above_it_read_at_once() -> None:
    found = finder(1)
    await found.settle()
    for name in ("derc", "dderc"):
        found.fleet.status[f"/prog/feeder-1/{name}"] = 404
    programs = "/edev/1/fsa/1/derp"
    have = found.fleet.resources[programs]
    assert isinstance(have, DERProgramList)
    asked = found.fleet.asked[programs]
    found.fleet.change(programs, items=have.items[:2], poll_rate=timedelta(seconds=900))
    await found.after(305)
    assert found.fleet.asked[programs] > asked
    assert "/prog/feeder-1" not in found.programs(1)


@pytest.mark.row("csip-test:MAINT-001")
async def test_a_deleted_or_disabled_device_vanishes() -> None:
    found = finder(3)
    await found.settle()
    items = [one for one in listed(found.fleet, "/edev").items if one.href != "/edev/2"]
    found.fleet.change("/edev", items=tuple(items))
    alter_device(found.fleet, 3, enabled=False)
    view = await found.after(905)
    assert set(view.devices) == {lfdi(1)}
    assert "2 not listed by the server, for example depot-2" in found.discovery.detail


async def test_what_is_not_there_for_certain_is_told_from_what_has_not_been_read() -> None:
    found = finder(4)
    found.fleet.status["/edev/2/fsa"] = 500
    found.fleet.change("/edev/3/rg", pin=123455)
    items = [one for one in listed(found.fleet, "/edev").items if one.href != "/edev/4"]
    found.fleet.change("/edev", items=tuple(items))
    view = await found.settle()
    assert set(view.devices) == {lfdi(1)}
    assert view.absent == {lfdi(3), lfdi(4)}
    assert all(not one.absent & {lfdi(1), lfdi(2)} for one in found.views)


@pytest.mark.parametrize("status", [403, 404, 500, 503])
async def test_a_list_that_cannot_be_read_proves_nothing(status: int) -> None:
    found = finder(2)
    found.fleet.status["/edev"] = status
    with suppress(TransientError):
        await found.settle()
    assert found.view.absent == frozenset()


def test_a_list_that_shows_less_than_it_promises_proves_nothing() -> None:
    spoiled = RejectedItem(reason="unreadable", href="/edev/2", mrid=None, reply_to=None)
    whole = EndDeviceList(all=1, results=1, items=(EndDevice(lfdi=lfdi(1)),))
    assert is_whole(whole)
    assert is_whole(EndDeviceList())
    assert not is_whole(replace(whole, all=2))
    assert not is_whole(replace(whole, rejected=(spoiled,)))


@pytest.mark.row("sep2:39", "csip:P37", "csip-test:CORE-003")
async def test_a_poll_rate_that_changes_is_obeyed_at_once() -> None:
    found = finder(1)
    await found.settle()
    programs = "/edev/1/fsa/1/derp"
    found.fleet.change(programs, poll_rate=timedelta(seconds=60))
    await found.after(305)
    asked = dict(found.fleet.asked)
    for _ in range(10):
        await found.after(61)
    assert found.fleet.asked[programs] - asked[programs] == 10
    assert found.fleet.asked["/prog/system/derc"] - asked["/prog/system/derc"] == 10, "below it"
    found.fleet.change(programs, poll_rate=timedelta(seconds=86_400))
    await found.after(61)
    asked = dict(found.fleet.asked)
    for _ in range(6):
        await found.after(301)
    assert found.fleet.asked["/prog/system/derc"] - asked["/prog/system/derc"] == 2, (
        "events at least every 15 min"
    )


async def test_an_override_of_the_poll_rate() -> None:
    found = finder(1, poll_s=5.0)
    await found.settle()
    before = dict(found.fleet.asked)
    for _ in range(4):
        await found.after(5.1)
    for path in ("/dcap", "/edev", "/edev/1/fsa", "/edev/1/fsa/1/derp", "/prog/system/dderc"):
        assert found.fleet.asked[path] - before[path] == 4, path
    assert found.fleet.asked["/edev/1/rg"] == 5
    assert found.fleet.asked["/edev/1"] == 0
    assert found.fleet.asked["/tm"] == 1, "the time has a rhythm of its own"


@pytest.mark.row("csip:P27", "csip-test:CORE-011")
async def test_fifteen_assignments_and_programs_listed_twice() -> None:
    found = finder(1, groups=4)
    fsa = found.fleet.resources["/edev/1/fsa"]
    assert isinstance(fsa, FunctionSetAssignmentsList)
    one = fsa.items[0]
    items = [replace(one, href=f"/edev/1/fsa/{n}", mrid=f"{n:032X}") for n in range(15)]
    items[3] = replace(items[3], der_program_list_link=None)
    extra = found.fleet.program_list(2)
    found.fleet.resources["/extra"] = extra
    items[9] = replace(items[9], der_program_list_link=ListLink(href="/extra"))
    found.fleet.change("/edev/1/fsa", items=tuple(items))
    await found.settle()
    assert found.programs(1) == [
        "/prog/feeder-1",
        "/prog/feeder-2",
        "/prog/sub-0",
        "/prog/system",
    ]
    assert found.fleet.asked["/edev/1/fsa/1/derp"] == 1


@pytest.mark.row("csip-test:CORE-011")
async def test_programs_of_one_primacy_stand_by_mrid() -> None:
    found = finder(1)
    programs = found.fleet.resources["/edev/1/fsa/1/derp"]
    assert isinstance(programs, DERProgramList)
    items = tuple(replace(one, primacy=2) for one in programs.items)
    found.fleet.change("/edev/1/fsa/1/derp", items=items)
    view = await found.settle()
    mrids = [one.program.canonical_mrid for one in view.devices[lfdi(1)].programs]
    assert mrids == sorted(mrids)
    assert len(mrids) == 3


@pytest.mark.row("sep2:7", "csip-test:BASIC-001")
async def test_a_wrong_pin_has_the_device_left_alone() -> None:
    found = finder(2, groups=2)
    found.fleet.change("/edev/1/rg", pin=123455)
    view = await found.settle()
    assert set(view.devices) == {lfdi(2)}
    assert "PIN" in found.discovery.detail
    assert "123455" not in found.discovery.detail
    assert found.fleet.asked["/edev/1/fsa"] == 0
    found.fleet.change("/edev/1/rg", pin=111115)
    alter_device(found.fleet, 1, changed_time=NOW + timedelta(hours=1))
    assert set((await found.after(905)).devices) == {lfdi(1), lfdi(2)}


@pytest.mark.row("sep2:7")
async def test_a_registration_that_is_missing_is_tolerated() -> None:
    found = finder(2)
    alter_device(found.fleet, 1, registration_link=None)
    found.fleet.status["/edev/2/rg"] = 404
    assert set((await found.settle()).devices) == {lfdi(1), lfdi(2)}


async def test_a_registration_that_cannot_be_read_yet_is_waited_for() -> None:
    found = finder(1)
    found.fleet.status["/edev/1/rg"] = 500
    for _ in range(10):
        assert (await found.after(60)).devices == {}
    del found.fleet.status["/edev/1/rg"]
    assert set((await found.after(910)).devices) == {lfdi(1)}


async def test_without_a_pin_of_ours_registrations_are_not_asked_for() -> None:
    plain = settings(1)
    device = plain.devices[0].model_copy(update={"pin": None})
    found = Finder(Fleet(1), plain.model_copy(update={"devices": (device,)}))
    await found.settle()
    assert found.fleet.asked["/edev/1/rg"] == 0
    assert set(found.view.devices) == {lfdi(1)}


async def test_devices_of_others_are_not_walked() -> None:
    found = Finder(Fleet(20), settings(2))
    await found.settle()
    assert set(found.view.devices) == {lfdi(1), lfdi(2)}
    assert found.fleet.asked["/edev/3/fsa"] == 0


@pytest.mark.row("sep2:10")
async def test_the_time_of_an_assignment_serves_where_the_entry_has_none() -> None:
    found = finder(1)
    found.fleet.change("/dcap", time_link=None)
    await found.settle()
    await found.settle()
    assert found.discovery.time.synchronised


async def test_every_device_is_asked_for_by_itself_within_two_days() -> None:
    """The server may forget an EndDevice nobody has touched for 72 h (8.5.3)."""
    found = finder(2)
    found.fleet.resources["/edev/1"] = listed(found.fleet, "/edev").items[1]
    await found.settle()
    assert found.fleet.asked["/edev/1"] == 0
    for _ in range(49):
        await found.after(3600)
    assert found.fleet.asked["/edev/1"] == 2
    assert found.fleet.asked["/edev/2"] == 2, "not more often where it cannot be had"
    assert found.discovery.detail == "2 of 2 devices"


async def test_memory_is_flat_over_many_polls() -> None:
    found = Finder(Fleet(10, groups=4, shared=True), settings(10), direct=True)
    await found.settle()
    tree = found.discovery._tree
    size = len(tree)
    path = "/prog/feeder-1/derc"
    for turn in range(300):
        found.fleet.assign(1 + turn % 10, turn % 4)
        found.fleet.change(path, items=(control(f"{path}/{turn}", turn),))
        await found.after(901)
    assert len(tree) <= size + 3
    assert len(found.discovery._walk._unchanged) == 10
