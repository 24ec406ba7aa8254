"""What is promised to a program, and how it is called and measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from gateway.domain.event import EventSource
from gateway.domain.program.source import Source
from gateway.domain.words import pct, span


class Shape(StrEnum):
    """What a commitment means."""

    BY = "by"
    """So many kW less than the baseline."""
    TO = "to"
    """Not above a firm service level; there is no baseline."""
    AVERAGE = "average"
    """The mean reduction over all events of a season."""
    AVOID_PEAK = "avoid_peak"
    """Little load in a system peak that is known only afterwards; there is no event."""
    CONSUME = "consume"
    """So many kW more than the baseline."""
    ENVELOPE = "envelope"
    """Within limits that the network operator sends; nothing is sold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """The shape of the promise."""

    shape: Shape = Shape.BY
    level_share_max: float | None = None
    """A firm service level lies at most at this share of the highest monthly demand, 0-1."""
    fixed_for: str = ""
    """How long it stands, in words: `a month`, `from November to November`."""
    source: Source | None = None

    @property
    def words(self) -> str:
        """`drop to a firm service level of at most 85 % of the highest demand`."""
        most = self.level_share_max
        level = f" of at most {pct(most)} of the highest demand" if most is not None else ""
        stands = f", fixed for {self.fixed_for}" if self.fixed_for else ""
        return _SHAPES[self.shape] + level + stands


_SHAPES = {
    Shape.BY: "reduce by the promised kW below the baseline",
    Shape.TO: "drop to a firm service level",
    Shape.AVERAGE: "the mean kW over all events of a season",
    Shape.AVOID_PEAK: "keep load low in the system's peak, known only afterwards",
    Shape.CONSUME: "take the promised kW more than the baseline",
    Shape.ENVELOPE: "stay inside the limits that are sent",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What makes the operator call. It informs forecasts, and never gates an event."""

    when: str
    source: Source | None = None

    @property
    def words(self) -> str:
        """In words."""
        return self.when


ANY_SOURCE = frozenset(EventSource)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRule:
    """How events come and what must be answered."""

    sources: frozenset[EventSource] = ANY_SOURCE
    acknowledge_within: timedelta | None = None
    source: Source | None = None

    @property
    def words(self) -> str:
        """`events by api, manual, openadr`."""
        within = self.acknowledge_within
        ack = f", to be acknowledged within {span(within)}" if within is not None else ""
        return "events by " + ", ".join(sorted(self.sources)) + ack


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryRule:
    """What must be measured and sent."""

    interval: timedelta
    latency: timedelta | None = None
    backfill: bool = False
    """Gaps are to be filled in afterwards."""
    per_device: bool = False
    source: Source | None = None

    @property
    def words(self) -> str:
        """`every 5 min, per device`."""
        parts = [f"every {span(self.interval)}"]
        parts += [f"within {span(self.latency)}"] if self.latency is not None else []
        parts += ["per device"] if self.per_device else []
        parts += ["gaps filled in afterwards"] if self.backfill else []
        return ", ".join(parts)
