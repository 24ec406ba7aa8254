"""Keeps the view of one server fresh: reads what is due, asks the time, registers devices."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping

from contracts.time import Clock
from gateway.utility.sep2.registration import InBandRegistration
from gateway.utility.sep2.server_time import ServerTime
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.subscriptions import Subscriptions
from gateway.utility.sep2.trail import Trail
from gateway.utility.sep2.transport import Sep2Transport
from gateway.utility.sep2.tree import Tree
from gateway.utility.sep2.view import ServerView
from gateway.utility.sep2.walk import Walk

_BATCH, _PARTS = 64, 4
"""The view is made again after so many requests, or this part of all that is due if that is more: a
hint waits no longer, and a first discovery does not walk a large fleet over and over."""


class Discovery:
    """What the server shows, and when it is to be looked at again."""

    def __init__(
        self, settings: Sep2Settings, transport: Sep2Transport, clock: Clock, own_lfdi: str
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self.subscriptions: Subscriptions | None = None
        if settings.listener is not None:
            self.subscriptions = Subscriptions(
                str(settings.listener.url),
                transport,
                clock,
                self._wanted,
                self.hint,
                max_items=settings.max_list_items,
            )
        self._tree = Tree(
            transport,
            clock,
            max_items=settings.max_list_items,
            workers=settings.max_concurrent_requests,
            poll_s=settings.poll_s,
            quiet=lambda path: self.subscriptions is not None and self.subscriptions.cover(path),
            changed_unasked=self._missed,
        )
        entry = transport.server.entry
        self._walk = Walk(settings.devices, Trail(transport.server, self._tree), entry, own_lfdi)
        self._registration = InBandRegistration(transport, clock)
        self.time = ServerTime(clock)
        self.hinted = asyncio.Event()
        """Set when a Notification names something to be read now."""

    @property
    def view(self) -> ServerView:
        """The newest view."""
        return self._walk.view

    @property
    def settled(self) -> bool:
        """Whether the server has shown us its devices at all."""
        return self._walk.end_devices is not None

    async def step(self) -> bool:
        """Read a batch of what is due; False when nothing was.

        Raises:
            TransientError: the server cannot be reached, or serves nothing now.
        """
        self.hinted.clear()
        self._walk.again()
        if self._walk.time is not None:
            await self.time.refresh(self._transport, self._walk.time)
        due = self._tree.due()
        if due:
            await self._tree.read(due[: max(_BATCH, len(due) // _PARTS)])
            self._walk.again()
            return True
        self._tree.sweep()
        if self.subscriptions is not None:
            self.subscriptions.review()
        return await self._register()

    @property
    def next_s(self) -> float:
        """Monotonic time of the next step, unless a hint comes before."""
        time_s = math.inf if self._walk.time is None else self.time.due_at_s
        offer_s = self._registration.next_s(self._walk.unlisted) if self._registers else math.inf
        return min(self._tree.next_due_s, time_s, offer_s)

    def after_outage(self) -> None:
        """The server is back: look again at what failed, and at what it could not tell us of."""
        self._tree.hint_failed()
        if self.subscriptions is not None:
            self.subscriptions.after_outage()

    def hint(self, path: str) -> None:
        """Something may have changed there: read it at once."""
        if self._tree.hint(path):
            self.hinted.set()

    @property
    def detail(self) -> str:
        """How far we are, for people."""
        if not self.settled:
            troubles = self._tree.troubles
            return f"not enrolled yet: {troubles[0]}" if troubles else "nothing read yet"
        parts = [f"{len(self.view.devices)} of {len(self._settings.devices)} devices"]
        parts += self._left_out()
        if not self.time.synchronised:
            parts.append("the server's time is not known, so nothing is acted on")
        troubles = self._tree.troubles
        if troubles:
            parts.append(f"{len(troubles)} not readable, for example {troubles[0]}")
        return "; ".join(parts)

    def _left_out(self) -> Iterator[str]:
        """Devices that are not followed, and why; the first of each kind by name."""
        unlisted = [" + ".join(device.sites) for device in self._walk.unlisted]
        if unlisted:
            yield f"{len(unlisted)} not listed by the server, for example {unlisted[0]}"
        for lfdi, fault in list(self._walk.faults.items())[:1]:
            yield f"{len(self._walk.faults)} left alone, for example {lfdi}: {fault}"

    @property
    def _registers(self) -> bool:
        return self._settings.in_band and self._walk.end_devices is not None

    async def _register(self) -> bool:
        """Offer what a list just read does not hold; True when the list is to be read again."""
        place = self._walk.end_devices
        if place is None or not self._registers:
            return False
        due = self._registration.due(self._walk.unlisted)
        try:
            for device in due:
                await self._registration.offer(place, device)
        finally:
            if due:
                self._tree.hint(place)
        return bool(due)

    def _missed(self, path: str) -> None:
        if self.subscriptions is not None:
            self.subscriptions.missed(path)

    def _wanted(self) -> Mapping[str, str]:
        """What to subscribe to, at our own SubscriptionList or else at the device's (6.2.3.3)."""
        own = self._walk.subscriptions
        places = {path: own or place for path, place in self._tree.subscribable().items()}
        return {path: place for path, place in places.items() if place is not None}
