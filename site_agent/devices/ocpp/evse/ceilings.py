"""Limits that others set on an EVSE: a cloud CSMS, an energy manager at the charger, the grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

_MOST_SOURCES = 16
TOLD = "told/"
"""Begins the names of sources the charger itself tells of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """Steps of a limit in order of time: from `at` on, `limit_a` per phase (None: no limit)."""

    steps: tuple[tuple[datetime, float | None], ...]

    def at(self, now: datetime) -> float | None:
        """The limit at an instant; None before the first step."""
        limit_a = None
        for since, value_a in self.steps:
            if since > now:
                break
            limit_a = value_a
        return limit_a


class Limiting(Protocol):
    """What limits an EVSE, as a fixed `Ceiling` or by what holds at the time."""

    def at(self, now: datetime) -> float | None:
        """The limit at an instant, A per phase; None: none."""
        ...


class Ceilings:
    """The ceilings of one EVSE, by who set them; the lowest counts."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Limiting, ...]] = {}

    def put(self, source: str, ceilings: Sequence[Limiting]) -> None:
        """Replace what this source has set; beyond the most, the oldest told by it goes."""
        self._held.pop(source, None)
        if ceilings:
            self._held[source] = tuple(ceilings)
        while len(self._held) > _MOST_SOURCES:
            told = (held for held in self._held if held.startswith(TOLD))
            del self._held[next(told, next(iter(self._held)))]

    def drop(self, source: str) -> None:
        """It limits nothing any more."""
        self._held.pop(source, None)

    def rebooted(self) -> None:
        """The charger has restarted: what still limits it there it will tell again."""
        for source in [held for held in self._held if held.startswith(TOLD)]:
            del self._held[source]

    @property
    def sources(self) -> tuple[str, ...]:
        """Who limits it now or later."""
        return tuple(self._held)

    def at(self, now: datetime) -> float | None:
        """The lowest of all, A per phase, never below 0; None: nobody limits it."""
        lowest_a: float | None = None
        for held in self._held.values():
            for ceiling in held:
                limit_a = ceiling.at(now)
                if limit_a is not None and (lowest_a is None or limit_a < lowest_a):
                    lowest_a = max(limit_a, 0.0)
        return lowest_a
