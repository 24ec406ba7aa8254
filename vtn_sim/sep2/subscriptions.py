"""Subscriptions: who wants to be told of which changes (IEEE 2030.5-2018, 8.7)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contracts.sep2.resources import Subscription

LIFE = timedelta(hours=25)
"""A client renews within 24 h (8.7.3)."""

_KEPT = 200

Topic = tuple[str, str]
"""Kind of a resource and which one it is, whatever its address."""


@dataclass(slots=True)
class Held:
    """One Subscription."""

    number: int
    client: str
    """LFDI."""
    path: str
    topic: Topic
    resource: Subscription
    created_at: datetime
    renewed_at: datetime
    renewals: int = 0
    failed: int = 0
    told_at: deque[datetime] = field(default_factory=lambda: deque(maxlen=_KEPT))
    """When Notifications were delivered."""


class SubscriptionBook:
    """Every Subscription: at most one for a client and a resource."""

    def __init__(self) -> None:
        self._held: dict[int, Held] = {}
        self._number = 0

    def put(
        self, client: str, path: str, topic: Topic, resource: Subscription, now: datetime
    ) -> tuple[Held, bool]:
        """Add or renew one; whether it is new."""
        self._expire(now)
        known = next((h for h in self._held.values() if (h.client, h.path) == (client, path)), None)
        if known is not None:
            known.resource, known.renewed_at = resource, now
            known.renewals += 1
            return known, False
        self._number += 1
        held = Held(
            number=self._number,
            client=client,
            path=path,
            topic=topic,
            resource=resource,
            created_at=now,
            renewed_at=now,
        )
        self._held[held.number] = held
        return held, True

    def of(self, client: str) -> Sequence[Held]:
        """Those of one client, in order of creation."""
        return [h for h in self._held.values() if h.client == client]

    def to(self, topic: Topic) -> Sequence[Held]:
        """Those who want to be told of it."""
        return [h for h in self._held.values() if h.topic == topic]

    def all(self) -> Sequence[Held]:
        """Every one, in order of creation."""
        return tuple(self._held.values())

    def numbered(self, number: str) -> Held | None:
        """By the number in its address."""
        return self._held.get(int(number)) if number.isascii() and number.isdigit() else None

    def holds(self, held: Held) -> bool:
        """Whether it has not ended."""
        return self._held.get(held.number) is held

    def remove(self, held: Held) -> None:
        """End one."""
        self._held.pop(held.number, None)

    def _expire(self, now: datetime) -> None:
        for held in [h for h in self._held.values() if h.renewed_at + LIFE <= now]:
            self.remove(held)
