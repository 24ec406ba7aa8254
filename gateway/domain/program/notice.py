"""How long before an event a program must tell, and how long events may last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from gateway.domain.program.season import DayClass
from gateway.domain.program.source import Source
from gateway.domain.program.wall import checked_minute, clock, instant_of, local_day
from gateway.domain.words import span

_DAY = timedelta(days=1)


class Stage(StrEnum):
    """What is told."""

    STANDBY = "standby"
    """An event may come: keep energy, change no load."""
    DISPATCH = "dispatch"
    """An event will come."""
    REMINDER = "reminder"
    """Once more, shortly before; nothing hangs on it."""


class Late(StrEnum):
    """What a notice that came too late makes of the event."""

    VOLUNTARY = "voluntary"
    BREACH = "breach"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One stage of notice: a lead, business days, or a time on the wall of an earlier day.

    Several notices of the dispatch stage are alternatives: one of them must be kept.
    """

    stage: Stage = Stage.DISPATCH
    lead: timedelta | None = None
    business_days: int | None = None
    by: int | None = None
    """Time of day by which it is told, `days_before` the event."""
    days_before: int = 1
    late: Late = Late.BREACH
    product: str = ""
    source: Source | None = None

    def __post_init__(self) -> None:
        if sum(one is not None for one in (self.lead, self.business_days, self.by)) != 1:
            raise ValueError("a notice has one of lead, business_days and by")
        if self.lead is not None and self.lead < timedelta(0):
            raise ValueError("lead: must not be negative")
        if self.by is not None:
            checked_minute(self.by, "by")

    def deadline(self, start: datetime, days: DayClass, zone: ZoneInfo) -> datetime:
        """The last instant at which an event that begins at `start` may be told."""
        if self.lead is not None:
            return start - self.lead
        day = local_day(start, zone)
        if self.business_days is not None:
            return instant_of(days.business_days_before(day, self.business_days), 24 * 60, zone)
        assert self.by is not None  # noqa: S101 (one of the three is given)
        return instant_of(day - self.days_before * _DAY, self.by, zone, fold=1)

    @property
    def when(self) -> str:
        """`at least 2 h before`, `by 17:00 the day before`."""
        if self.lead is not None:
            return f"at least {span(self.lead)} before"
        if self.business_days is not None:
            return f"at least {self.business_days} business days before"
        ahead = "the day before" if self.days_before == 1 else f"{self.days_before} days before"
        return f"by {clock(self.by or 0)} {ahead if self.days_before else 'of the day'}"

    @property
    def words(self) -> str:
        """`dispatch at least 2 h before (late: voluntary)`."""
        product = f" ({self.product})" if self.product else ""
        if self.stage is Stage.REMINDER:
            return f"a reminder {span(self.lead or _DAY)} before{product}"
        late = "by choice" if self.late is Late.VOLUNTARY else "a breach by the utility"
        return f"{self.stage.value} {self.when}{product}; later is {late}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """How long an event may last, in elapsed time: a clock change makes it no longer.

    Several are alternatives, one a product.
    """

    shortest: timedelta = timedelta(0)
    longest: timedelta | None = None
    product: str = ""
    source: Source | None = None

    def __post_init__(self) -> None:
        if self.shortest < timedelta(0):
            raise ValueError("shortest: must not be negative")
        if self.longest is not None and self.longest < max(self.shortest, timedelta(seconds=1)):
            raise ValueError("longest: must be positive and not less than shortest")

    def holds(self, length: timedelta) -> bool:
        """Whether an event may last this long."""
        return self.shortest <= length and (self.longest is None or length <= self.longest)

    @property
    def words(self) -> str:
        """`1 h to 4 h`."""
        product = f" ({self.product})" if self.product else ""
        if self.longest is None:
            return f"{span(self.shortest)} or longer{product}"
        shortest = f"{span(self.shortest)} to" if self.shortest else "up to"
        return f"{shortest} {span(self.longest)}{product}"
