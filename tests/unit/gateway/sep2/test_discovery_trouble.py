"""Discovery at a server that hides, breaks, hangs or is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.errors import LinkDownError, TransientError
from contracts.sep2.resources import (
    DERControlList,
    FunctionSetAssignmentsList,
    RejectedItem,
    Resource,
)
from gateway.utility.sep2.view import EMPTY
from support.sep2_finder import finder
from support.sep2_tree_server import control, lfdi


@pytest.mark.row("sep2:9", "csip:P4")
@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("branch", ["/edev/1/fsa", "/edev/1/der", "/prog/feeder-1/dderc"])
async def test_a_branch_that_is_not_there_for_us_leaves_the_others_alone(
    branch: str, status: int
) -> None:
    found = finder(2, groups=2)
    found.fleet.status[branch] = status
    view = await found.settle()
    assert set(view.devices) == {lfdi(1), lfdi(2)}
    other = view.devices[lfdi(2)]
    assert len(other.programs) == 3
    assert other.der is not None
    device = view.devices[lfdi(1)]
    match branch.rsplit("/", 1)[1]:
        case "fsa":
            assert device.programs == ()
        case "der":
            assert device.der is None
        case _:
            assert device.programs[0].default is None
            assert device.programs[0].controls != ()
    del found.fleet.status[branch]
    assert (await found.after(910)).devices[lfdi(1)] != device, "asked again, slowly"


@pytest.mark.row("sep2:9")
@pytest.mark.parametrize("path", ["/dcap", "/edev"])
async def test_not_enrolled_yet_is_waited_for(path: str) -> None:
    found = finder(1)
    found.fleet.status[path] = 403
    assert await found.settle() is EMPTY
    assert not found.discovery.settled
    assert "not enrolled yet" in found.discovery.detail
    for _ in range(20):
        await found.after(60)
    assert found.fleet.asked[path] <= 1 + 20 * 60 / 300
    del found.fleet.status[path]
    assert set((await found.after(910)).devices) == {lfdi(1)}


@pytest.mark.row("sep2:42")
@pytest.mark.parametrize("path", ["/dcap", "/edev"])
@pytest.mark.parametrize("status", [404, 500])
async def test_devices_stay_while_the_way_to_them_is_broken(path: str, status: int) -> None:
    found = finder(2)
    view = await found.settle()
    found.fleet.status[path] = status
    for _ in range(30):
        assert await found.after(120) is view


async def test_a_device_waits_until_all_that_binds_it_has_been_read() -> None:
    """Shown without a program it would be let loose."""
    found = finder(2, groups=2)
    found.fleet.status["/prog/feeder-1/derc"] = 500
    for _ in range(40):
        view = await found.after(60)
        assert set(view.devices) == {lfdi(2)}
    assert "not readable" in found.discovery.detail
    del found.fleet.status["/prog/feeder-1/derc"]
    assert set((await found.after(910)).devices) == {lfdi(1), lfdi(2)}


async def test_a_new_program_that_cannot_be_read_does_not_hold_up_the_known_ones() -> None:
    found = finder(1, groups=4)
    await found.settle()
    found.fleet.status["/prog/feeder-3/derc"] = 500
    found.fleet.assign(1, 3)
    found.fleet.change("/prog/system/dderc", set_grad_w=77)
    await found.after(305)
    assert len(found.programs(1)) == 3, "as it was, for a few attempts"
    await found.after(20)
    await found.after(40)
    assert found.programs(1) == ["/prog/sub-0", "/prog/system"]
    default = found.view.devices[lfdi(1)].programs[-1].default
    assert default is not None
    assert default.set_grad_w == 77
    del found.fleet.status["/prog/feeder-3/derc"]
    await found.after(910)
    assert found.programs(1)[0] == "/prog/feeder-3"


async def test_a_known_list_that_fails_keeps_what_it_had() -> None:
    found = finder(1)
    view = await found.settle()
    found.fleet.status["/prog/system/derc"] = 500
    for _ in range(10):
        assert await found.after(305) is view


async def test_controls_that_cannot_be_read_are_shown_as_such() -> None:
    found = finder(1)
    bad = RejectedItem(href="/x", mrid="AB", reply_to="/rsp", reason="no interval")
    programs = (await found.settle()).devices[lfdi(1)].programs
    assert programs[-1].rejected == ()
    # The codec makes these; here the reading stands in for it.
    tree = found.discovery._tree
    branch = tree._branches["/prog/system/derc"]
    assert branch.document is not None
    content: DERControlList = branch.document.content
    branch.document = replace(branch.document, content=replace(content, rejected=(bad,)))
    tree._changed(branch)
    await found.settle()
    assert found.view.devices[lfdi(1)].programs[-1].rejected == (bad,)


@pytest.mark.row("sep2:10")
async def test_a_server_without_any_time_is_said_so() -> None:
    found = finder(1)
    found.fleet.change("/dcap", time_link=None)
    fsa = found.fleet.resources["/edev/1/fsa"]
    assert isinstance(fsa, FunctionSetAssignmentsList)
    found.fleet.change("/edev/1/fsa", items=(replace(fsa.items[0], time_link=None),))
    await found.settle()
    assert not found.discovery.time.synchronised
    assert "time is not known" in found.discovery.detail


async def test_a_server_that_is_down_is_said_so_and_nothing_is_lost() -> None:
    found = finder(2)
    view = await found.settle()
    found.fleet.down = True
    await found.clock.advance(305)
    with pytest.raises(LinkDownError, match="down"):
        await found.discovery.step()
    assert found.view is view
    found.fleet.down = False
    assert await found.settle() is view


async def test_a_server_that_serves_nothing_now_is_left_in_peace() -> None:
    found = finder(30)
    await found.settle()
    found.fleet.status |= dict.fromkeys(found.fleet.resources, 503)
    await found.clock.advance(305)
    before = found.fleet.requests
    with pytest.raises(TransientError, match="503"):
        await found.discovery.step()
    assert found.fleet.requests - before <= 64


async def test_a_resource_of_another_kind_is_not_taken_for_the_former() -> None:
    found = finder(1)
    await found.settle()
    swapped: Resource = found.fleet.resources["/prog/system/dderc"]
    found.fleet.resources["/prog/system/derc"] = swapped
    view = await found.after(305)
    assert view.devices[lfdi(1)].programs[-1].controls != (), "kept as it was"


async def test_one_resource_that_hangs_does_not_hold_up_the_others() -> None:
    found = finder(2, groups=2, timeout_s=0.1)
    view = await found.settle()
    found.fleet.hangs.add("/prog/system/derc")
    path = "/prog/feeder-1/derc"
    found.fleet.change(path, items=(control(f"{path}/2", 2),))
    found.fleet.change("/dcap", poll_rate=timedelta(seconds=60))
    for _ in range(3):
        await found.after(905)
    assert found.view is not view
    assert [one.href for one in found.view.devices[lfdi(1)].programs[0].controls] == [f"{path}/2"]
    assert "1 not readable" in found.discovery.detail


async def test_a_server_that_hangs_as_a_whole_is_left_in_peace() -> None:
    found = finder(30, timeout_s=0.1)
    await found.settle()
    found.fleet.hangs.update(found.fleet.resources)
    await found.clock.advance(305)
    before = found.fleet.requests
    with pytest.raises(LinkDownError, match="no answer in time"):
        await found.discovery.step()
    assert found.fleet.requests - before <= 8
