from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from contracts.sep2.resources import (
    EndDeviceList,
    ListLink,
    Notification,
    Subscription,
    SubscriptionList,
)
from contracts.testing import FakeClock
from gateway.utility.sep2.discovery import Discovery
from gateway.utility.sep2.settings import ListenerSettings
from gateway.utility.sep2.subscriptions import Subscriptions
from support.sep2_tree_server import OWN_LFDI, Fleet, control, settings

URI = "https://us.example:8443/notify"
CONTROLS = "/prog/feeder-1/derc"


class Listening:
    """Two devices in two groups; their server is asked to tell of changes."""

    def __init__(self, fleet: Fleet | None = None) -> None:
        self.fleet = fleet or Fleet(2, groups=2)
        self.clock = self.fleet.clock = FakeClock()
        listener = ListenerSettings(url=URI, cert=Path("c"), key=Path("k"))
        of = settings(2, listener=listener)
        self.discovery = Discovery(of, self.fleet.transport(of), self.clock, OWN_LFDI)

    @property
    def subscriptions(self) -> Subscriptions:
        assert self.discovery.subscriptions is not None
        return self.discovery.subscriptions

    async def settle(self) -> None:
        while await self.discovery.step():
            pass
        await self.clock.advance(0)  # the subscriptions' turn
        for _ in range(200):
            await asyncio.sleep(0)

    async def after(self, seconds: float) -> None:
        await self.clock.advance(seconds)
        await self.settle()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Listening]:
        task = asyncio.create_task(self.subscriptions.run())
        try:
            await self.settle()
            yield self
        finally:
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()

    @property
    def subscribed(self) -> list[str]:
        return [one.subscribed_resource for one in self.fleet.subscriptions()]

    @property
    def posted(self) -> Counter[str]:
        """POSTs by resource."""
        posts = [one for _, one in self.fleet.posted if isinstance(one, Subscription)]
        return Counter(one.subscribed_resource for one in posts)

    def told(self, path: str = CONTROLS, status: int = 0) -> bool:
        notification = Notification(
            subscribed_resource=path, status=status, subscription_uri="/edev/0/sub/1"
        )
        return self.subscriptions.take(notification)


def seconds_polls(listening: Listening, path: str = CONTROLS) -> int:
    return listening.fleet.asked[path]


@pytest.mark.row("sep2:40", "csip:P31", "csip:P38", "csip:G16", "csip-test:CORE-018")
async def test_each_resource_is_subscribed_to_once_however_many_devices_share_it() -> None:
    async with Listening().running() as listening:
        assert sorted(listening.subscribed) == sorted(
            [
                "/edev",
                *(f"/edev/{n}/fsa" for n in (1, 2)),
                *(f"/edev/{n}/fsa/1/derp" for n in (1, 2)),
                *(f"/prog/{p}/{what}" for p in PROGRAMS for what in ("derc", "dderc")),
            ]
        )
        assert set(listening.posted.values()) == {1}
        wish = listening.fleet.subscriptions()[0]
        assert (wish.subscribed_resource, wish.notification_uri) == ("/edev", URI)
        assert (wish.encoding, wish.level) == (0, "+S1")


PROGRAMS = ("system", "sub-0", "feeder-0", "feeder-1")


async def test_what_cannot_be_subscribed_to_is_not() -> None:
    fleet = Fleet(2, groups=2)
    fleet.change("/edev", subscribable=0)
    fleet.change(CONTROLS, subscribable=2)  # with conditions only
    async with Listening(fleet).running() as listening:
        assert "/edev" not in listening.subscribed
        assert CONTROLS not in listening.subscribed
        assert "/edev/1/fsa" in listening.subscribed


async def test_without_a_list_of_our_own_a_devices_list_serves() -> None:
    fleet = Fleet(2, groups=2)
    listed = fleet.resources["/edev"]
    assert isinstance(listed, EndDeviceList)
    own, first, second = listed.items
    first = replace(first, subscription_list_link=ListLink(href="/edev/1/sub"))
    fleet.change("/edev", items=(replace(own, subscription_list_link=None), first, second))
    fleet.resources["/edev/1/sub"] = SubscriptionList()
    async with Listening(fleet).running() as listening:
        assert CONTROLS in listening.posted
        assert "/edev" not in listening.posted
        assert "/edev/2/fsa" not in listening.posted
        assert {path for path, _ in fleet.posted} == {"/edev/1/sub"}


@pytest.mark.row("sep2:40", "csip:P52")
async def test_after_a_restart_what_the_server_still_holds_is_not_doubled() -> None:
    async with Listening().running() as listening:
        fleet, count = listening.fleet, len(listening.subscribed)
    lost = fleet.subscriptions()[3]
    first = fleet.subscriptions()[0]
    other = replace(first, href="/edev/0/sub/x", notification_uri="https://another.example/")
    kept = tuple(one for one in fleet.subscriptions() if one is not lost)
    fleet.change("/edev/0/sub", items=(*kept, other))
    fleet.posted.clear()
    async with Listening(fleet).running() as listening:
        assert listening.posted == {lost.subscribed_resource: 1}
        assert len(listening.subscribed) == count + 1, "another's is left alone"
        await listening.after(1800)
        assert sum(listening.posted.values()) == 1
        await listening.after(2000)
        assert sum(listening.posted.values()) == count, "renewed an hour later: its age is unknown"


@pytest.mark.row("sep2:40", "csip:P52")
async def test_renewed_about_every_day_and_never_twice_at_the_server() -> None:
    async with Listening().running() as listening:
        count = len(listening.subscribed)
        for _ in range(22):
            await listening.after(3600)
        assert set(listening.posted.values()) == {1}
        for _ in range(2):
            await listening.after(3600)
        assert set(listening.posted.values()) == {2}
        assert len(listening.subscribed) == count
        assert len(listening.fleet.deleted) == count, "the former ones, where the place is new"


@pytest.mark.row("sep2:40")
@pytest.mark.parametrize("status", [400, 403, 404])
async def test_refused_ones_are_polled_and_asked_for_an_hour_later(status: int) -> None:
    fleet = Fleet(2, groups=2)
    fleet.on_post = lambda _path, _resource: httpx.Response(status)
    async with Listening(fleet).running() as listening:
        count, polls = len(listening.posted), seconds_polls(listening)
        for _ in range(10):
            await listening.after(305)
        assert set(listening.posted.values()) == {1}
        assert seconds_polls(listening) == polls + 10
        await listening.after(3600)
        assert set(listening.posted.values()) == {2}
        assert len(listening.posted) == count


async def test_a_server_that_is_busy_is_asked_again_later() -> None:
    fleet = Fleet(2, groups=2)
    fleet.on_post = lambda _path, _resource: httpx.Response(503)
    async with Listening(fleet).running() as listening:
        assert sum(listening.posted.values()) == 1, "not all of them into a busy server"
        fleet.on_post = None
        await listening.after(16)
        assert len(listening.subscribed) == len(listening.posted)


@pytest.mark.row("sep2:41", "csip-test:CORE-018", "csip-test:MAINT-004")
async def test_a_notification_has_its_resource_read_at_once() -> None:
    async with Listening().running() as listening:
        await listening.clock.advance(5)
        before = listening.fleet.requests
        listening.fleet.change(CONTROLS, items=(control(f"{CONTROLS}/7", 7),))
        assert listening.told()
        assert listening.discovery.hinted.is_set()
        await listening.settle()
        assert listening.fleet.requests == before + 1
        programs = next(iter(listening.discovery.view.devices.values())).programs
        assert [one.href for one in programs[0].controls] == [f"{CONTROLS}/7"]


@pytest.mark.row("csip-test:AGG-001")
async def test_a_notified_end_device_list_is_read_again() -> None:
    async with Listening().running() as listening:
        await listening.clock.advance(5)
        before = listening.fleet.asked["/edev"]
        assert listening.told("https://utility.example/edev")
        await listening.settle()
        assert listening.fleet.asked["/edev"] == before + 1


@pytest.mark.row("csip-test:ERR-002")
@pytest.mark.parametrize("path", ["/edev/9/fsa", "https://evil.example/edev", "/tm", ""])
async def test_a_notification_about_something_else_is_refused(path: str) -> None:
    async with Listening().running() as listening:
        before = listening.fleet.requests
        assert not listening.told(path)
        await listening.settle()
        assert listening.fleet.requests == before


async def test_right_after_a_start_a_predecessors_notification_is_borne() -> None:
    listening = Listening()
    assert listening.told("/edev/9/fsa")


@pytest.mark.row("csip-test:CORE-019", "csip-test:ERR-002")
@pytest.mark.parametrize("status", [1, 2, 3, 4])
async def test_a_subscription_that_ended_is_gone_and_polling_goes_on(status: int) -> None:
    async with Listening().running() as listening:
        await listening.clock.advance(5)
        polls = seconds_polls(listening)
        assert listening.told(status=status)
        await listening.settle()
        assert seconds_polls(listening) == polls + 1
        assert not listening.told(), "no longer ours"
        for _ in range(10):
            await listening.after(305)
        assert seconds_polls(listening) == polls + 11
        assert listening.posted[CONTROLS] == 1, "not again within the hour"
        await listening.after(700)
        assert listening.posted[CONTROLS] == 2


@pytest.mark.row("sep2:40", "csip:P52")
async def test_polling_slows_down_once_notifications_have_proved_to_arrive() -> None:
    async with Listening().running() as listening:
        polls = seconds_polls(listening)
        for _ in range(6):
            await listening.after(305)
        assert seconds_polls(listening) == polls + 6, "unproved: at the full rate"
        assert listening.told("/edev")
        await listening.settle()
        polls = seconds_polls(listening)
        for _ in range(6):
            await listening.after(305)
        assert seconds_polls(listening) == polls + 2, "the backstop, every 15 min"
        listening.fleet.change(CONTROLS, items=(control(f"{CONTROLS}/8", 8),))
        for _ in range(4):
            await listening.after(305)
        polls = seconds_polls(listening)
        for _ in range(6):
            await listening.after(305)
        assert seconds_polls(listening) == polls + 6, "a change came without a Notification"
        assert listening.told()
        await listening.settle()
        polls = seconds_polls(listening)
        for _ in range(6):
            await listening.after(305)
        assert seconds_polls(listening) == polls + 2, "it arrives again"


async def test_an_unchanged_poll_of_own_lists_costs_nearly_nothing_when_told() -> None:
    """The budget for servers that give every device a DERProgramList of its own."""
    async with Listening().running() as listening:
        assert listening.told("/edev")
        await listening.after(901)
        asked = dict(listening.fleet.asked)
        await listening.after(305)
        assert dict(listening.fleet.asked) == asked


@pytest.mark.row("sep2:43", "csip:P52")
async def test_after_an_outage_subscriptions_and_resources_are_looked_at() -> None:
    async with Listening().running() as listening:
        fleet = listening.fleet
        lost = fleet.subscriptions()[0].subscribed_resource
        fleet.change("/edev/0/sub", items=fleet.subscriptions()[1:])
        await listening.clock.advance(5)
        asked = dict(fleet.asked)
        listening.discovery.after_outage()
        await listening.settle()
        assert listening.posted[lost] == 2
        assert sum(listening.posted.values()) == len(listening.subscribed) + 1
        assert all(fleet.asked[path] == asked[path] + 1 for path in listening.subscribed)


@pytest.mark.row("csip-test:MAINT-003")
async def test_a_device_that_moves_is_subscribed_to_what_is_new() -> None:
    fleet = Fleet(2, groups=4)
    async with Listening(fleet).running() as listening:
        assert CONTROLS in listening.subscribed
        fleet.assign(1, 3)
        await listening.after(3605)
        assert "/prog/feeder-3/derc" in listening.subscribed
        assert not listening.told(CONTROLS), "nobody of ours is in that group any more"


async def test_a_flood_of_notifications_is_answered_with_few_requests() -> None:
    async with Listening().running() as listening:
        await listening.clock.advance(5)
        before = listening.fleet.requests
        for _ in range(10):
            for _ in range(1000):
                assert listening.told()
            await listening.after(0.1)
        assert listening.fleet.requests - before <= 2


async def test_an_unreadable_list_of_subscriptions_is_no_hindrance() -> None:
    fleet = Fleet(2, groups=2)
    fleet.status["/edev/0/sub"] = 404
    async with Listening(fleet).running() as listening:
        assert not listening.subscribed
        del fleet.status["/edev/0/sub"]
        await listening.after(3700)
        assert CONTROLS in listening.subscribed
