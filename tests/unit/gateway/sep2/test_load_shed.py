"""How much load could be shed is posted once and kept up to date."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from contracts.sep2.resources import (
    EndDevice,
    ListLink,
    LoadShedAvailability,
    LoadShedAvailabilityList,
)
from contracts.testing import FakeClock
from gateway.utility.sep2.load_shed import LoadShed
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.polled import Polled
from support.sep2_acting import (
    T0,
    UTILITY,
    FragileMemory,
    Sites,
    device_settings,
    device_view,
    sep2_settings,
    server_view,
)
from support.sep2_tree_server import TreeServer


class Bench:
    def __init__(self) -> None:
        self.settings = sep2_settings(device_settings(sites=("depot-1", "depot-2")))
        self.clock = FakeClock(T0)
        self.memory = FragileMemory()
        self.server = TreeServer()
        self.server.resources["/lsa"] = LoadShedAvailabilityList()
        self.sites = Sites()
        device = self.settings.devices[0]
        link = ListLink(href="/lsa")
        end_device = EndDevice(lfdi=device.lfdi, load_shed_availability_list_link=link)
        self.view = server_view(device_view(device, end_device=end_device))

    async def start(self) -> None:
        transport = self.server.transport(self.settings)
        polled = Polled(self.settings, transport, self.clock)
        memory = Sep2Memory(self.memory, UTILITY)
        self.shed = LoadShed(self.settings, transport, polled, self.sites, memory, self.clock)
        await self.shed.restore()

    async def at(self, minutes: float, *watts: float) -> None:
        await self.clock.advance(max(0.0, minutes * 60 - self.clock.monotonic()))
        for number, one in enumerate(watts, start=1):
            self.sites.has(f"depot-{number}", self.clock.now(), flex_down_w=one)
        await asyncio.wait_for(self.shed.tell(self.view, self.clock.now()), 5)

    def told(self) -> list[tuple[str, str, float]]:
        both = [("POST", *one) for one in self.server.posted]
        both += [("PUT", *one) for one in self.server.put]
        return [
            (how, path, one.sheddable_power.number)
            for how, path, one in both
            if isinstance(one, LoadShedAvailability) and one.sheddable_power is not None
        ]


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.start()
    return made


@pytest.mark.row("sep2-other:load-shed")
async def test_posted_once_then_put_on_change_and_now_and_then(bench: Bench) -> None:
    await bench.at(0, 30_000, 10_000)
    await bench.at(0.5, 30_000, 90_000)  # too soon
    await bench.at(2, 30_000, 11_000)  # not worth it
    await bench.at(4, 30_000, 20_000)
    await bench.at(20, 30_000, 20_000)
    assert bench.told() == [
        ("POST", "/lsa", 40_000),
        ("PUT", "/lsa/1", 50_000),
        ("PUT", "/lsa/1", 50_000),
    ]
    told = bench.server.posted[0][1]
    assert isinstance(told, LoadShedAvailability)
    assert told.availability_duration == timedelta(hours=1)


async def test_a_restart_puts(bench: Bench) -> None:
    await bench.at(0, 1000, 1000)
    await bench.start()
    await bench.at(1, 1000, 1000)
    assert [how for how, _, _ in bench.told()] == ["POST", "PUT"]


async def test_what_got_lost_is_posted_again(bench: Bench) -> None:
    await bench.at(0, 1000, 1000)
    bench.server.status["/lsa/1"] = 404
    await bench.at(20, 1000, 1000)
    assert [how for how, _, _ in bench.told()] == ["POST", "POST"]


async def test_what_a_site_does_not_say_is_not_told(bench: Bench) -> None:
    await bench.at(0, 1000)
    assert bench.told() == []


async def test_a_refusal_and_a_server_without_a_place_are_borne(bench: Bench) -> None:
    bench.server.status["/lsa"] = 400
    await bench.at(0, 1000, 1000)
    bench.server.status.clear()
    bench.server.on_post = lambda path, resource: httpx.Response(201)
    await bench.at(20, 1000, 1000)
    await bench.at(40, 1000, 1000)
    assert [how for how, _, _ in bench.told()] == ["POST"]
