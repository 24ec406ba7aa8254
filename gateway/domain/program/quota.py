"""How often and how long a program may call, and how calls are counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from gateway.domain.program.source import Source
from gateway.domain.words import span


class Unit(StrEnum):
    """What is counted."""

    EVENTS = "events"
    HOURS = "hours"


class Per(StrEnum):
    """Over which local period."""

    DAY = "day"
    WEEK = "week"
    """Monday to Sunday."""
    MONTH = "month"
    SEASON = "season"
    YEAR = "year"
    """From the program's `year_starts`."""
    TERM = "term"
    """Between two of the program's `terms`."""


class Scope(StrEnum):
    """Of whom."""

    PROGRAM = "program"
    NETWORK = "network"
    RESOURCE = "resource"
    """One site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most `limit` events or hours over a period.

    An event counts on the local day of its start; its hours fall to the periods they lie in.
    """

    unit: Unit = Unit.EVENTS
    limit: float
    per: Per
    scope: Scope = Scope.PROGRAM
    tests_count: bool = True
    product: str = ""
    source: Source | None = None

    def __post_init__(self) -> None:
        if self.limit < 0:
            raise ValueError("limit: must not be negative")

    @property
    def words(self) -> str:
        """`at most 30 hours a month and network, tests not counted`."""
        of = "" if self.scope is Scope.PROGRAM else f" and {self.scope.value}"
        tests = "" if self.tests_count else ", tests not counted"
        product = f" ({self.product})" if self.product else ""
        return f"at most {self.limit:g} {self.unit.value} a {self.per.value}{of}{tests}{product}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxInRow:
    """At most so many days in a row with an event."""

    days: int
    scope: Scope = Scope.PROGRAM
    tests_count: bool = True
    source: Source | None = None

    def __post_init__(self) -> None:
        if self.days < 1:
            raise ValueError("days: must be at least 1")

    @property
    def words(self) -> str:
        """`at most 3 days in a row`."""
        return f"events on at most {self.days} days in a row"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackToBack:
    """What becomes of two events of which one follows the other at once."""

    gap: timedelta = timedelta(0)
    """The next begins at most this long after the end of the one before."""
    one_event: bool = False
    """They count as one event."""
    allowed: bool = True
    """False: the program must leave more than `gap` between two events."""
    source: Source | None = None

    @property
    def words(self) -> str:
        """`events at most 30 min apart count as one`."""
        apart = f"events {span(self.gap)} apart or less" if self.gap else "events back to back"
        if not self.allowed:
            return f"{apart} are a breach by the utility"
        return f"{apart} count as {'one' if self.one_event else 'two'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """What counts of calls that were not carried out as announced."""

    cancelled: bool = False
    """A cancelled event counts, as long as it was announced."""
    shortened_in_full: bool = False
    """One that was shortened counts as long as it was announced."""
    extension: bool = True
    """The hours by which one was extended count."""
    overlapping_as_one: bool = False
    """Events of one program that overlap, mostly in several networks, are one."""
    source: Source | None = None

    @property
    def words(self) -> str:
        """Its flags in one sentence."""
        return (
            f"cancelled events {'count' if self.cancelled else 'do not count'}, "
            f"shortened ones {'as announced' if self.shortened_in_full else 'as they ran'}, "
            f"hours of an extension {'count' if self.extension else 'do not count'}, "
            f"overlapping ones are {'one' if self.overlapping_as_one else 'several'}"
        )
