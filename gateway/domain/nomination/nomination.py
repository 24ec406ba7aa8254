r"""A nomination and its life: versioned, never edited in place, every step with who and why.

::

    proposed --accept--> accepted --(its period)--> in force --> ended
        |                   |  \--a newer revision is accepted--> superseded
        |--refuse--> refused \--withdraw--> withdrawn
        |--a newer revision is proposed--> superseded
        \--(its gate)--> lapsed

After the gate nothing changes any more: what is accepted then stays so, what is not never will be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from contracts.time import Interval
from gateway.domain.program.promise import Shape


class Status(StrEnum):
    """What was decided."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


class State(StrEnum):
    """What a nomination is at an instant: what was decided, and what time has made of it."""

    PROPOSED = "proposed"
    LAPSED = "lapsed"
    """Its gate has closed before anybody accepted it."""
    ACCEPTED = "accepted"
    IN_FORCE = "in force"
    ENDED = "ended"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


class Basis(StrEnum):
    """What a quantity rests on."""

    OFFERS = "offers"
    """What sites offer for these very hours."""
    HISTORY = "history"
    """What they offered in comparable hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """What is promised in some hours of the period."""

    name: str
    """The part of the week, or local hours; empty: all hours that may be called."""
    hours: tuple[Interval, ...]
    power_w: float
    """Reduction, W, >= 0; 0: nothing is promised in these hours, and `words` say why."""
    parts: Mapping[str, float]
    """Of it by site, W; they add up to `power_w`."""
    level_w: float | None = None
    """The firm service level of all counted sites, where that is what is promised."""
    price: float | None = None
    """Of a bid, currency per kWh."""
    basis: Basis = Basis.HISTORY
    days_used: tuple[date, ...] = ()
    days_out: tuple[tuple[date, str], ...] = ()
    """Comparable days that were left out, and why."""
    taken: Mapping[str, float]
    """By site, what programs that exclude this one had when it was proposed, W."""
    words: tuple[str, ...] = ()
    """How the number came about, step by step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One step of its life."""

    at: datetime
    status: Status
    by: str
    """A person, or `rule: ...`."""
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Nomination:
    """What is promised to a program for one period, in one revision."""

    nomination_id: str
    program_id: str
    program_version: str
    label: str
    """Of the period."""
    period: Interval
    gate: datetime
    gate_stated: bool
    """False: the program states none, so the period's start stands for it."""
    revision: int
    """From 1 on, for the same period."""
    shape: Shape
    confidence: float
    """Share of cases in which the quantity is expected to be there, 0.5-0.99."""
    made_at: datetime
    quantities: tuple[Quantity, ...]
    sites_out: tuple[tuple[str, str], ...] = ()
    """Sites that were not counted, and why."""
    decisions: tuple[Decision, ...]
    """Oldest first; the first says who proposed it and why."""

    @property
    def status(self) -> Status:
        """What was decided last."""
        return self.decisions[-1].status

    @property
    def late(self) -> bool:
        """Whether it was made after its gate; it can never be accepted then."""
        return self.made_at >= self.gate

    def state(self, now: datetime) -> State:
        """What it is at an instant."""
        if self.status is Status.PROPOSED:
            return State.PROPOSED if now < self.gate else State.LAPSED
        if self.status is not Status.ACCEPTED:
            return State(self.status.value)
        if now < self.period.start:
            return State.ACCEPTED
        return State.IN_FORCE if now in self.period else State.ENDED


_FROM = {
    Status.ACCEPTED: (Status.PROPOSED,),
    Status.REFUSED: (Status.PROPOSED,),
    Status.WITHDRAWN: (Status.ACCEPTED,),
    Status.SUPERSEDED: (Status.PROPOSED, Status.ACCEPTED),
}
_BEFORE_GATE = (Status.ACCEPTED, Status.WITHDRAWN, Status.SUPERSEDED)


def objection(one: Nomination, wanted: Status, now: datetime) -> str:
    """Why a nomination cannot become what is wanted; empty when it can."""
    if one.status not in _FROM.get(wanted, ()):
        return f"{one.nomination_id} is {one.state(now).value}: it cannot be {wanted.value}"
    if wanted in _BEFORE_GATE and now >= one.gate:
        closed = one.gate.isoformat(timespec="minutes")
        return f"the gate of {one.nomination_id} closed at {closed}: it stays {one.status.value}"
    return ""


def decided(one: Nomination, decision: Decision) -> Nomination:
    """The nomination with one more step."""
    return replace(one, decisions=(*one.decisions, decision))


def same_promise(one: Nomination, other: Nomination) -> bool:
    """Whether two revisions promise the same, however the numbers came about."""
    return [_promise(q) for q in one.quantities] == [_promise(q) for q in other.quantities]


def _promise(one: Quantity) -> tuple[object, ...]:
    parts = {site_id: round(w) for site_id, w in one.parts.items()}
    return (one.hours, round(one.power_w), parts, one.level_w, one.price)
