"""Subscriptions: the server tells of changes, so that lists need not be polled often (8.7).

CSIP P31 to P33, P38, P46 to P52. A Notification is only a hint: what it names is read again.
Polling at the full rate goes on until the server has proved that its Notifications arrive, and
again for every resource that changed without one.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from contracts.backoff import Backoff
from contracts.errors import PermanentError, ProtocolError, TransientError
from contracts.sep2.codes import NotificationStatus
from contracts.sep2.resources import Notification, Subscription, SubscriptionList
from contracts.tasks import first_of
from contracts.time import Clock
from gateway.utility.sep2.paging import read_list
from gateway.utility.sep2.transport import Sep2Transport

_log = structlog.get_logger(__name__)
RENEW_S = 23 * 3600.0
"""Within 24 h, never under 1 h (8.7.3)."""
_NOT_AGAIN_S = 3600.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 15.0, 900.0
_ITEMS = 1
"""Of a list in a Notification: they are not used."""


@dataclass(slots=True)
class _Held:
    """A Subscription of ours."""

    href: str | None
    renewed_at: float
    trusted: bool = True


class Subscriptions:
    """Keeps one Subscription per resource that can be subscribed to."""

    def __init__(
        self,
        uri: str,
        transport: Sep2Transport,
        clock: Clock,
        wanted: Callable[[], Mapping[str, str]],
        hint: Callable[[str], None],
        *,
        max_items: int,
    ) -> None:
        """Of one server.

        `uri` is where our listener can be reached, `wanted` says at which SubscriptionList to
        subscribe to which resource, `hint` has a resource read again.
        """
        self._uri = uri
        self._transport = transport
        self._clock = clock
        self._wanted = wanted
        self._hint = hint
        self._max_items = max_items
        self._held: dict[str, _Held] = {}
        self._not_before: dict[str, float] = {}
        self._reconciled: set[str] = set()
        self._proven = False
        self._news = asyncio.Event()

    def cover(self, path: str) -> bool:
        """Whether the server can be relied on to tell of a change there."""
        held = self._held.get(path)
        return self._proven and held is not None and held.trusted

    def missed(self, path: str) -> None:
        """A change there came without a Notification: poll it as if there were none."""
        held = self._held.get(path)
        if held is not None and held.trusted:
            held.trusted = False
            _log.info("sep2_change_without_notification", path=path)

    def review(self) -> None:
        """What can be subscribed to may have changed."""
        self._news.set()

    def after_outage(self) -> None:
        """Notifications may have been lost, Subscriptions too (8.7.3.4 f, g)."""
        for path in self._held:
            self._hint(path)
        self._reconciled.clear()
        self._news.set()

    def take(self, notification: Notification) -> bool:
        """Act on a Notification; False when it is about nothing we subscribed to."""
        try:
            path = self._transport.server.resolve(notification.subscribed_resource)
        except ProtocolError:
            return False
        held = self._held.get(path)
        if held is None:
            return not self._reconciled  # right after a start it may be a predecessor's
        self._proven, held.trusted = True, True
        if notification.status != NotificationStatus.DEFAULT:
            _log.info("sep2_subscription_ended", path=path, status=notification.status)
            del self._held[path]
            self._not_before[path] = self._clock.monotonic() + _NOT_AGAIN_S
        self._hint(path)
        return True

    async def run(self) -> None:
        """Subscribe, renew and reconcile until cancelled."""
        backoff = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
        while True:
            self._news.clear()
            try:
                await self._round()
                backoff.reset()
                wait_s = max(self._next_s() - self._clock.monotonic(), 0.0)
            except TransientError as error:
                wait_s = backoff.next_s()
                _log.info("sep2_subscriptions_wait", error=str(error), retry_in_s=round(wait_s, 1))
                self._news.clear()  # what is new waits as well
            if math.isinf(wait_s):
                await self._news.wait()
            else:
                await first_of(self._clock.sleep(wait_s), self._news.wait())

    async def _round(self) -> None:
        wanted = self._wanted()
        for list_path in sorted(set(wanted.values()) - self._reconciled):
            await self._reconcile(list_path, wanted)
            self._reconciled.add(list_path)
        for path in self._held.keys() - wanted.keys():
            del self._held[path]
        for path, list_path in wanted.items():
            if self._due(path):
                await self._subscribe(path, list_path)

    async def _reconcile(self, list_path: str, wanted: Mapping[str, str]) -> None:
        """Compare with what the server holds for us."""
        try:
            listed = await read_list(self._transport, list_path, SubscriptionList, self._max_items)
        except (PermanentError, ProtocolError) as error:
            _log.warning("sep2_subscriptions_unreadable", path=list_path, error=str(error))
            return
        there: dict[str, str | None] = {}
        for one in listed.content.items:
            if one.notification_uri == self._uri:
                there[self._path(one.subscribed_resource)] = one.href
        now = self._clock.monotonic()
        for path in [path for path, place in wanted.items() if place == list_path]:
            if path not in there:
                self._held.pop(path, None)
            elif path not in self._held:  # a predecessor's, of an age we do not know
                self._held[path] = _Held(there[path], now - RENEW_S + _NOT_AGAIN_S)

    def _path(self, href: str) -> str:
        try:
            return self._transport.server.resolve(href)
        except ProtocolError:
            return href

    def _due(self, path: str) -> bool:
        return self._due_at(path) <= self._clock.monotonic()

    def _due_at(self, path: str) -> float:
        held = self._held.get(path)
        due_at = -math.inf if held is None else held.renewed_at + RENEW_S
        return max(due_at, self._not_before.get(path, -math.inf))

    def _next_s(self) -> float:
        return min(map(self._due_at, self._wanted()), default=math.inf)

    async def _subscribe(self, path: str, list_path: str) -> None:
        """Subscribe, or renew; one that is refused is polled, and asked for again much later."""
        now = self._clock.monotonic()
        wish = Subscription(subscribed_resource=path, limit=_ITEMS, notification_uri=self._uri)
        try:
            href = await self._transport.post(list_path, wish)
        except (PermanentError, ProtocolError) as error:
            _log.info("sep2_subscription_refused", path=path, error=str(error))
            self._not_before[path] = now + _NOT_AGAIN_S
            return
        before = self._held.get(path)
        self._held[path] = _Held(href, now, before is None or before.trusted)
        if before is not None and before.href is not None and href not in {None, before.href}:
            await self._withdraw(before.href)

    async def _withdraw(self, href: str) -> None:
        """The renewed one has a place of its own: without this the server would tell us twice."""
        try:
            await self._transport.delete(href, Subscription)
        except (PermanentError, ProtocolError) as error:
            _log.info("sep2_subscription_kept", href=href, error=str(error))
