"""Subscriptions with our own HTTPS listener: made, renewed, told of a change, ended (8.7)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import httpx

from contracts.errors import PermanentError
from contracts.identity import sep2_client_context, sep2_server_context, sfdi
from contracts.sep2.codec import MEDIA_TYPE
from contracts.sep2.resources import (
    DERControlList,
    DERProgramList,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignmentsList,
    Link,
    Notification,
    ResourceList,
    Subscription,
    SubscriptionList,
)
from gateway.utility.sep2.hrefs import with_page
from gateway.utility.sep2.listener import NotificationListener
from gridyard.sep2.certify.bench import Bench, NotApplicableError, either, needed
from gridyard.sep2.certify.programs import assignments, programs_of

NOTIFIED_WITHIN_S = 35.0
"""A server may keep 30 s between two Notifications (8.7.3)."""
_UNCONDITIONALLY = {1, 3}


@dataclass(slots=True)
class Heard:
    """What has come in at our listener."""

    notifications: list[Notification] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, notification: Notification) -> bool:
        """Note it; everything is known."""
        self.notifications.append(notification)
        self.news.set()
        return True

    async def of(self, path: str, bench: Bench) -> bool:
        """Whether a Notification of the resource comes within the time it may take."""
        resolve = bench.transport.server.resolve
        try:
            async with asyncio.timeout(NOTIFIED_WITHIN_S):
                while all(resolve(n.subscribed_resource) != path for n in self.notifications):
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            return False
        return True


async def subscriptions(bench: Bench) -> str:
    """CORE-018: a Subscription to the EndDeviceList is taken, listed, renewed and ended."""
    listed = await _subscribable(bench)
    return await _kept(bench, await _place(bench), listed)


async def shared_lists(bench: Bench) -> str:
    """UTIL-003: Subscriptions to DERProgramLists and DERControlLists, each once."""
    place, paths = await _place(bench), await _program_paths(bench)
    if not paths:
        raise NotApplicableError("no DERProgramList or DERControlList can be subscribed to")
    said = [await _kept(bench, place, path) for path in paths[:2]]
    return f"{said[-1]} ({len(said)} of {len(paths)} lists)"


async def notified(bench: Bench) -> str:
    """CORE-018: a sign of life of an EndDevice changes the list, and a Notification says so."""
    path, place = await _subscribable(bench), await _place(bench)

    async def provoked(heard: Heard) -> str:
        href = await _subscribed(bench, place, path)
        try:
            device = await _touched(bench)
            if not await heard.of(path, bench):
                raise NotApplicableError(
                    f"no Notification within {NOTIFIED_WITHIN_S:g} s of a PUT to {device}, which "
                    "this server may not count as a change: see the watch procedure CORE-018"
                )
            await bench.transport.get(with_page(path, 0, 1), EndDeviceList)
        finally:
            await _ended(bench, place, href)
        return f"{path} changed by a PUT to {device}, Notification answered 201, list read again"

    return await _while_listening(bench, provoked)


async def wrong_body(bench: Bench) -> str:
    """ERR-002: our listener answers 400 to what is no Notification."""
    settings = bench.settings

    async def posted(_heard: Heard) -> str:
        uri = str(_listener_url(bench))
        tls = sep2_client_context(settings.ca, settings.cert, settings.key, settings.ciphers)
        async with httpx.AsyncClient(verify=tls, trust_env=False) as client:
            headers = {"Content-Type": MEDIA_TYPE}
            try:
                answer = await client.post(uri, content=b"<nothing/>", headers=headers)
            except httpx.TransportError as error:
                raise PermanentError(f"{uri} cannot be reached from here: {error}") from error
        if answer.status_code != httpx.codes.BAD_REQUEST:
            raise PermanentError(f"{uri}: {answer.status_code} instead of 400")
        return f"{uri} answers 400"

    return await _while_listening(bench, posted)


# --- the listener ------------------------------------------------------------------------------


async def _while_listening(bench: Bench, work: Callable[[Heard], Awaitable[str]]) -> str:
    """Do it with our listener open.

    Raises:
        NotApplicableError: the settings have none, or its port is taken.
    """
    _listener_url(bench)
    heard, said = Heard(), list[str]()

    async def run() -> None:
        await heard.ready.wait()
        said.append(await work(heard))

    await either(_listen(bench, heard), run())
    return said[0]


async def _listen(bench: Bench, heard: Heard) -> None:
    of, settings = bench.settings.listener, bench.settings
    if of is None:
        raise NotApplicableError(_NO_LISTENER)
    tls = sep2_server_context(of.cert, of.key, settings.ca, settings.ciphers)
    listener = NotificationListener(of, tls, heard.take)
    try:
        await listener.run(lambda _port: heard.ready.set())
    except PermanentError as error:
        raise NotApplicableError(f"{error}: is the gateway running?") from error


_NO_LISTENER = "the settings have no listener: Notifications cannot reach us"


def _listener_url(bench: Bench) -> object:
    if bench.settings.listener is None:
        raise NotApplicableError(_NO_LISTENER)
    return bench.settings.listener.url


# --- one Subscription --------------------------------------------------------------------------


async def _kept(bench: Bench, place: str, path: str) -> str:
    """Its whole life: made, listed, renewed without becoming two, ended."""
    href = await _subscribed(bench, place, path)
    try:
        await _held_once(bench, place, path)
        renewed = await _subscribed(bench, place, path)
        if renewed != href:
            href, before = renewed, href
            await _ended(bench, place, before)
        await _held_once(bench, place, path)
    finally:
        await _ended(bench, place, href)
    return f"{path}: made at {href}, listed, renewed, ended"


async def _subscribed(bench: Bench, place: str, path: str) -> str:
    wish = Subscription(
        subscribed_resource=path, limit=1, notification_uri=str(_listener_url(bench))
    )
    await bench.transport.post(place, wish)
    done = bench.trace.exchanges[-1]
    if done.location is None:
        raise PermanentError(f"POST {done.path}: {done.status} without a Location")
    return bench.transport.server.resolve(done.location, done.path)


async def _held_once(bench: Bench, place: str, path: str) -> None:
    held = [one for one in await _ours(bench, place) if _resolved(bench, one) == path]
    if len(held) != 1:
        raise PermanentError(f"{place} lists {len(held)} Subscriptions of ours to {path}, not 1")


async def _ended(bench: Bench, place: str, href: str) -> None:
    await bench.transport.delete(href, Subscription)
    if any(one.href == href for one in await _ours(bench, place)):
        raise PermanentError(f"{href}: deleted, and still listed")


async def _ours(bench: Bench, place: str) -> Sequence[Subscription]:
    listed = await bench.items(Link(href=place), SubscriptionList)
    uri = str(_listener_url(bench))
    return [one for one in listed.items if one.notification_uri == uri]


def _resolved(bench: Bench, one: Subscription) -> str:
    return bench.transport.server.resolve(one.subscribed_resource)


async def _touched(bench: Bench) -> str:
    """PUT an EndDevice as it is, as a sign of life (8.5.3)."""
    wanted, device = (await bench.devices())[0]
    if device.href is None:
        raise NotApplicableError("EndDevices have no address")
    alive = EndDevice(
        lfdi=wanted.lfdi,
        sfdi=sfdi(wanted.lfdi),
        device_category=device.device_category,
        changed_time=bench.clock.now(),
        enabled=device.enabled,
    )
    try:
        await bench.transport.put(device.href, alive)
    except PermanentError as error:
        raise NotApplicableError(
            f"nothing that we may change can be subscribed to ({error}): "
            "see the watch procedure CORE-018"
        ) from error
    return device.href


# --- what can be subscribed to, and where ------------------------------------------------------


async def _place(bench: Bench) -> str:
    """The SubscriptionList of our own EndDevice, or else of a managed one (8.7)."""
    _listener_url(bench)
    devices, own = (await bench.end_devices()).items, bench.own_lfdi
    known = {one.lfdi for one in bench.settings.devices}
    fitting = [one for one in devices if one.canonical_lfdi == own]
    fitting += [one for one in devices if one.canonical_lfdi in known]
    links = (one.subscription_list_link for one in fitting)
    found = next((link for link in links if link is not None), None)
    return bench.transport.server.resolve(needed(found, "SubscriptionListLink").href)


async def _subscribable(bench: Bench) -> str:
    link = needed((await bench.capability()).end_device_list_link, "EndDeviceListLink")
    if not _open(await bench.end_devices()):
        raise NotApplicableError("the EndDeviceList cannot be subscribed to")
    return bench.transport.server.resolve(link.href)


async def _program_paths(bench: Bench) -> Sequence[str]:
    """A DERProgramList and then DERControlLists that can be subscribed to."""
    found: dict[str, None] = {}
    for assigned in await assignments(bench):
        for group in (await bench.items(assigned, FunctionSetAssignmentsList)).items:
            link = group.der_program_list_link
            if link is not None and _open(await bench.items(link, DERProgramList)):
                found[bench.transport.server.resolve(link.href)] = None
    lists = list(found)[:1]
    async for program in programs_of(bench):
        controls = program.der_control_list_link
        if controls is not None and _open(await bench.items(controls, DERControlList)):
            lists.append(bench.transport.server.resolve(controls.href))
    return lists


def _open(listed: ResourceList) -> bool:
    return listed.subscribable in _UNCONDITIONALLY
