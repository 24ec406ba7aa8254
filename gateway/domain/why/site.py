"""Why a site is told what it is told, and counted on or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.domain.delivery.standing import Standing
from gateway.domain.event import Decider, EventStatus, Opt
from gateway.domain.why.facts import Enrolled, SiteEvent, SiteFacts, Told, ToldStep
from gateway.domain.why.instruction import bound_words
from gateway.domain.why.tree import Answer, Line, clock, if_any, span
from gateway.domain.words import kw, pct

_JOURNAL = 10


def why_site(facts: SiteFacts) -> Answer:
    """What the site is to hold in one sentence, then every chain to it and how it is seen."""
    return Answer(
        subject=facts.site.site_id,
        kind="site",
        at=facts.now,
        sentence=_sentence(facts),
        lines=(
            *_told(facts),
            *(_imposed(facts)),
            *if_any("price", facts.price),
            *if_any("draws", facts.load),
            *if_any("offers", facts.offer),
            *_events(facts),
            *_presence(facts),
            *if_any("agent", facts.health),
            *_standing(facts.standing, facts),
            *(Line(what="opted out", text=f"{o.event_key}: {o.cause}", at=o.at) for o in facts.out),
            *(Line(what="control", text=f"{who}: {asks}") for who, asks in facts.controls),
            *(_enrolled(one) for one in facts.enrolments),
            *_lately(facts),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bound:
    """A step of an instruction that binds the site now."""

    told: Told
    step: ToldStep


def _sentence(facts: SiteFacts) -> str:
    site_id, bound = facts.site.site_id, _tightest(facts)
    why_out = _counted_out(facts)
    tail = f"; it is not counted on: {why_out}" if why_out else ""
    if bound is None:
        nothing = "is told to hold nothing now" if facts.told else "has been told nothing"
        return f"{site_id} {nothing}, so its own limits hold{tail}"
    until = clock(bound.step.interval.end, facts.zone, facts.now)
    cause = bound.told.cause or "no cause was given"
    return (
        f"{site_id} is to {bound_words(bound.step.bounds)} until {until}, "
        f"for {bound.told.event_key}: {cause}{tail}"
    )


def _tightest(facts: SiteFacts) -> _Bound | None:
    """The lowest import limit; else any bound that is in force."""
    steps = ((told, told.now(facts.now)) for told in facts.told if not told.rejected)
    found = [_Bound(told=told, step=step) for told, step in steps if step is not None]
    limits = [(b.step.bounds.import_limit_w, n) for n, b in enumerate(found)]
    limited = [(w, n) for w, n in limits if w is not None]
    return found[min(limited)[1]] if limited else next(iter(found), None)


def _counted_out(facts: SiteFacts) -> str:
    """Why the site is not counted on; empty when it is, as far as is known."""
    if facts.online is False:
        since = clock(facts.heard_at, facts.zone, facts.now) if facts.heard_at else ""
        return f"offline, last heard at {since}" if since else "it has never been heard"
    if facts.standing is not None and facts.standing.quarantine is not None:
        return f"left out for not delivering: {facts.standing.quarantine.reason}"
    for one in facts.events:
        if one.allocation is not None and not one.allocation.counted_on:
            return one.allocation.cause.removeprefix("not counted on: ")
    return ""


def _told(facts: SiteFacts) -> Iterator[Line]:
    for told in facts.told:
        step = told.now(facts.now)
        ahead = [s for s in told.steps if s.interval.start > facts.now][:_JOURNAL]
        lines = (
            Line(what="instruction", text=f"{told.number} ({told.instruction_id})"),
            *if_any("because", told.cause),
            Line(what="state", text=told.state),
            *(
                Line(
                    what="later",
                    text=f"{bound_words(s.bounds)} {span(s.interval, facts.zone, facts.now)}",
                )
                for s in ahead
            ),
        )
        held = "nothing now" if step is None else _until(facts, step)
        text = f"{held}, for {told.event_key}"
        yield Line(what="told", text=text, at=told.issued_at, lines=lines)


def _until(facts: SiteFacts, step: ToldStep) -> str:
    return f"{bound_words(step.bounds)} until {clock(step.interval.end, facts.zone, facts.now)}"


def _imposed(facts: SiteFacts) -> Iterator[Line]:
    for utility_id, step in facts.imposed:
        until = clock(step.interval.end, facts.zone, facts.now)
        text = f"{bound_words(step.bounds)} until {until}, by {utility_id}: {step.cause}"
        yield Line(what="envelope", text=text, at=step.interval.start)


def _events(facts: SiteFacts) -> Iterator[Line]:
    for one in facts.events:
        yield Line(what="event", text=_event(one, facts))


def _event(one: SiteEvent, facts: SiteFacts) -> str:
    event = one.event
    when = span(event.window, facts.zone, facts.now)
    name = f"{event.key} of {one.program_name or event.program_id}, {when}"
    if event.status(facts.now) is EventStatus.CANCELLED:
        return f"{name}: cancelled"
    if one.decision.by is Decider.NOBODY:
        return f"{name}: a person's word is awaited"
    if one.decision.opt is Opt.OUT:
        return f"{name}: we take no part: {one.decision.cause}"
    if one.allocation is None:
        return f"{name}: no plan has been made yet"
    return f"{name}: {one.allocation.cause}"


def _presence(facts: SiteFacts) -> Iterator[Line]:
    if facts.online is None:
        yield Line(what="presence", text="not kept for the past; see the journal")
    elif facts.online:
        yield Line(what="presence", text="online", at=facts.heard_at)
    else:
        yield Line(what="presence", text="offline", at=facts.heard_at)


def _standing(standing: Standing | None, facts: SiteFacts) -> Iterator[Line]:
    if standing is None or not standing.credibility.minutes:
        text = "nothing is known yet of how it delivers: it is believed"
        if facts.online is not None:
            yield Line(what="delivers", text=text)
        return
    known = standing.credibility
    text = f"{pct(known.expected)} of what it is asked, after {known.lag_min} min"
    yield Line(what="delivers", text=f"{text}, by {known.minutes} minutes of events")
    if standing.quarantine is not None:
        out = standing.quarantine
        yield Line(what="left out", text=f"asked a little only, to see: {out.reason}", at=out.since)


def _enrolled(one: Enrolled) -> Line:
    mine = one.enrolment
    dates = f"since {mine.since or 'ever'}" + (f" until {mine.until}" if mine.until else "")
    state = "in force" if one.in_force else "not in force"
    return Line(
        what="enrolled",
        text=f"{one.program_name}, {kw(mine.nominated_w)} nominated, {dates}: {state}",
        lines=tuple(Line(what=f"{c.about}: {c.answer.value}", text=c.text) for c in one.conditions),
    )


def _lately(facts: SiteFacts) -> Iterator[Line]:
    newest = list(facts.journal)[-_JOURNAL:]
    if newest:
        lines = tuple(Line(what=e.action, text=e.cause, at=e.at) for e in reversed(newest))
        yield Line(what="lately", text="the newest first", lines=lines)
