"""The CSIP aggregator client: one utility's server followed, obeyed and reported to.

Three things run beside each other: discovery keeps the view of the server fresh, steering acts on
the view in the server's time (also while the server cannot be reached), reporting tells.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Protocol

import structlog

from contracts.backoff import Backoff
from contracts.errors import PermanentError, TransientError
from contracts.sep2.resources import Notification
from contracts.tasks import first_of
from contracts.time import Clock
from gateway.ports import UtilityHealth
from gateway.utility.sep2.discovery import Discovery
from gateway.utility.sep2.listener import NotificationListener
from gateway.utility.sep2.settings import Sep2Settings
from gateway.utility.sep2.transport import BusyError, Sep2Transport
from gateway.utility.sep2.view import ServerView

_log = structlog.get_logger(__name__)
_FIRST_WAIT_S = 1.0
_STEER_AGAIN_S = 5.0
_SHORTEST_S, _LONGEST_S = 0.01, 3600.0
_IDLE_S = 60.0
"""Steering looks at least so often, whatever it asked for."""


class Follower(Protocol):
    """What acts on a view (`steering.Steering`)."""

    async def follow(self, view: ServerView, server_now: datetime) -> datetime | None:
        """Act on it; returns when to be called again at the latest, in the server's time."""
        ...


class Sep2Client:
    """`gateway.ports.UtilityLink` over IEEE 2030.5."""

    def __init__(
        self,
        settings: Sep2Settings,
        transport: Sep2Transport,
        steering: Follower,
        clock: Clock,
        *,
        own_lfdi: str,
        listener_tls: ssl.SSLContext | None = None,
        beside: Sequence[Callable[[], Coroutine[object, object, None]]] = (),
        on_notification: Callable[[Notification], None] | None = None,
    ) -> None:
        """`own_lfdi` is the aggregator's; `beside` runs as long as the client does.

        `on_notification` hears of every Notification that is about a Subscription of ours.
        """
        self._settings = settings
        self._transport = transport
        self._steering = steering
        self._clock = clock
        self._beside = beside
        self._discovery = Discovery(settings, transport, clock, own_lfdi)
        self._listener: NotificationListener | None = None
        self._on_notification = on_notification
        if settings.listener and self._discovery.subscriptions and listener_tls:
            self._listener = NotificationListener(settings.listener, listener_tls, self._take)
        self._backoff = Backoff(_FIRST_WAIT_S, settings.max_backoff_s)
        self._changed = asyncio.Event()
        self._log = _log.bind(utility=settings.utility_id)
        self._last_contact: datetime | None = None
        self._trouble: str | None = "not connected yet"
        self._deaf = ""

    @property
    def view(self) -> ServerView:
        """What the server shows, as far as it has been read."""
        return self._discovery.view

    def server_now(self) -> datetime | None:
        """The server's time; None while it is not known."""
        return self._discovery.time.now()

    @property
    def health(self) -> UtilityHealth:
        """How the way to the server is right now."""
        ready = self._discovery.settled and self._discovery.time.synchronised
        detail = self._trouble or self._discovery.detail
        return UtilityHealth(
            utility_id=self._settings.utility_id,
            protocol=f"IEEE 2030.5-{self._settings.edition}",
            connected=self._trouble is None and ready,
            detail=f"{detail}; {self._deaf}" if self._deaf else detail,
            last_contact_at=self._last_contact,
        )

    def look_again(self) -> None:
        """Something else than the view has changed what is to be done, or when."""
        self._changed.set()

    async def run(self) -> None:
        """Follow the server until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._discover())
                tasks.create_task(self._steer())
                if self._listener is not None:
                    tasks.create_task(self._listen(self._listener))
                if self._discovery.subscriptions is not None:
                    tasks.create_task(self._discovery.subscriptions.run())
                for work in self._beside:
                    tasks.create_task(work())
        finally:
            await self._transport.aclose()

    async def _discover(self) -> None:
        while True:
            before = self._discovery.view
            synchronised = self._discovery.time.synchronised
            try:
                more = await self._discovery.step()
            except TransientError as error:
                await self._pause(self._troubled(error))
                continue
            if more:
                self._in_touch()
            if self._discovery.view is not before or not synchronised:
                self._changed.set()
            if not more:
                await self._pause(self._discovery.next_s - self._clock.monotonic())

    def _troubled(self, error: TransientError) -> float:
        """Note it; returns how long to wait, in s."""
        wait_s = self._backoff.next_s()
        if isinstance(error, BusyError) and error.retry_after_s is not None:
            wait_s = max(wait_s, error.retry_after_s)
        self._trouble = str(error)
        self._log.warning("sep2_server_trouble", error=str(error), retry_in_s=round(wait_s, 1))
        return wait_s

    def _in_touch(self) -> None:
        self._last_contact = self._clock.now()
        if self._trouble is not None:
            self._trouble = None
            self._log.info("sep2_in_touch")
            self._discovery.after_outage()
        self._backoff.reset()

    async def _pause(self, seconds: float) -> None:
        """Until then, or until a Notification says where to look.

        Always for a moment: what is due but cannot be done must not hold up the loop.
        """
        wait_s = min(max(seconds, _SHORTEST_S), _LONGEST_S)
        await _either(self._clock, wait_s, self._discovery.hinted)

    async def _steer(self) -> None:
        while True:
            self._changed.clear()
            wait_s = _IDLE_S
            now = self._discovery.time.now()
            if now is not None and self._discovery.settled:
                try:
                    look = await self._steering.follow(self._discovery.view, now)
                except TransientError as error:
                    self._log.warning("sep2_steering_postponed", error=str(error))
                    wait_s = _STEER_AGAIN_S
                else:
                    wait_s = self._until(look)
            if wait_s > 0:
                await _either(self._clock, wait_s, self._changed)

    def _until(self, look: datetime | None) -> float:
        """Seconds until the server's clock shows `look`."""
        if look is None:
            return _IDLE_S
        due_s = self._discovery.time.monotonic_at(look) - self._clock.monotonic()
        return min(max(due_s, _SHORTEST_S), _IDLE_S)

    def _take(self, notification: Notification) -> bool:
        subscriptions = self._discovery.subscriptions
        if subscriptions is None or not subscriptions.take(notification):
            return False
        if self._on_notification is not None:
            self._on_notification(notification)
        return True

    async def _listen(self, listener: NotificationListener) -> None:
        """Without a listener there is still polling."""
        try:
            await listener.run()
        except PermanentError as error:
            self._deaf = f"no Notifications: {error}"
            self._log.error("sep2_listener_failed", error=str(error))


async def _either(clock: Clock, seconds: float, event: asyncio.Event) -> None:
    await first_of(clock.sleep(seconds), event.wait())
