"""Why a site was told what an instruction tells it."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.time import Interval
from gateway.domain.operating_envelope import SiteBounds
from gateway.domain.why.facts import InstructionFacts, Told
from gateway.domain.why.tree import Answer, Line, clock, if_any, span
from gateway.domain.words import kw

_STEPS = 50


def why_instruction(facts: InstructionFacts) -> Answer:
    """The instruction in one sentence, then its plan, its steps, and what became of it."""
    one = facts.told
    return Answer(
        subject=one.instruction_id,
        kind="instruction",
        at=facts.now,
        sentence=_sentence(facts, one),
        lines=(
            _for(facts),
            *_planned(facts),
            *if_any("because", one.cause),
            *_steps(facts, one),
            *_afterwards(facts, one),
            *_states(facts),
            *_replaced(facts),
        ),
    )


def bound_words(bounds: SiteBounds) -> str:
    """`import at most 70.0 kW`, and every other bound by its name."""
    every = (
        ("import at most", bounds.import_limit_w),
        ("export at most", _turned(bounds.export_limit_w)),
        ("load at most", bounds.load_limit_w),
        ("generate at most", _turned(bounds.generation_limit_w)),
        ("batteries together", bounds.storage_power_w),
    )
    said = [f"{what} {kw(value)}" for what, value in every if value is not None]
    if bounds.energize is False:
        said.append("stop every device")
    if bounds.inverter_functions:
        said.append(f"{len(bounds.inverter_functions)} functions of inverters")
    return ", ".join(said) or "no bound"


def _turned(value_w: float | None) -> float | None:
    """In the generator convention; nothing rather than -0.0."""
    return None if value_w is None else 0.0 - value_w


def _sentence(facts: InstructionFacts, one: Told) -> str:
    name = f"Instruction {one.number} to {one.site_id}"
    fate = _fate(facts)
    if not one.steps:
        return f"{name} takes back what {facts.told.event_key} asked before: {one.cause}; {fate}"
    first, last = one.steps[0], one.steps[-1]
    whole = Interval(start=first.interval.start, end=last.interval.end)
    when = span(whole, facts.zone, facts.now)
    step = one.now(facts.now) or first
    return f"{name} says {bound_words(step.bounds)} {when}, for {facts.told.event_key}; {fate}"


def _fate(facts: InstructionFacts) -> str:
    one = facts.told
    if facts.newer is not None:
        return f"superseded by instruction {facts.newer.number}"
    if one.expires_at <= facts.now:
        return f"expired; last {one.state}"
    return one.state


def _for(facts: InstructionFacts) -> Line:
    one = facts.told
    if facts.event is None:
        what = "a standing envelope" if one.standing else "an event that is not known any more"
        return Line(what="for", text=f"{facts.told.event_key}, {what}", at=one.issued_at)
    test = ", a test" if one.test else ""
    window = span(facts.event.window, facts.zone, facts.now)
    name = facts.program_name or facts.event.program_id
    text = f"event {facts.told.event_key} of {name}{test}, {window}"
    return Line(what="for", text=text, at=one.issued_at)


def _planned(facts: InstructionFacts) -> Iterator[Line]:
    plan = facts.plan
    if plan is None:
        return
    text = f"revision {plan.revision}, of modification {plan.modification}: {plan.reason}"
    yield Line(what="plan", text=text, at=plan.created_at)
    part = plan.allocation(facts.told.site_id)
    if part is not None:
        yield Line(what="its part", text=part.cause)


def _steps(facts: InstructionFacts, one: Told) -> Iterator[Line]:
    lines = [
        Line(what=bound_words(s.bounds), text=span(s.interval, facts.zone, facts.now))
        for s in one.steps
    ]
    if lines:
        yield Line(what="steps", text=f"{len(lines)}", lines=tuple(lines[:_STEPS]))


def _afterwards(facts: InstructionFacts, one: Told) -> Iterator[Line]:
    after = "the site's own limits" if one.fallback.free else bound_words(one.fallback)
    yield Line(what="when it is over", text=after)
    until = clock(one.expires_at, facts.zone, facts.now)
    yield Line(what="expires", text=f"{until}, also when nobody can be reached")


def _states(facts: InstructionFacts) -> Iterator[Line]:
    for said in facts.told.said:
        yield Line(what=said.state, text=said.reason or "the site says so", at=said.at)
    if not facts.told.said:
        yield Line(what="not confirmed", text="the site has not answered; it is sent again")


def _replaced(facts: InstructionFacts) -> Iterator[Line]:
    newer = facts.newer
    if newer is not None:
        text = f"instruction {newer.number} ({newer.instruction_id}): {newer.cause}"
        yield Line(what="superseded by", text=text, at=newer.issued_at)
