"""Messages on their way to the utility that must arrive once: stored first, then sent in order.

Only what cannot be told again from other memory goes through here: Responses and LogEvents. (A
reading follows from stored telemetry and overwrites itself by its mRID, a PUT overwrites itself.)

One *lane* is one document: its waiting messages, the keys of the last ones gone, and the state
they follow from, so a kill finds all of them or none. A lane is sent strictly in order, lanes go
on beside each other, and all together never faster than `MESSAGES_PER_S`: hours without the server
are followed by a trickle, not by a storm.

A POST without an answer may have arrived or not, and so may the head of a lane after a kill. Such
a message is looked up in the newest entries of the list it was posted to before it is sent again;
it is repeated only when the server does not show that list, or has more newer entries than we read.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import structlog

from contracts.backoff import Backoff
from contracts.errors import LinkDownError, PermanentError, ProtocolError, TransientError
from contracts.sep2.resources import Resource
from contracts.tasks import first_of
from contracts.time import Clock
from gateway.utility.sep2.memory import Sep2Memory
from gateway.utility.sep2.pace import Pace

_log = structlog.get_logger(__name__)
MESSAGES_PER_S = 20.0
MAX_WAITING = 1000
"""Of one lane; beyond it the oldest are given up."""
MAX_GARBLED_ANSWERS = 8
"""So often may the server answer one message with nonsense before the rest goes on without it."""
_REMEMBERED = 256
_WORKERS = 4
_FIRST_WAIT_S = 1.0
_TICK_S = 0.001
"""Clocks count no finer: what is due this soon is due."""


class Wire(Protocol):
    """What the outbox needs of `transport.Sep2Transport`."""

    def encode(self, resource: Resource) -> bytes:
        """The resource as it is sent."""
        ...

    async def send(
        self, method: Literal["PUT", "POST"], href: str, body: bytes, kind: str
    ) -> str | None:
        """Send an encoded resource; the Location if the server names one."""
        ...


class Arrivals(Protocol):
    """Knows whether a message without an answer is on the server (see `arrived`)."""

    async def holds(self, message: Message) -> bool:
        """Whether the server has it already; False when that cannot be found out."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One request to be made once."""

    key: str
    """What it says about what; the same key is never sent twice in one lane."""
    href: str
    kind: str
    """Name of the resource."""
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Messages that must arrive in order, with the state they follow from."""

    messages: tuple[Message, ...] = ()
    sent: tuple[str, ...] = ()
    """Keys of the last messages taken or refused by the server, oldest first."""
    state: object = None
    """Any JSON document."""

    def adding(self, messages: tuple[Message, ...]) -> Lane:
        """With those of the messages it does not know yet."""
        known = {*self.sent, *(message.key for message in self.messages)}
        new: dict[str, Message] = {m.key: m for m in messages if m.key not in known}
        return replace(self, messages=(*self.messages, *new.values()))

    def without_head(self) -> Lane:
        """With its first message done."""
        sent = (*self.sent, self.messages[0].key)[-_REMEMBERED:]
        return replace(self, messages=self.messages[1:], sent=sent)


class Sep2Outbox:
    """All lanes of one utility."""

    def __init__(
        self,
        memory: Sep2Memory,
        wire: Wire,
        arrivals: Arrivals,
        clock: Clock,
        max_backoff_s: float = 300.0,
    ) -> None:
        self._memory = memory
        self._wire = wire
        self._arrivals = arrivals
        self._clock = clock
        self._max_backoff_s = max_backoff_s
        self._pace = Pace(clock, MESSAGES_PER_S)
        self._lanes: dict[str, Lane] = {}
        self._waiting: dict[str, None] = {}
        """Lanes with something to send, the longest waiting first."""
        self._busy: set[str] = set()
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._unsure: set[tuple[str, str]] = set()
        self._garbled: dict[tuple[str, str], int] = {}
        self._backoffs: dict[str, Backoff] = {}
        self._not_before: dict[str, float] = {}
        self._link = self._new_backoff()
        self._link_not_before = 0.0
        self._news = asyncio.Event()

    async def restore(self) -> None:
        """Take up what a predecessor left; call it before anything else."""
        self._lanes = await self._memory.all(Lane)
        self._waiting = {name: None for name, lane in self._lanes.items() if lane.messages}
        self._unsure = {(name, self._lanes[name].messages[0].key) for name in self._waiting}
        self._news.set()

    @property
    def waiting(self) -> int:
        """How many messages are still to be sent."""
        return sum(len(self._lanes[name].messages) for name in self._waiting)

    def state(self, name: str) -> object:
        """The state of a lane as last put, None if it has none."""
        lane = self._lanes.get(name)
        return None if lane is None else lane.state

    def states(self) -> dict[str, object]:
        """The state of every lane that has one."""
        return {n: lane.state for n, lane in self._lanes.items() if lane.state is not None}

    def message(self, key: str, href: str, resource: Resource) -> Message:
        """A message of a resource.

        Raises:
            ValueError: a value the schema cannot carry.
        """
        body = self._wire.encode(resource).decode()
        return Message(key=key, href=href, kind=type(resource).__name__, body=body)

    async def put(self, name: str, *messages: Message, state: object = None) -> None:
        """Store messages behind those of a lane, together with its new state (None: as it was)."""
        async with self._locks[name]:
            lane = self._lanes.get(name, Lane())
            after = _bounded(name, lane.adding(messages))
            if state is not None:
                after = replace(after, state=state)
            if after == lane:
                return
            await self._store(name, after)
        self._news.set()

    async def forget(self, name: str) -> None:
        """Give up a lane with everything in it."""
        async with self._locks[name]:
            await self._memory.drop(Lane, [name])
            self._lanes.pop(name, None)
            self._waiting.pop(name, None)

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(_WORKERS):
                tasks.create_task(self._work())

    async def _work(self) -> None:
        while True:
            name = await self._next_lane()
            try:
                await self._pace.turn()
                await self._deliver(name)
            finally:
                self._busy.discard(name)
            if name in self._waiting:  # behind the others
                self._waiting[name] = self._waiting.pop(name)
            self._news.set()

    async def _next_lane(self) -> str:
        """Take the lane whose turn it is, as soon as there is one."""
        while True:
            self._news.clear()
            now = self._clock.monotonic()
            due = {name: self._due(name) for name in self._waiting if name not in self._busy}
            ready = next((name for name, at in due.items() if at <= now + _TICK_S), None)
            if ready is not None:
                self._busy.add(ready)
                return ready
            if due:
                await first_of(self._news.wait(), self._clock.sleep(min(due.values()) - now))
            else:
                await self._news.wait()

    def _due(self, name: str) -> float:
        return max(self._link_not_before, self._not_before.get(name, 0.0))

    async def _deliver(self, name: str) -> None:
        """Try the head of a lane once."""
        lane = self._lanes.get(name)
        if lane is None or not lane.messages:
            return  # forgotten while it waited for its turn
        message = lane.messages[0]
        place = name, message.key
        try:
            await self._send(place, message)
        except TransientError as error:
            self._postpone(name, error)
            return
        self._link.reset()
        self._unsure.discard(place)
        self._garbled.pop(place, None)
        self._backoffs.pop(name, None)
        async with self._locks[name]:
            lane = self._lanes.get(name)
            if lane is not None and lane.messages and lane.messages[0].key == message.key:
                await self._store(name, lane.without_head())

    async def _send(self, place: tuple[str, str], message: Message) -> None:
        """Returns once the server has the message or will never have it."""
        if place in self._unsure and await self._arrivals.holds(message):
            _log.info("sep2_message_had_arrived", place=place)
            return
        self._unsure.add(place)
        try:
            await self._wire.send("POST", message.href, message.body.encode(), message.kind)
        except PermanentError as error:
            _log.error("sep2_message_refused", place=place, error=str(error))
        except ProtocolError as error:
            tries = self._garbled[place] = self._garbled.get(place, 0) + 1
            if tries < MAX_GARBLED_ANSWERS:
                raise TransientError(f"answer to {message.key}: {error}") from error
            _log.error("sep2_answers_garbled", place=place, tries=tries, error=str(error))

    def _postpone(self, name: str, error: TransientError) -> None:
        """The lane waits; when the link itself is down, all of them."""
        now = self._clock.monotonic()
        if not isinstance(error, LinkDownError):
            backoff = self._backoffs.setdefault(name, self._new_backoff())
            asked = getattr(error, "retry_after_s", None)
            self._not_before[name] = now + max(backoff.next_s(), asked or 0.0)
        elif self._link_not_before <= now:
            self._link_not_before = now + self._link.next_s()
        _log.warning("sep2_message_postponed", lane=name, error=str(error))

    async def _store(self, name: str, lane: Lane) -> None:
        await self._memory.put(name, lane)
        self._lanes[name] = lane
        if lane.messages:
            self._waiting.setdefault(name, None)
        else:
            self._waiting.pop(name, None)

    def _new_backoff(self) -> Backoff:
        return Backoff(_FIRST_WAIT_S, self._max_backoff_s)


def _bounded(name: str, lane: Lane) -> Lane:
    surplus = len(lane.messages) - MAX_WAITING
    if surplus <= 0:
        return lane
    for message in lane.messages[:surplus]:
        _log.error("sep2_message_given_up", lane=name, key=message.key)
    return replace(lane, messages=lane.messages[surplus:])
