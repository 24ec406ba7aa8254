"""How far the meter at the connection point is believed: what `trust` finds and `room` respects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Check(StrEnum):
    """What a meter can fail."""

    NAMEPLATE = "nameplate"
    PHASES = "sum of phases"
    PHASE_LOST = "missing phase"
    FROZEN = "frozen"
    RESPONSE = "response to steps"
    DEVICES = "sum of devices"
    ENERGY = "energy register"


@dataclass(frozen=True, slots=True, kw_only=True)
class Distrust:
    """A meter that has been caught."""

    check: Check
    words: str
    since: datetime
    """When what caught it began."""
    at: datetime
    """When that was enough."""

    @property
    def detected_in(self) -> timedelta:
        """The time it took to be sure."""
        return self.at - self.since


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What devices may draw together."""

    power_w: float
    phases_a: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """What the site may make of the meter's reading."""

    distrust: Distrust | None = None
    """Not trusted: the reading has no value."""
    floor_w: float | None = None
    """Least that the building may be taken at, W: a fall of it is not confirmed yet."""
    floor_a: tuple[float | None, float | None, float | None] = (None, None, None)
    """The same by phase, A."""
    most: Granted | None = None
    """Most the site may grant until the meter has shown a step; None: it has. What the static split
    allows needs no meter."""


PLAIN = Belief()
"""As if every reading were true."""
