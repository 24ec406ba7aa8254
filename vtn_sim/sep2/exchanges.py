"""Every request with its answer, in clear: for people, for counting, and for the judge."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_POLLS_KEPT = 200
_PATHS_KEPT = 20_000
_KEPT_OF_A_BODY = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer; a Notification is one with the sides changed."""

    number: int
    at: datetime
    lfdi: str
    method: str
    path: str
    """With its query."""
    kind: str
    """Name of the resource; empty when nothing is there."""
    status: int
    """0: no answer."""
    request: str
    response: str
    remarks: tuple[str, ...]
    """What the client did that the standard does not have, or what was done to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One successful GET of the first page of a resource, and the pollRate it was told."""

    at: datetime
    rate: timedelta | None


class Exchanges:
    """A bounded record, numbered from 1."""

    def __init__(self, keep: int) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=keep)
        self._number = 0
        self._counts: Counter[str] = Counter()
        self._polls: dict[tuple[str, str, str], deque[Poll]] = {}
        self._arrived = asyncio.Event()

    def add(
        self,
        *,
        at: datetime,
        lfdi: str,
        method: str,
        path: str,
        kind: str,
        status: int,
        request: bytes = b"",
        response: bytes = b"",
        remarks: Sequence[str] = (),
    ) -> Exchange:
        """Record one."""
        self._number += 1
        self._counts[f"{method} {kind or 'unknown'}"] += 1
        exchange = Exchange(
            number=self._number,
            at=at,
            lfdi=lfdi,
            method=method,
            path=path,
            kind=kind,
            status=status,
            request=_text(request),
            response=_text(response),
            remarks=tuple(remarks),
        )
        self._exchanges.append(exchange)
        self._arrived.set()
        self._arrived = asyncio.Event()
        return exchange

    def polled(self, lfdi: str, kind: str, path: str, poll: Poll) -> None:
        """Remember when a client read a resource."""
        key = (lfdi, kind, path)
        if key not in self._polls:
            if len(self._polls) >= _PATHS_KEPT:
                return
            self._polls[key] = deque(maxlen=_POLLS_KEPT)
        self._polls[key].append(poll)

    def polls(self, lfdi: str) -> Mapping[tuple[str, str], Sequence[Poll]]:
        """When a client read what, by kind and path."""
        return {
            (kind, path): tuple(polls)
            for (client, kind, path), polls in self._polls.items()
            if client == lfdi
        }

    @property
    def counts(self) -> Mapping[str, int]:
        """Requests by method and kind, `GET DERControlList`."""
        return dict(sorted(self._counts.items()))

    def reset_counts(self) -> None:
        """Count from zero."""
        self._counts.clear()

    async def newer(self, after: int, timeout_s: float) -> None:
        """Wait until there is an exchange numbered above `after`, at most so long."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._number <= after:
                    await self._arrived.wait()
        except TimeoutError:
            return

    def get(self, number: int) -> Exchange | None:
        """One exchange, unless it has gone."""
        return next((e for e in self._exchanges if e.number == number), None)

    def last(self, limit: int, after: int = 0) -> Sequence[Exchange]:
        """The newest numbered above `after`, oldest first."""
        newer = [e for e in self._exchanges if e.number > after]
        return newer[-limit:] if limit else []


def _text(body: bytes) -> str:
    return body[:_KEPT_OF_A_BODY].decode("utf-8", "replace")
