"""What the enrolled may refuse, when the program may not call, and its test events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from gateway.domain.program.notice import Notice
from gateway.domain.program.quota import Per
from gateway.domain.program.season import Season
from gateway.domain.program.source import Source
from gateway.domain.words import span


class Policy(StrEnum):
    """What we do with an event that breaks the program's rules, or is voluntary."""

    ACCEPT = "accept"
    OPT_OUT = "opt_out"
    ASK = "ask"
    """Opted out until a person says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOutRule:
    """Events of a period that may be refused without harm."""

    count: int
    per: Per = Per.SEASON
    source: Source | None = None

    @property
    def words(self) -> str:
        """`2 opt-outs a season`."""
        return f"{self.count} opt-outs a {self.per.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blackout:
    """Dates without events, both included."""

    name: str
    first: date
    last: date
    source: Source | None = None

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("last: lies before first")

    @property
    def words(self) -> str:
        """`harvest: none from 2026-09-01 to 2026-09-14`."""
        return f"{self.name}: none from {self.first} to {self.last}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StormBlackout:
    """No event in the days before a storm; the storms are told by people."""

    days_before: int
    storms: tuple[date, ...] = ()
    source: Source | None = None

    def storm_after(self, day: date) -> date | None:
        """The storm for which energy must be kept on a day."""
        near = (storm for storm in self.storms if 0 <= (storm - day).days <= self.days_before)
        return min(near, default=None)

    @property
    def words(self) -> str:
        """`none on the day of a storm and 2 days before`."""
        return f"none on the day of a storm and {self.days_before} days before it"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramTests:
    """Test events."""

    count: int | None = None
    """At most so many in a period; None: not said."""
    per: Per = Per.SEASON
    longest: timedelta | None = None
    windows: tuple[Season, ...] = ()
    """Parts of the year in which they come; empty: any."""
    notice: Notice | None = None
    """None: as for events."""
    waived_by_event: bool = False
    """An event of the period stands for the test."""
    sets_factor: bool = False
    """What it shows sets the performance factor, as an event would."""
    source: Source | None = None

    @property
    def words(self) -> str:
        """`at most 2 tests a season of at most 1 h, waived by an event`."""
        said = "tests" if self.count is None else f"at most {self.count} a {self.per.value}"
        parts = [said + (f" of at most {span(self.longest)}" if self.longest else "")]
        parts += [f"in {window.words}" for window in self.windows]
        parts += [self.notice.words] if self.notice else []
        parts += ["waived by an event"] if self.waived_by_event else []
        parts += ["they set the performance factor"] if self.sets_factor else []
        return ", ".join(parts)
