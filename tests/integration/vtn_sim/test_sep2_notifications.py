"""Subscriptions, and Notifications delivered over TLS to a client's own server (8.7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from certs.pki import Pki
from contracts.http_server import peer_certificate, serve
from contracts.identity import lfdi, sep2_server_context
from contracts.sep2 import codec
from contracts.sep2.codec import MEDIA_TYPE
from contracts.sep2.resources import (
    DefaultDERControl,
    DERControlList,
    DERProgramList,
    DeviceCapability,
    EndDeviceList,
    FunctionSetAssignmentsList,
    Notification,
    Subscription,
    SubscriptionList,
)
from support.sep2_server import (
    RunningSep2,
    Sep2Peer,
    device_lfdi,
    lfdi_of,
    made_pki,
    running_sep2,
)

CONTROL = {"program": "feeder", "duration_s": 60, "modes": {"opModImpLimW": 1000}}


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return made_pki(tmp_path_factory.mktemp("pki"))


class Listener:
    """A client's notification server."""

    def __init__(self) -> None:
        self.status = 201
        self.port = 0
        self.senders: set[str] = set()
        self.types: set[str] = set()
        self.notifications: asyncio.Queue[Notification] = asyncio.Queue()

    @property
    def uri(self) -> str:
        return f"https://127.0.0.1:{self.port}/ntfy"

    async def next(self) -> Notification:
        async with asyncio.timeout(60):
            return await self.notifications.get()

    async def until(self, holds: Callable[[Notification], bool]) -> Notification:
        while True:
            found = await self.next()
            if holds(found):
                return found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        certificate = peer_certificate(scope)
        assert certificate is not None
        self.senders.add(lfdi(certificate))
        self.types.add(dict(scope["headers"])[b"content-type"].decode())
        headers = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body"})
        self.notifications.put_nowait(codec.decode(body, Notification))


@asynccontextmanager
async def listening(pki: Pki) -> AsyncIterator[Listener]:
    listener = Listener()
    own = pki.sep2.aggregator
    ready: asyncio.Future[int] = asyncio.Future()
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(
            serve(
                listener,
                host="127.0.0.1",
                port=0,
                stopping=asyncio.Event(),
                tls=sep2_server_context(own.cert, own.key, pki.sep2.ca),
                ready=ready.set_result,
            )
        )
        listener.port = await ready
        yield listener
        serving.cancel()


class Scene:
    """A server, its aggregator, and the aggregator's listener."""

    def __init__(self, server: RunningSep2, peer: Sep2Peer, listener: Listener) -> None:
        self.server = server
        self.peer = peer
        self.listener = listener

    async def devices(self) -> EndDeviceList:
        entry = await self.peer.get(self.peer.entry, DeviceCapability)
        assert entry.end_device_list_link
        return await self.peer.get(entry.end_device_list_link.href, EndDeviceList, "?l=9")

    async def subscriptions_href(self) -> str:
        own = next(d for d in (await self.devices()).items if d.subscription_list_link)
        assert own.subscription_list_link
        return own.subscription_list_link.href

    async def program(self, primacy: int) -> Any:
        for device in (await self.devices()).items:
            if device.lfdi == device_lfdi(1):
                link = device.function_set_assignments_list_link
                assert link
                fsas = await self.peer.get(link.href, FunctionSetAssignmentsList, "?l=9")
        for fsa in fsas.items:
            assert fsa.der_program_list_link
            listed = await self.peer.get(fsa.der_program_list_link.href, DERProgramList, "?l=9")
            for program in listed.items:
                if program.primacy == primacy:
                    return program
        raise AssertionError(primacy)

    async def subscribe(self, resource: str, limit: int = 10, wanted: int = 201) -> str:
        subscription = Subscription(
            subscribed_resource=resource, limit=limit, notification_uri=self.listener.uri
        )
        href = await self.subscriptions_href()
        answer = await self.peer.send("POST", href, subscription)
        assert answer.status_code == wanted
        return str(answer.headers.get("location", ""))


@asynccontextmanager
async def scene(pki: Pki, **changes: Any) -> AsyncIterator[Scene]:
    async with running_sep2(pki, **changes) as server, listening(pki) as listener:
        yield Scene(server, await server.peer(), listener)


async def test_a_new_control_is_told(pki: Pki) -> None:
    async with scene(pki) as on:
        href = (await on.program(1)).der_control_list_link.href
        subscription = await on.subscribe(href)
        asked = await on.server.act("add-control", start_in_s=60, **CONTROL)
        told = await on.listener.next()
        assert told.subscribed_resource == href
        assert told.subscription_uri == subscription
        assert told.status == 0
        assert isinstance(told.resource, DERControlList)
        assert [c.mrid for c in told.resource.items] == [asked["mrid"]]
        assert on.listener.senders == {lfdi_of(pki.sep2.server)}
        assert on.listener.types == {MEDIA_TYPE}
        (seen,) = await on.server.until("/subscriptions", lambda s: s[0]["delivered"] == 1)
        assert (seen["kind"], seen["failed"]) == ("DERControlList", 0)


async def test_a_control_that_begins_is_told(pki: Pki) -> None:
    async with scene(pki) as on:
        href = (await on.program(1)).active_der_control_list_link.href
        await on.subscribe(href)
        await on.server.act("add-control", start_in_s=1, **CONTROL)
        told = await on.listener.until(
            lambda n: isinstance(n.resource, DERControlList) and bool(n.resource.items)
        )
        assert isinstance(told.resource, DERControlList)
        assert told.resource.items[0].event_status.current_status == 1


async def test_a_changed_default_and_group_are_told(pki: Pki) -> None:
    async with scene(pki) as on:
        program = await on.program(5)
        await on.subscribe(program.default_der_control_link.href)
        devices = await on.devices()
        await on.subscribe(devices.href or "")
        await on.server.act("set-default", program="system", default={"modes": {"opModImpLimW": 5}})
        told = await on.listener.next()
        assert isinstance(told.resource, DefaultDERControl)
        assert told.resource.der_control_base.modes["opModImpLimW"]
        await on.server.act("add-device", device={"lfdi": device_lfdi(3)})
        told = await on.listener.next()
        assert isinstance(told.resource, EndDeviceList)
        assert told.resource.all == 4


async def test_no_more_items_than_wanted(pki: Pki) -> None:
    async with scene(pki) as on:
        program = await on.program(5)
        await on.subscribe((await on.devices()).href or "", limit=1)
        await on.subscribe(program.default_der_control_link.href, limit=0)
        await on.server.act("notify")
        for _ in range(2):
            told = await on.listener.next()
            if told.subscribed_resource.endswith("edev"):
                assert isinstance(told.resource, EndDeviceList)
                assert (told.resource.all, len(told.resource.items)) == (3, 1)
            else:
                assert told.resource is None


async def test_one_subscription_for_a_client_and_a_resource(pki: Pki) -> None:
    async with scene(pki) as on:
        href = (await on.devices()).href or ""
        first = await on.subscribe(href)
        assert await on.subscribe(href) == first
        held = await on.peer.get(first, Subscription)
        assert await on.peer.status("PUT", first, held) == 204
        listed = await on.peer.get(await on.subscriptions_href(), SubscriptionList, "?l=9")
        assert [s.subscribed_resource for s in listed.items] == [href]
        (seen,) = await on.server.look("/subscriptions")
        assert seen["renewals"] == 2
        assert await on.peer.status("DELETE", first) == 204
        assert await on.server.look("/subscriptions") == []


async def test_what_cannot_be_subscribed_to(pki: Pki) -> None:
    async with scene(pki) as on:
        program = await on.program(1)
        for resource in (on.peer.entry, "/nowhere", f"{program.href}/dc", ""):
            await on.subscribe(resource, wanted=400)
        href = await on.subscriptions_href()
        plain = Subscription(
            subscribed_resource=(await on.devices()).href or "",
            limit=1,
            notification_uri="http://127.0.0.1:1/x",
        )
        assert await on.peer.status("POST", href, plain) == 400
        managed = next(d for d in (await on.devices()).items if d.lfdi == device_lfdi(1))
        assert await on.peer.status("POST", f"{managed.href}/sub", plain) == 404


async def test_a_subscription_that_ends_says_so(pki: Pki) -> None:
    async with scene(pki) as on:
        devices = await on.devices()
        groups = next(d for d in devices.items if d.lfdi == device_lfdi(1))
        assert groups.function_set_assignments_list_link
        await on.subscribe(groups.function_set_assignments_list_link.href)
        await on.server.act("delete-device", device="depot-1")
        told = await on.listener.next()
        assert (told.status, told.resource) == (4, None)
        await on.subscribe(devices.href or "")
        await on.server.act("end-subscriptions")
        assert (await on.listener.next()).status == 1
        assert await on.server.look("/subscriptions") == []


async def test_400_ends_a_subscription_and_silence_does_in_the_end(pki: Pki) -> None:
    async with scene(pki) as on:
        await on.subscribe((await on.devices()).href or "")
        on.listener.status = 400
        await on.server.act("notify")
        await on.listener.next()
        await on.server.until("/subscriptions", lambda s: s == [])


async def test_a_notification_that_was_lost_comes_again(pki: Pki) -> None:
    async with scene(pki) as on:
        await on.subscribe((await on.devices()).href or "")
        on.listener.status = 503
        await on.server.act("notify")
        await on.listener.next()
        on.listener.status = 201
        await on.listener.next()
        (seen,) = await on.server.until("/subscriptions", lambda s: s[0]["delivered"] == 1)
        assert seen["failed"] == 1


async def test_a_server_that_forgets_its_pen(pki: Pki) -> None:
    async with scene(pki, habits={"notify_without_pen": True}) as on:
        href = (await on.program(1)).der_control_list_link.href
        await on.subscribe(href)
        asked = await on.server.act("add-control", start_in_s=60, **CONTROL)
        told = await on.listener.next()
        assert isinstance(told.resource, DERControlList)
        mrid = told.resource.items[0].mrid
        assert mrid == asked["mrid"][:24] + "0" * 8 != asked["mrid"]
        listed = await on.peer.get(href, DERControlList, "?l=9")
        assert listed.items[0].mrid == asked["mrid"]


async def test_addresses_of_each_device_are_told_of_the_same_change(pki: Pki) -> None:
    async with scene(pki, habits={"per_device_hrefs": True}) as on:
        href = (await on.program(5)).der_control_list_link.href
        shared = href.replace(href.split("/derp/")[0], "/" + href.split("/")[1])
        await on.subscribe(href)
        await on.subscribe(shared)
        await on.server.act("add-control", start_in_s=60, **{**CONTROL, "program": "system"})
        told = [await on.listener.next(), await on.listener.next()]
        assert {n.subscribed_resource for n in told} == {href, shared}
