"""A site's part in a program: dates, promise, consent, and what its owner allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.days import EVERY_DAY
from contracts.time import Interval
from gateway.domain.program.call import Call, closed
from gateway.domain.program.period import period_of
from gateway.domain.program.program import Program
from gateway.domain.program.quota import Per
from gateway.domain.program.season import DayClass
from gateway.domain.program.use import occasions
from gateway.domain.program.wall import local_day, span_of
from gateway.domain.program.window import CallWindow, uncovered
from gateway.domain.settle.sharing import Sharing
from gateway.domain.words import pct, span

_NO_HOLIDAYS = DayClass()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietTime:
    """Hours in which the owner wants no event, on the wall of the site."""

    start: int
    """Minutes after midnight; an end at or before it lies on the next day."""
    end: int
    kinds: frozenset[int] = EVERY_DAY
    """0 Monday to 6 Sunday."""

    def touches(self, call: Interval, zone: ZoneInfo) -> bool:
        """Whether some of a call lies in it."""
        window = CallWindow(start=self.start, end=self.end, kinds=self.kinds)
        return uncovered(call, (window,), _NO_HOLIDAYS, zone) != (call,)

    @property
    def words(self) -> str:
        """`22:00 to 06:00 of the next day`."""
        return CallWindow(start=self.start, end=self.end, kinds=self.kinds).words


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerLimits:
    """What the owner of a site allows; None: no limit. They bind us, not the utility."""

    max_events_per_month: int | None = None
    max_events_per_season: int | None = None
    max_duration: timedelta | None = None
    quiet: tuple[QuietTime, ...] = ()
    min_ready_share: float | None = None
    """Share of the site's expected vehicles that must be on track when an event comes, 0-1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Who agreed that the site takes part, and when."""

    by: str
    given: date
    text: str = ""
    """Where it can be found: a contract's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A site's part in a program."""

    site_id: str
    program_id: str
    nominated_w: float
    """Reduction promised, W, >= 0."""
    since: date | None = None
    """First local day; None: from ever."""
    until: date | None = None
    """Last local day; None: until further notice."""
    firm_level_w: float | None = None
    """Firm service level, W: what its load is to stay at or below in an event; None: none."""
    network: str = ""
    """The network group of the program that the site belongs to."""
    owner: OwnerLimits = field(default_factory=OwnerLimits)
    consent: Consent | None = None
    meters: tuple[str, ...] = ()
    """Of the site's revenue meters those it is settled on; none: all of them."""
    sharing: Sharing | None = None
    """What of the program's money is the site's; None: not agreed, so not known."""

    def holds_on(self, day: date) -> bool:
        """Whether the site takes part on a day."""
        begun = self.since is None or self.since <= day
        return begun and (self.until is None or day <= self.until)


def objections(
    limits: OwnerLimits,
    zone: ZoneInfo,
    program: Program,
    call: Call,
    history: Sequence[Call],
    ready_share: float | None,
    now: datetime,
) -> Iterator[str]:
    """Why the owner's limits keep a site out of an event; nothing when they do not.

    Args:
        limits: The owner's.
        zone: Of the site: its quiet times are on its own wall.
        program: Whose seasons count.
        call: The event.
        history: Other events of the program that the site took part in.
        ready_share: Share of the vehicles on track now; None: none is expected or it is not known.
        now: Up to which an event without an end counts.
    """
    lasts = call.window.duration
    if limits.max_duration is not None and (lasts is None or lasts > limits.max_duration):
        length = "has no end" if lasts is None else f"lasts {span(lasts)}"
        yield f"the event {length}; the owner allows {span(limits.max_duration)}"
    for quiet in limits.quiet:
        if quiet.touches(closed(call.window, now), zone):
            yield f"the owner wants no event from {quiet.words}"
    for per, most in (
        (Per.MONTH, limits.max_events_per_month),
        (Per.SEASON, limits.max_events_per_season),
    ):
        count = _with_it(per, program, call, history, now)
        if most is not None and count > most:
            yield f"event {count} of the {per.value}; the owner allows {most}"
    least = limits.min_ready_share
    if least is not None and ready_share is not None and ready_share < least:
        yield f"{pct(ready_share)} of the vehicles are on track; the owner asks for {pct(least)}"


def _with_it(per: Per, program: Program, call: Call, history: Sequence[Call], now: datetime) -> int:
    """Events of the period of a call, the call included; a year stands for a missing season."""
    day = local_day(call.window.start, program.zone)
    dates = period_of(per, day, program.rules) or period_of(Per.YEAR, day, program.rules)
    if dates is None:
        return 1
    period = span_of(*dates, program.zone)
    every = [*(one for one in history if one.event_key != call.event_key), call]
    return sum(one.start in period for one in occasions(every, program.rules, now))
