"""Who has sent what, in one line each, and what was wrong with it: for the judge."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

_KEEP = 100_000
_KEEP_IRREGULARITIES = 10_000


@dataclass(slots=True, kw_only=True)
class Receipt:
    """One message as it came, and whether its sender could know that it was taken."""

    at: datetime
    acknowledged: bool = True
    """False: a fault of ours has spoilt the answer, so sending it again is no mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One message of a VEN."""

    number: int
    at: datetime
    ven_id: str
    service: str
    name: str
    """`oadrPoll`."""
    code: int | None
    """Of its eiResponse, if it has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Irregularity:
    """Something a VEN should not have sent."""

    at: datetime
    ven_id: str
    text: str


class Ledger:
    """A bounded record."""

    def __init__(self) -> None:
        self._heard: deque[Heard] = deque(maxlen=_KEEP)
        self._irregularities: deque[Irregularity] = deque(maxlen=_KEEP_IRREGULARITIES)
        self._number = 0
        self._news = asyncio.Event()

    def hear(self, at: datetime, ven_id: str, service: str, name: str, code: int | None) -> None:
        """Record a message."""
        self._number += 1
        self._heard.append(
            Heard(number=self._number, at=at, ven_id=ven_id, service=service, name=name, code=code)
        )
        self._news.set()
        self._news = asyncio.Event()

    def complain(self, at: datetime, ven_id: str, text: str) -> None:
        """Record what was wrong."""
        self._irregularities.append(Irregularity(at=at, ven_id=ven_id, text=text))

    @property
    def number(self) -> int:
        """Of the newest message."""
        return self._number

    async def newer(self, than: int) -> None:
        """Wait until there is a message numbered above `than`."""
        while self._number <= than:
            await self._news.wait()

    def heard(
        self,
        ven_id: str,
        since: datetime,
        until: datetime,
        name: str | None = None,
        above: int = 0,
    ) -> Sequence[Heard]:
        """What one VEN has sent in `[since, until]`, numbered above `above`, in that order.

        A VEN without its own name yet counts as any: oadrQueryRegistration has no venID.
        """
        return [
            one
            for one in self._heard
            if one.ven_id in (ven_id, "")
            and one.number > above
            and since <= one.at <= until
            and name in (None, one.name)
        ]

    @property
    def all_irregularities(self) -> Sequence[Irregularity]:
        """Those of every VEN, and of who is not known."""
        return tuple(self._irregularities)

    def irregularities(self, ven_id: str, since: datetime | None = None) -> Sequence[Irregularity]:
        """Those of one VEN, in order of time."""
        return [
            one
            for one in self._irregularities
            if one.ven_id == ven_id and (since is None or one.at >= since)
        ]
