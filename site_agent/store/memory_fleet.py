"""In-memory twins of the fleet's stores, for tests and simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


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
