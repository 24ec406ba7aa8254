"""In-memory twins of the fleet's stores, for tests and simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from site_agent.flows.answers import KeptAnswer


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
    """`site_agent.flows.answers.AnswerStore`."""

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
