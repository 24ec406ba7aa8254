"""What is known, as it was at one instant. Adapters gather it; nothing later may be in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from contracts.time import Interval
from gateway.domain.delivery.course import Course
from gateway.domain.delivery.standing import Standing
from gateway.domain.dispatch import DispatchPlan, SiteAllocation
from gateway.domain.eligibility import Condition
from gateway.domain.enrolment import Enrolment
from gateway.domain.event import GridEvent, OptDecision
from gateway.domain.operating_envelope import FREE, EnvelopeStep, SiteBounds
from gateway.domain.portfolio import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A line of the journal."""

    at: datetime
    action: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Out:
    """A site that was taken out of an event."""

    event_key: str
    site_id: str
    at: datetime
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldStep:
    """What a site is to hold over an interval."""

    interval: Interval
    bounds: SiteBounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A site's word on an instruction."""

    at: datetime
    state: str
    """`stored`, `started`, `applied`, `completed`, `rejected`, `expired` or `superseded`."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An instruction with what became of it."""

    instruction_id: str
    site_id: str
    number: int
    """Of the site; a higher one is newer."""
    event_key: str
    """Of the event, or of the envelope, that it carries."""
    revision: int
    """Of the plan; 0 of an envelope."""
    issued_at: datetime
    expires_at: datetime
    cause: str
    steps: tuple[ToldStep, ...] = ()
    """None: it takes back what was told before."""
    fallback: SiteBounds = FREE
    standing: bool = False
    test: bool = False
    said: tuple[Said, ...] = ()
    """In order of time."""

    @property
    def rejected(self) -> bool:
        """Whether the site would not have it."""
        return any(one.state == "rejected" for one in self.said)

    @property
    def state(self) -> str:
        """What the site has said last, with its reason."""
        if not self.said:
            return "not confirmed yet"
        last = self.said[-1]
        return f"{last.state} ({last.reason})" if last.reason else last.state

    def now(self, at: datetime) -> ToldStep | None:
        """The step in force at an instant."""
        return next((step for step in self.steps if at in step.interval), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """About one event."""

    event_key: str
    now: datetime
    """As of when."""
    zone: tzinfo
    journal: Sequence[Noted] = ()
    event: GridEvent | None = None
    """At the modification of then; None: none was ever taken."""
    decision: OptDecision | None = None
    received_at: datetime | None = None
    program_name: str = ""
    """Empty: not a program of ours."""
    asks: str = ""
    """Its signal in words."""
    plans: Sequence[DispatchPlan] = ()
    """Every revision, oldest first."""
    told: Sequence[Told] = ()
    out: Sequence[Out] = ()
    imposed: Mapping[str, Sequence[EnvelopeStep]] = field(default_factory=dict)
    """Operating envelopes in force now, by site."""
    course: Course | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEvent:
    """An open event that addresses a site."""

    event: GridEvent
    program_name: str
    decision: OptDecision
    allocation: SiteAllocation | None = None
    """The site's part of the newest plan; None: none has been made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """An enrolment with the conditions of its program."""

    program_name: str
    enrolment: Enrolment
    in_force: bool
    conditions: Sequence[Condition] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """About one site."""

    site: Site
    now: datetime
    zone: tzinfo
    online: bool | None
    """None: not known for that time."""
    heard_at: datetime | None = None
    health: str = ""
    """How its agent is, in words."""
    load: str = ""
    """What it draws, in words."""
    offer: str = ""
    told: Sequence[Told] = ()
    """The newest of every chain that has not expired."""
    imposed: Sequence[tuple[str, EnvelopeStep]] = ()
    """Operating envelopes in force now, by utility."""
    price: str = ""
    """What it pays, in words; empty: it follows no prices."""
    events: Sequence[SiteEvent] = ()
    standing: Standing | None = None
    out: Sequence[Out] = ()
    controls: Sequence[tuple[str, str]] = ()
    """Of utilities: which, and what they ask."""
    enrolments: Sequence[Enrolled] = ()
    journal: Sequence[Noted] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionFacts:
    """About one instruction."""

    told: Told
    now: datetime
    zone: tzinfo
    event: GridEvent | None = None
    """None: it carries an operating envelope."""
    program_name: str = ""
    plan: DispatchPlan | None = None
    """The one it is part of."""
    newer: Told | None = None
    """What replaced it."""
