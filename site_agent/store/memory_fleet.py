"""In-memory twins of the fleet's stores, for tests and simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from site_agent.flows.fleet.answers import KeptAnswer
from site_agent.flows.fleet.webhook_queue import NewEvent, QueuedEvent


class MemoryRoster:
    """`site_agent.ports.RosterStore`."""

    def __init__(self) -> None:
        self._bodies: dict[str, str] = {}

    async def all(self) -> Sequence[tuple[str, str]]:
        """`(vehicle_id, body)` of every vehicle."""
        return sorted(self._bodies.items())

    async def put(self, rows: Mapping[str, str | None]) -> None:
        """Set bodies; None forgets the vehicle."""
        for name, body in rows.items():
            if body is None:
                self._bodies.pop(name, None)
            else:
                self._bodies[name] = body


class MemoryAnswers:
    """`site_agent.flows.fleet.answers.AnswerStore`."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[datetime, KeptAnswer]] = {}

    async def find(self, holder: str, key: str) -> KeptAnswer | None:
        """The answer kept under this key, or None."""
        found = self._kept.get((holder, key))
        return None if found is None else found[1]

    async def keep(
        self, holder: str, key: str, answer: KeptAnswer, at: datetime, forget_before: datetime
    ) -> None:
        """Keep it; older answers than `forget_before` are forgotten."""
        self._kept = {name: one for name, one in self._kept.items() if one[0] >= forget_before}
        self._kept[holder, key] = (at, answer)


class MemoryWebhooks:
    """`site_agent.flows.fleet.webhook_queue.WebhookQueue`."""

    def __init__(self) -> None:
        self._state: str | None = None
        self._seq = 0
        self._held: list[tuple[str, datetime, QueuedEvent]] = []

    async def state(self) -> str | None:
        """What `append` was last given as state."""
        return self._state

    async def append(self, events: Sequence[NewEvent], state: str) -> None:
        """Keep events, and the state they lead to."""
        self._state = state
        for one in events:
            self._seq += 1
            queued = QueuedEvent(
                seq=self._seq,
                event_id=one.event_id,
                subject=one.subject,
                at=one.at,
                body=one.body,
                tries=0,
            )
            self._held.append((one.endpoint, one.at, queued))

    async def heads(self, endpoint: str, now: datetime, limit: int) -> Sequence[QueuedEvent]:
        """The first event of every subject, of those that are due, by number."""
        return [one for due, one in self._heads(endpoint) if due <= now][:limit]

    async def next_due(self, endpoint: str) -> datetime | None:
        """When the next first event of a subject is due; None: nothing waits."""
        return min((due for due, _ in self._heads(endpoint)), default=None)

    def _heads(self, endpoint: str) -> list[tuple[datetime, QueuedEvent]]:
        first: dict[str, tuple[datetime, QueuedEvent]] = {}
        for name, due, one in self._held:
            if name == endpoint:
                first.setdefault(one.subject, (due, one))
        return sorted(first.values(), key=lambda pair: pair[1].seq)

    async def delivered(self, seq: int) -> None:
        """It has been heard."""
        self._held = [one for one in self._held if one[2].seq != seq]

    async def failed(self, seq: int, due_at: datetime) -> None:
        """It has not been heard; try again then."""
        self._held = [
            (name, due_at, replace(one, tries=one.tries + 1))
            if one.seq == seq
            else (name, due, one)
            for name, due, one in self._held
        ]

    async def drop(self, endpoint: str, before: datetime, most: int) -> int:
        """Forget events older than this, and the oldest beyond `most`; how many."""
        mine = [one[2] for one in self._held if one[0] == endpoint]
        kept = {one.seq for one in [one for one in mine if one.at >= before][-most:]}
        gone = {one.seq for one in mine} - kept
        self._held = [one for one in self._held if one[2].seq not in gone]
        return len(gone)
