"""What is remembered of how sites and events deliver, over restarts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.domain.delivery.course import Course
from gateway.domain.delivery.standing import Standing


class DeliveryMemory(Protocol):
    """Each method is one transaction."""

    async def keep(self, course: Course, standings: Sequence[Standing]) -> None:
        """Keep how an event goes and what is known of sites, instead of what was kept before."""
        ...

    async def course(self, event_key: str) -> Course | None:
        """How an event went up to the last minute kept; None: it has not begun."""
        ...

    async def standings(self) -> Sequence[Standing]:
        """Of every site of which anything is known, in order of site."""
        ...
