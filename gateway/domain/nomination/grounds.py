"""Everything a proposal rests on; nothing else may influence it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from contracts.time import Interval
from gateway.domain.book import SiteOffers
from gateway.domain.enrolment import QuietTime
from gateway.domain.nomination.beside import Rival
from gateway.domain.nomination.history import Book
from gateway.domain.nomination.period import Period
from gateway.domain.nomination.sizing import PriceStep
from gateway.domain.program.nominating import NominationRule
from gateway.domain.program.program import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How careful a proposal is."""

    confidence: float = 0.9
    """Share of cases in which the quantity should be there, 0.5-0.99."""
    look_back: timedelta = timedelta(days=45)
    """How far back comparable days are looked for."""
    least_days: int = 5
    """With fewer comparable days there is no quantity."""
    prices: tuple[PriceStep, ...] = ()
    """Of our bids, smallest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A site that takes part in the program over the period."""

    site_id: str
    zone: ZoneInfo
    quiet: tuple[QuietTime, ...] = ()
    """When its owner wants no event."""
    delivers: float = 1.0
    """Part of what it is asked that it has given, 0-1."""
    out: str = ""
    """Why it is not counted at all; empty when it is."""

    def allows(self, hour: Interval) -> bool:
        """Whether its owner lets it be called in an hour."""
        return not any(quiet.touches(hour, self.zone) for quiet in self.quiet)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """At one moment, for one period of one program."""

    program: Program
    rule: NominationRule
    period: Period
    now: datetime
    members: tuple[Member, ...]
    history: Book
    offers: Mapping[str, SiteOffers] = field(default_factory=dict)
    """What sites offer for the hours ahead."""
    events: tuple[Interval, ...] = ()
    """Windows of past events in which members took part."""
    rivals: tuple[Rival, ...] = ()
    terms: Terms = field(default_factory=Terms)

    @property
    def counted(self) -> tuple[Member, ...]:
        """Members that are counted."""
        return tuple(one for one in self.members if not one.out)
