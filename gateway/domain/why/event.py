"""Why an event stands as it does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.domain.delivery.course import Course
from gateway.domain.dispatch import DispatchPlan, effective
from gateway.domain.event import (
    BY_PEOPLE,
    Decider,
    EventSource,
    EventStatus,
    GridEvent,
    Opt,
    OptDecision,
)
from gateway.domain.why.binding import summary
from gateway.domain.why.facts import EventFacts, Noted
from gateway.domain.why.sites_of_event import asked_of, sites_lines
from gateway.domain.why.tree import Answer, Line, clock, if_any, some, span
from gateway.domain.words import kw

_REVISIONS = 20
_ENTRIES = 20
_SOURCES = {
    EventSource.OPENADR: "by OpenADR from",
    EventSource.SEP2: "by IEEE 2030.5 from",
    EventSource.API: "from another program, in the name of",
    EventSource.MANUAL: "entered by a person, in the name of",
}
_DECIDERS = {
    Decider.RULES: "by the rules",
    Decider.PERSON: "by a person",
    Decider.NOBODY: "a person's word is awaited",
}
_DECIDING = ("new event", "modification ", "a person has decided")
_UPSTREAM = ("answered ", "told ", "refused")


def why_event(facts: EventFacts) -> Answer:
    """The event's state in one sentence, then where it came from, what we did, and how it ends."""
    event, decision = facts.event, facts.decision
    if event is None or decision is None:
        lines = tuple(_entries(facts.journal, _UPSTREAM, "refused", ends=True))
        return _answer(facts, _refused(facts), lines)
    return _answer(
        facts,
        _sentence(facts, event, decision),
        (
            _came(facts, event),
            *_entries(facts.journal, ("what changes", "change asked for"), "changed"),
            *_rules(facts),
            *_decided(facts, decision),
            *_asked(facts, event),
            *_rivals(facts),
            *sites_lines(facts),
            *_replans(facts),
            *_reported(facts, event),
            *_delivered(facts),
            *_turns(facts),
        ),
    )


def _answer(facts: EventFacts, sentence: str, lines: tuple[Line, ...]) -> Answer:
    return Answer(
        subject=facts.event_key, kind="event", at=facts.now, sentence=sentence, lines=lines
    )


# --- the sentence --------------------------------------------------------------------------------


def _sentence(facts: EventFacts, event: GridEvent, decision: OptDecision) -> str:
    name = f"Event {event.event_id} of {facts.program_name or event.program_id}"
    status = event.status(facts.now)
    if status is EventStatus.CANCELLED:
        return f"{name} is cancelled: {_cancelled(facts.journal) or decision.cause}"
    if decision.by is Decider.NOBODY:
        return f"{name} waits for a person's word, until then without us: {decision.cause}"
    if decision.opt is Opt.OUT:
        return f"{name} goes on without us: {decision.cause}"
    if status is EventStatus.COMPLETED:
        end = clock(event.window.end, facts.zone, facts.now)
        return f"{name} is over since {end}: {_result(facts.course)}"
    return f"{name} {_when(facts, event, status)} and asks to {facts.asks}: {_share(facts)}"


def _when(facts: EventFacts, event: GridEvent, status: EventStatus) -> str:
    if status is EventStatus.ACTIVE:
        return f"runs until {clock(event.window.end, facts.zone, facts.now)}"
    return f"begins at {clock(event.window.start, facts.zone, facts.now)}"


def _share(facts: EventFacts) -> str:
    plan = _plan(facts)
    if plan is None:
        return "no plan has been made yet"
    superseded = _superseded(facts.journal)
    asked = len(asked_of(facts, plan))
    short_w = _largest(plan)
    if not asked and superseded:
        return f"superseded by {superseded}"
    given = f"{asked} of {len(plan.allocations)} sites are asked for it"
    if not short_w:
        return f"{given}, nothing is missing"
    return f"{given}, and {kw(short_w)} nobody can give ({plan.short_because or 'no offers'})"


def _result(course: Course | None) -> str:
    """What came over all minutes that are kept."""
    minutes = [] if course is None else [m for m in course.minutes if m.target_w > 0]
    if not minutes:
        return "what was delivered is in its report"
    asked_w = sum(one.target_w for one in minutes) / len(minutes)
    given_w = sum(one.delivered_w for one in minutes) / len(minutes)
    return f"{kw(given_w)} of {kw(asked_w)} were delivered on average"


def _refused(facts: EventFacts) -> str:
    said = [one for one in facts.journal if "refused" in one.action]
    cause = f"{said[-1].action}: {said[-1].cause}" if said else "nothing of it was ever taken"
    return f"Event {facts.event_key} is none of ours: {cause}"


# --- the chain -----------------------------------------------------------------------------------


def _came(facts: EventFacts, event: GridEvent) -> Line:
    said = f"; {event.comment}" if event.comment else ""
    test = ", a test" if event.test else ""
    text = (
        f"{_SOURCES[event.source]} {event.utility_id}, modification {event.modification}{test}, "
        f"{span(event.window, facts.zone, facts.now)}{said}"
    )
    return Line(what="from", text=text, at=facts.received_at)


def _rules(facts: EventFacts) -> Iterator[Line]:
    said = [one for one in facts.journal if one.action == "the program's rules"]
    if said:
        yield Line(what="rules", text=said[-1].cause, at=said[-1].at)
    elif facts.program_name:
        yield Line(what="rules", text="the program sets none that speak of it")


def _decided(facts: EventFacts, decision: OptDecision) -> Iterator[Line]:
    every = [one for one in facts.journal if one.action.startswith(_DECIDING)]
    earlier = tuple(Line(what=one.action, text=one.cause, at=one.at) for one in every[:-1])
    yield Line(
        what="decided",
        text=f"{decision.opt.value}, {_DECIDERS[decision.by]}: {decision.cause}",
        at=every[-1].at if every else facts.received_at,
        lines=earlier[-_ENTRIES:],
    )


def _asked(facts: EventFacts, event: GridEvent) -> Iterator[Line]:
    text = facts.asks or "nothing we can act on"
    to = ", ".join(event.targets) or "the whole program"
    plan = _plan(facts)
    lines = tuple(
        Line(what=kw(step.value), text=span(step.interval, facts.zone, facts.now))
        for step in (plan.target if plan else ())
    )
    yield Line(what="asked", text=f"{text}, of {to}", lines=lines[:_ENTRIES])
    if plan is not None and _largest(plan):
        because = plan.short_because or "nobody offers it"
        yield Line(what="missing", text=f"{kw(_largest(plan))} at most: {because}")
    if plan is not None and plan.allocations:
        yield Line(what="binds", text=summary(plan.allocations))


def _rivals(facts: EventFacts) -> Iterator[Line]:
    for action in ("superseded", "in force again"):
        for one in [e for e in facts.journal if e.action == action][-1:]:
            by = "by " if action == "superseded" else ""
            yield Line(what=action, text=f"{by}{one.cause}", at=one.at)


def _replans(facts: EventFacts) -> Iterator[Line]:
    plans = list(facts.plans)
    if plans:
        lines = (
            Line(what=f"revision {one.revision}", text=one.reason, at=one.created_at)
            for one in reversed(plans)
        )
        text = f"{len(plans)} time{'' if len(plans) == 1 else 's'}, the newest first"
        shown = some(plans, _REVISIONS, "revisions", lines)
        yield Line(what="planned", text=text, lines=shown)


def _reported(facts: EventFacts, event: GridEvent) -> Iterator[Line]:
    told = list(_entries(facts.journal, _UPSTREAM, "utility was told", ends=True))
    if told or event.source in BY_PEOPLE:
        yield from told or [Line(what="utility was told", text="nothing: it is told by people")]
    for one in [e for e in facts.journal if e.action.startswith("report ")][-1:]:
        yield Line(what=one.action, text=one.cause, at=one.at)


def _delivered(facts: EventFacts) -> Iterator[Line]:
    course = facts.course
    if course is not None and course.minutes:
        yield from if_any("delivered", f"{course.words}; {course.correction.cause}")


def _turns(facts: EventFacts) -> Iterator[Line]:
    """Begun, over, cancelled, and what came too late."""
    for one in facts.journal:
        if one.action.startswith("the event ") or one.action == "the load is back":
            yield Line(what=one.action.removeprefix("the event "), text=one.cause, at=one.at)
        elif one.action == "cancelled" or one.action.endswith("too late"):
            yield Line(what=one.action, text=one.cause, at=one.at)


def _entries(
    journal: Sequence[Noted], begins: tuple[str, ...], what: str, *, ends: bool = False
) -> Iterator[Line]:
    """The newest entries of some kind, each as a line; `ends`: with what was done."""
    for one in [e for e in journal if e.action.startswith(begins)][-_ENTRIES:]:
        text = f"{one.action}: {one.cause}" if ends else one.cause
        yield Line(what=what, text=text, at=one.at)


def _cancelled(journal: Sequence[Noted]) -> str:
    return next((one.cause for one in reversed(journal) if one.action == "cancelled"), "")


def _superseded(journal: Sequence[Noted]) -> str:
    turns = [one for one in journal if one.action in ("superseded", "in force again")]
    return turns[-1].cause if turns and turns[-1].action == "superseded" else ""


def _plan(facts: EventFacts) -> DispatchPlan | None:
    return effective(facts.plans)


def _largest(plan: DispatchPlan) -> float:
    return max((step.value for step in plan.shortfall), default=0.0)
