"""Notifications to the clients' own https servers (8.7.3.3): changes, told to subscribers.

A change is told with the resource as it is when the Notification goes out, so several changes in a
row may be told once. A Notification that cannot be delivered is tried again; after `_TRIES` in a
row the Subscription ends. One that is answered with 400 ends it at once.
"""

from __future__ import annotations

import asyncio
import re
import ssl

import httpx
import structlog

from contracts.sep2 import codec
from contracts.sep2.codec import MEDIA_TYPE
from contracts.sep2.codes import NotificationStatus
from contracts.sep2.resources import Notification, Resource, ResourceList
from contracts.tasks import first_of
from vtn_sim.sep2.exchanges import Exchanges
from vtn_sim.sep2.identifiers import without_pen
from vtn_sim.sep2.paging import Page
from vtn_sim.sep2.refusal import BAD_REQUEST, Refused
from vtn_sim.sep2.subscriptions import Held, Topic
from vtn_sim.sep2.tree import Tree

_log = structlog.get_logger(__name__)
_TIMEOUT_S = 5.0
_TRIES = 4
_AGAIN_S = 2.0
_AT_ONCE = 8
_MRID = re.compile(rb"<mRID>([0-9A-Fa-f]{32})</mRID>")


class Notifier:
    """Tells subscribers of changes, in the order of their Subscriptions."""

    def __init__(self, tree: Tree, exchanges: Exchanges, tls: ssl.SSLContext) -> None:
        self._tree = tree
        self._utility = tree.utility
        self._exchanges = exchanges
        self._tls = tls
        self._due: dict[int, tuple[Held, NotificationStatus]] = {}
        self._not_before: dict[int, float] = {}
        self._failures: dict[int, int] = {}
        self._news = asyncio.Event()
        self._utility.listen(self.changed)

    def changed(self, topic: Topic) -> None:
        """Tell everyone who subscribed to it."""
        for held in self._utility.subscriptions.to(topic):
            self.tell(held)

    def tell(self, held: Held, status: NotificationStatus = NotificationStatus.DEFAULT) -> None:
        """Tell one subscriber, changed or not; another status than 0 ends the Subscription."""
        if status is not NotificationStatus.DEFAULT:
            self._utility.subscriptions.remove(held)
        self._due[held.number] = (held, status)
        self._news.set()

    async def run(self) -> None:
        """Send until cancelled."""
        async with httpx.AsyncClient(
            verify=self._tls, timeout=_TIMEOUT_S, trust_env=False
        ) as client:
            while True:
                self._news.clear()
                await self._round(client)
                await self._wait()

    async def _round(self, client: httpx.AsyncClient) -> None:
        now = self._utility.clock.monotonic()
        ready = [n for n in self._due if self._not_before.get(n, now) <= now][:_AT_ONCE]
        async with asyncio.TaskGroup() as tasks:
            for number in ready:
                held, status = self._due.pop(number)
                tasks.create_task(self._send(client, held, status))

    async def _wait(self) -> None:
        """Until something is due."""
        now = self._utility.clock.monotonic()
        waits = [max(self._not_before.get(number, now) - now, 0.0) for number in self._due]
        if not waits:
            await self._news.wait()
        elif min(waits) > 0:
            await first_of(self._utility.clock.sleep(min(waits)), self._news.wait())

    async def _send(
        self, client: httpx.AsyncClient, held: Held, status: NotificationStatus
    ) -> None:
        every_s = self._utility.settings.notify_every_s
        self._not_before[held.number] = self._utility.clock.monotonic() + every_s
        body = self._body(held, status)
        headers = {"Content-Type": MEDIA_TYPE}
        uri = held.resource.notification_uri
        try:
            answer = (await client.post(uri, content=body, headers=headers)).status_code
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            _log.info("sep2_notification_lost", uri=uri, error=repr(error))
            answer = 0
        self._exchanges.add(
            at=self._utility.now(),
            lfdi=held.client,
            method="NOTIFY",
            path=uri,
            kind=held.topic[0],
            status=answer,
            request=body,
        )
        self._settle(held, status, answer)

    def _settle(self, held: Held, status: NotificationStatus, answer: int) -> None:
        number = held.number
        if httpx.codes.is_success(answer):
            held.told_at.append(self._utility.now())
            self._failures.pop(number, None)
            return
        held.failed += 1
        self._failures[number] = self._failures.get(number, 0) + 1
        if answer == BAD_REQUEST or self._failures[number] >= _TRIES:
            self._utility.subscriptions.remove(held)
            _log.info("sep2_subscription_given_up", path=held.path, answer=answer)
        else:
            self._due.setdefault(number, (held, status))
            self._not_before[number] = self._utility.clock.monotonic() + _AGAIN_S

    # --- what is said --------------------------------------------------------------------------

    def _body(self, held: Held, status: NotificationStatus) -> bytes:
        client = self._utility.devices.by_lfdi(held.client)
        notification = Notification(
            subscribed_resource=held.path,
            resource=self._resource(held) if status is NotificationStatus.DEFAULT else None,
            status=status,
            subscription_uri="" if client is None else self._tree.subscription_href(client, held),
        )
        body = codec.encode(notification, self._utility.dialect)
        if not self._utility.habits.notify_without_pen:
            return body
        return _MRID.sub(lambda m: b"<mRID>%s</mRID>" % without_pen(m[1].decode()).encode(), body)

    def _resource(self, held: Held) -> Resource | None:
        """The changed resource, at most `limit` items of a list; of another, none for 0."""
        client, limit = self._utility.devices.by_lfdi(held.client), held.resource.limit
        if client is None:
            return None
        try:
            resource = self._tree.read(client, held.path, Page(limit=limit))
        except Refused:
            return None
        return resource if limit or isinstance(resource, ResourceList) else None
