"""What sites offered hour by hour, and what was nominated."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from contracts.time import Interval
from gateway.domain.nomination.history import Offered
from gateway.domain.nomination.nomination import Decision, Nomination


class NominationBook(Protocol):
    """Each method is one transaction. Nothing of what is kept is ever changed, only added to."""

    async def record(self, offered: Sequence[Offered]) -> None:
        """Keep what sites offered; of an hour of a site the first word stands."""
        ...

    async def offered(self, hours: Collection[datetime]) -> Sequence[Offered]:
        """What every site offered in these whole hours, by hour and site."""
        ...

    async def forget(self, before: datetime) -> int:
        """Drop the hours that began before an instant; how many rows these were."""
        ...

    async def add(self, one: Nomination, request: str | None = None) -> bool:
        """Keep a new nomination; False: one of this id, or of this request, is there already."""
        ...

    async def decide(self, decisions: Sequence[tuple[str, Decision]]) -> None:
        """Add a step to each of these nominations: all of them, or none."""
        ...

    async def nomination(self, nomination_id: str) -> Nomination | None:
        """One nomination with its steps."""
        ...

    async def requested(self, request: str) -> Nomination | None:
        """The nomination that was made for a request, by its idempotency key."""
        ...

    async def nominations(
        self, program_id: str | None = None, window: Interval | None = None
    ) -> Sequence[Nomination]:
        """Those of a program (None: of all) whose period touches a window, newest period first."""
        ...
