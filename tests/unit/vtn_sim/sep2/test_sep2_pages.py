"""Lists come in pages, however long they are, and say how often to poll them."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from contracts.sep2.resources import DERControlList, EndDeviceList, Resource
from support.sep2_walk import MakeWorld, controls_of, devices, programs
from support.sep2_world import World, lfdi_of
from vtn_sim.sep2.paging import Page


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
