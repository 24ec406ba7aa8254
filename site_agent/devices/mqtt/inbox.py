"""What waits to be looked at: bounded for each topic, the newest wins, each topic gets its turn."""

from __future__ import annotations

import asyncio
from collections import deque

import aiomqtt
import structlog

MOST_OF_A_TOPIC = 8
MOST_TOPICS = 256
"""Topics we subscribe to are few; a wildcard makes them no more than this."""

QUIET_S = 10.0
"""So long without a drop, and a flood is over."""
_log = structlog.get_logger(__name__)


class _Turns:
    """A queue of messages by topic: FIFO within a topic, round robin among topics."""

    def __init__(self) -> None:
        self._topics: dict[str, deque[aiomqtt.Message]] = {}
        self.dropped = 0

    def __len__(self) -> int:
        return sum(len(waiting) for waiting in self._topics.values())

    def append(self, message: aiomqtt.Message) -> None:
        topic = str(message.topic)
        waiting = self._topics.get(topic)
        if waiting is None:
            if len(self._topics) >= MOST_TOPICS:
                self.dropped += 1
                return
            waiting = self._topics[topic] = deque(maxlen=MOST_OF_A_TOPIC)
        self.dropped += len(waiting) == MOST_OF_A_TOPIC  # the oldest makes room
        waiting.append(message)

    def popleft(self) -> aiomqtt.Message:
        topic = next(iter(self._topics))
        waiting = self._topics.pop(topic)
        message = waiting.popleft()
        if waiting:
            self._topics[topic] = waiting
        return message


class Inbox(asyncio.Queue[aiomqtt.Message]):
    """The queue aiomqtt fills; its own would drop the newest, with a line in the log for each."""

    _queue: _Turns

    def _init(self, maxsize: int) -> None:
        del maxsize  # bounded in its own way
        self._queue = _Turns()

    def _get(self) -> aiomqtt.Message:
        return self._queue.popleft()

    def _put(self, item: aiomqtt.Message) -> None:
        self._queue.append(item)

    @property
    def dropped(self) -> int:
        """Messages that made room for newer ones."""
        return self._queue.dropped


class FloodLog:
    """One line when messages begin to be dropped, and one when that is over."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self._dropped = 0
        self._since_s: float | None = None
        self._last_s = 0.0
        self._lost = 0

    def see(self, dropped: int, now_s: float) -> None:
        """How many have been dropped so far, on this connection."""
        if dropped < self._dropped:
            self._dropped = 0  # another connection
        new = dropped - self._dropped
        self._dropped = dropped
        if new:
            self._last_s = now_s
            self._lost += new
            if self._since_s is None:
                self._since_s = now_s
                _log.warning("mqtt flood: of each topic only the newest count", peer=self._peer)
        elif self._since_s is not None and now_s - self._last_s > QUIET_S:
            _log.info("mqtt flood over", peer=self._peer, dropped=self._lost)
            self._since_s, self._lost = None, 0
