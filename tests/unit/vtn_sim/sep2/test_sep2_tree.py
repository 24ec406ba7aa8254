"""The tree itself: its time, and that nothing is anywhere else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.sep2.resources import Time
from contracts.testing import FakeClock
from support.sep2_walk import MakeWorld
from support.sep2_world import World


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
