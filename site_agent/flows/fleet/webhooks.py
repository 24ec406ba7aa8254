"""From what happens at the chargers to the queue of webhooks, once for each endpoint."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from contracts.errors import TransientError
from contracts.time import Clock, as_utc
from site_agent.domain.fleet.happenings import (
    PROGRESS_EVERY,
    Happening,
    Kind,
    RunningSession,
    Told,
    happenings,
)
from site_agent.domain.fleet.readiness import Readiness
from site_agent.domain.site import SiteSnapshot
from site_agent.flows.fleet.webhook_queue import NewEvent, WebhookQueue
from site_agent.ports import SessionStore

EVERY_S = 1.0
_log = structlog.get_logger(__name__)

Look = Callable[[], tuple[SiteSnapshot, Sequence[Readiness]] | None]
"""The newest picture, and how it looks for every vehicle; None: none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What one endpoint wants to hear."""

    endpoint: str
    kinds: frozenset[Kind]


class Webhooks:
    """Compares every second; events are stored with what was told, so none is lost or doubled."""

    def __init__(
        self,
        site_id: str,
        subscriptions: Sequence[Subscription],
        queue: WebhookQueue,
        sessions: SessionStore,
        look: Look,
        clock: Clock,
    ) -> None:
        self._site_id = site_id
        self._subscriptions = subscriptions
        self._queue = queue
        self._sessions = sessions
        self._look = look
        self._clock = clock
        self._told: Told | None = None
        self._arrival = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled; while the disk fails, the comparison waits, nothing is lost."""
        while True:
            try:
                await self.step()
            except TransientError as error:
                _log.error("webhooks not stored yet", why=str(error))
            await self._clock.sleep(EVERY_S)

    async def step(self) -> None:
        """Compare once, and queue what has happened."""
        if self._told is None:
            self._told = _told(await self._queue.state())
        picture = self._look()
        if picture is None:
            return
        found, told = happenings(self._told, *picture, PROGRESS_EVERY)
        if told == self._told:
            return
        found = [await self._completed(one) for one in found]
        await self._queue.append(list(self._events(found)), _text(told))
        self._told = told
        if found:
            self._arrival.set()
            self._arrival = asyncio.Event()

    @property
    def news(self) -> asyncio.Event:
        """Set as soon as something more has been queued; another one each time."""
        return self._arrival

    async def _completed(self, one: Happening) -> Happening:
        """A session that is over, with its energy as it was settled."""
        if one.kind is not Kind.COMPLETED:
            return one
        evse_id, ref = str(one.data["evse_id"]), str(one.data["transaction_id"])
        session = await self._sessions.find(evse_id, ref)
        if session is None:
            return one
        data = {
            **one.data,
            "session_id": session.transaction_id,
            "started_at": session.started_at,
            "ended_at": session.ended_at,
            "reason": session.reason,
            "energy_wh": session.energy.energy_wh,
            "energy_quality": session.energy.quality.value,
        }
        return replace(one, data=data)

    def _events(self, found: Sequence[Happening]) -> Iterator[NewEvent]:
        for one in found:
            body = body_of(one.kind.value, one.at, self._site_id, one.data)
            for subscription in self._subscriptions:
                if one.kind in subscription.kinds:
                    yield NewEvent(
                        endpoint=subscription.endpoint,
                        event_id=f"evt_{uuid.uuid4().hex}",
                        subject=one.subject,
                        at=one.at,
                        body=body,
                    )


def body_of(kind: str, at: datetime, site_id: str, data: Mapping[str, object]) -> str:
    """The body of an event: type, timestamp and data, as Standard Webhooks lays it out."""
    document = {"type": kind, "timestamp": at, "data": {"site_id": site_id, **data}}
    return json.dumps(document, default=_instant, separators=(",", ":"))


def _instant(value: object) -> str:
    if isinstance(value, datetime):
        return as_utc(value).isoformat().replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} is no JSON")


# --- what was told, as it is stored ---------------------------------------------------------------


def _text(told: Told) -> str:
    sessions = {
        evse_id: {name: getattr(one, name) for name in RunningSession.__slots__}
        for evse_id, one in told.sessions.items()
    }
    return json.dumps({"sessions": sessions, "late": told.late}, default=_instant)


def _told(text: str | None) -> Told:
    """What an earlier run has told; of a state that cannot be read nothing is known."""
    if text is None:
        return Told()
    try:
        found = json.loads(text)
        return Told(
            sessions={evse_id: _session(one) for evse_id, one in found["sessions"].items()},
            late={name: _at(at) for name, at in found["late"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        _log.error("webhooks: what was told cannot be read; told anew", why=str(error))
        return Told()


def _session(one: dict[str, str | None]) -> RunningSession:
    ready_at = one["ready_at"]
    return RunningSession(
        subject=one["subject"] or "",
        vehicle_id=one["vehicle_id"] or "",
        transaction_id=one["transaction_id"] or "",
        started_at=_at(one["started_at"]),
        progress_at=_at(one["progress_at"]),
        ready_at=None if ready_at is None else _at(ready_at),
    )


def _at(text: str | None) -> datetime:
    return as_utc(datetime.fromisoformat(text or ""))
