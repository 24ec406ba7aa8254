"""Why, as a pure function: facts in, sentences out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.delivery.credibility import Credibility
from gateway.domain.delivery.quarantine import Quarantine
from gateway.domain.delivery.standing import Standing
from gateway.domain.dispatch import AllocatedStep, DispatchPlan, SiteAllocation, plan
from gateway.domain.event import Decider, EventSource, GridEvent, Opt, OptDecision
from gateway.domain.flexibility import SiteFlexibility
from gateway.domain.operating_envelope import EnvelopeStep, SiteBounds
from gateway.domain.portfolio import Site
from gateway.domain.why import (
    EventFacts,
    Line,
    Noted,
    Out,
    Said,
    SiteEvent,
    SiteFacts,
    Told,
    ToldStep,
    why_event,
    why_site,
)
from gateway.domain.why.binding import bound_by

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = Interval.lasting(NOON, 60 * MINUTE)
EVENT = GridEvent(
    utility_id="u1",
    event_id="e1",
    modification=0,
    program_id="relief",
    created_at=NOON - 60 * MINUTE,
    window=HOUR,
    signals=(),
)
NO_EXPORT = SiteBounds(export_limit_w=0.0)
TAKEN = OptDecision(event_key="u1/e1", modification=0, opt=Opt.IN, cause="the program says so")


def given(site_id: str, kw: float, cause: str) -> SiteAllocation:
    step = AllocatedStep(interval=HOUR, reduction_w=kw * 1e3, limit_w=100e3 - kw * 1e3)
    return SiteAllocation(site_id=site_id, steps=(step,) if kw else (), cause=cause)


def planned(*parts: SiteAllocation, short_kw: float = 0.0) -> DispatchPlan:
    short = StepSeries.of([(HOUR, short_kw * 1e3)] if short_kw else [])
    return DispatchPlan(
        event_key="u1/e1",
        modification=0,
        revision=1,
        created_at=NOON - 30 * MINUTE,
        reason="new event",
        target=StepSeries.of([(HOUR, 60e3)]),
        allocations=parts,
        shortfall=short,
        short_because=f"{short_kw:.1f} kW: energy does not last" if short_kw else "",
    )


PLAN = planned(
    given("a", 30, "30.0 kW of 60.0 kW offered (50 %): fair share"),
    given("b", 30, "all of the 30.0 kW it offers"),
    replace(given("c", 0, "not counted on: no data for 2 min"), counted_on=False),
)
FACTS = EventFacts(
    event_key="u1/e1",
    now=NOON + 5 * MINUTE,
    zone=UTC,
    event=EVENT,
    decision=TAKEN,
    received_at=NOON - 60 * MINUTE,
    program_name="Relief",
    asks="reduce by 60.0 kW against baseline",
    plans=[PLAN],
)


def noted(action: str, cause: str) -> Noted:
    return Noted(at=NOON - MINUTE, action=action, cause=cause)


def flat(lines: tuple[Line, ...]) -> Iterator[Line]:
    for line in lines:
        yield line
        yield from flat(line.lines)


def text_of(lines: tuple[Line, ...], what: str) -> list[str]:
    return [line.text for line in flat(lines) if line.what == what]


def told(site_id: str = "a", number: int = 1, limit_kw: float = 70.0, **more: Any) -> Told:
    steps = (ToldStep(interval=HOUR, bounds=SiteBounds(import_limit_w=limit_kw * 1e3)),)
    return replace(
        Told(
            instruction_id=f"i{number}",
            site_id=site_id,
            number=number,
            event_key="u1/e1",
            revision=1,
            issued_at=NOON - 30 * MINUTE,
            expires_at=NOON + 90 * MINUTE,
            cause="fair share",
            steps=steps,
        ),
        **more,
    )


@pytest.mark.row("portfolio:X1")
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {},
            "Event e1 of Relief runs until 13:00 and asks to reduce by 60.0 kW against baseline: "
            "2 of 3 sites are asked for it, nothing is missing",
        ),
        (
            {"plans": [planned(given("a", 30, "all"), short_kw=30)]},
            "Event e1 of Relief runs until 13:00 and asks to reduce by 60.0 kW against baseline: "
            "1 of 1 sites are asked for it, and 30.0 kW nobody can give "
            "(30.0 kW: energy does not last)",
        ),
        (
            {"now": NOON - 5 * MINUTE, "plans": ()},
            "Event e1 of Relief begins at 12:00 and asks to reduce by 60.0 kW against baseline: "
            "no plan has been made yet",
        ),
        (
            {
                "plans": [planned(given("a", 0, "asked nothing: it offers nothing"))],
                "journal": [noted("superseded", "u2/e9 until 12:30Z at a")],
            },
            "Event e1 of Relief runs until 13:00 and asks to reduce by 60.0 kW against baseline: "
            "superseded by u2/e9 until 12:30Z at a",
        ),
        (
            {"decision": replace(TAKEN, opt=Opt.OUT, by=Decider.NOBODY, cause="notice (breach)")},
            "Event e1 of Relief waits for a person's word, until then without us: notice (breach)",
        ),
        (
            {"decision": replace(TAKEN, opt=Opt.OUT, by=Decider.PERSON, cause="staff is short")},
            "Event e1 of Relief goes on without us: staff is short",
        ),
        (
            {"event": EVENT.cancel(), "journal": [noted("cancelled", "by telephone")]},
            "Event e1 of Relief is cancelled: by telephone",
        ),
        (
            {"now": NOON + 70 * MINUTE},
            "Event e1 of Relief is over since 13:00: what was delivered is in its report",
        ),
        (
            {
                "event": None,
                "decision": None,
                "journal": [noted("modification 0 refused, code 462", "it names others")],
            },
            "Event u1/e1 is none of ours: modification 0 refused, code 462: it names others",
        ),
    ],
)
def test_an_events_sentence(changes: dict[str, Any], sentence: str) -> None:
    assert why_event(replace(FACTS, **changes)).sentence == sentence


@pytest.mark.row("portfolio:X1")
def test_an_events_chain() -> None:
    envelope = EnvelopeStep(
        interval=HOUR, bounds=SiteBounds(import_limit_w=40e3), cause="the feeder is full"
    )
    facts = replace(
        FACTS,
        event=replace(EVENT, source=EventSource.MANUAL, comment="telephone"),
        told=[
            told("a", said=(Said(at=NOON, state="applied", reason="11 of 11"),)),
            told("b", 2),
        ],
        out=[Out(event_key="u1/e1", site_id="c", at=NOON, cause="vans are needed")],
        imposed={"a": [envelope]},
        journal=[
            noted("the program's rules", "kept: notice"),
            noted("new event: optIn", "the program says so"),
            noted("answered optIn", "the program says so"),
            noted("the event has begun", "by its window"),
            noted("cancellation too late", "nothing changes"),
        ],
    )
    lines = why_event(facts).lines
    assert text_of(lines, "from") == [
        "entered by a person, in the name of u1, modification 0, from 12:00 to 13:00; telephone"
    ]
    assert text_of(lines, "rules") == ["kept: notice"]
    assert text_of(lines, "decided") == ["optIn, by the rules: the program says so"]
    assert text_of(lines, "binds") == ["1 fair share, 1 not available, 1 the whole offer"]
    assert text_of(lines, "30.0 kW less") == ["under 70.0 kW from 12:00 to 13:00"] * 2
    assert text_of(lines, "envelope") == [
        "import at most 40.0 kW, which binds more than the event: the feeder is full"
    ]
    assert text_of(lines, "c") == ["vans are needed", "vans are needed"]
    assert text_of(lines, "instructed") == ["1 applied, 1 not confirmed"]
    assert text_of(lines, "utility was told") == ["answered optIn: the program says so"]
    assert text_of(lines, "has begun") == ["by its window"]
    assert text_of(lines, "cancellation too late") == ["nothing changes"]


def test_steps_that_follow_each_other_and_read_alike_are_told_as_one() -> None:
    def step(minute: int, minutes: int, reduction_w: float) -> AllocatedStep:
        interval = Interval.lasting(NOON + minute * MINUTE, minutes * MINUTE)
        return AllocatedStep(interval=interval, reduction_w=reduction_w, limit_w=70e3)

    steps = (step(0, 10, 30_001), step(10, 10, 30_002), step(30, 10, 30_000))
    facts = replace(FACTS, plans=[planned(replace(given("a", 30, "all"), steps=steps))])
    assert text_of(why_event(facts).lines, "30.0 kW less") == [
        "under 70.0 kW from 12:00 to 12:20",
        "under 70.0 kW from 12:30 to 12:40",
    ]


def test_an_event_of_ten_thousand_sites_is_told_in_a_page() -> None:
    parts = [given(f"s{n:05}", 1, "all of the 1.0 kW it offers") for n in range(10_000)]
    answer = why_event(replace(FACTS, plans=[planned(*parts)]))
    assert text_of(answer.lines, "binds") == ["10000 the whole offer"]
    assert text_of(answer.lines, "...") == ["and 9950 more sites"]
    assert len(list(flat(answer.lines))) < 200


def test_every_way_a_site_is_bound_has_a_name() -> None:
    def site(name: str, **more: Any) -> SiteFlexibility:
        offer = {"baseline": StepSeries.of([(HOUR, 100e3)]), "down_w": 60e3, "as_of": NOON}
        return SiteFlexibility(site_id=name, available=True, **{**offer, **more})

    made = plan(
        EVENT,
        StepSeries.of([(HOUR, 150e3)]),
        [
            site("fair"),
            site("low", floor_w=90e3),
            site("none", down_w=0.0),
            site("off", reason="no data", baseline=StepSeries(), down_w=0.0),
        ],
        created_at=NOON,
        revision=1,
        reason="test",
    )
    found = {one.site_id: bound_by(one) for one in made.allocations}
    assert found["low"] == "lowest import"
    assert found["none"] == "offers nothing"
    assert "other" not in found.values()


SITE = Site(site_id="a", name="A", time_zone=ZoneInfo("UTC"), import_limit_w=100e3)
ABOUT = SiteFacts(site=SITE, now=NOON + MINUTE, zone=UTC, online=True, heard_at=NOON)


@pytest.mark.row("portfolio:X1")
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "a has been told nothing, so its own limits hold"),
        (
            {"told": [told(), told(number=2, limit_kw=40, event_key="u2/envelope/a")]},
            "a is to import at most 40.0 kW until 13:00, for u2/envelope/a: fair share",
        ),
        (
            {"told": [told(said=(Said(at=NOON, state="rejected", reason="full"),))]},
            "a is told to hold nothing now, so its own limits hold",
        ),
        (
            {"told": [told(steps=(ToldStep(interval=HOUR, bounds=NO_EXPORT),))]},
            "a is to export at most 0.0 kW until 13:00, for u1/e1: fair share",
        ),
        (
            {"told": [told()], "online": False},
            "a is to import at most 70.0 kW until 13:00, for u1/e1: fair share; "
            "it is not counted on: offline, last heard at 12:00",
        ),
        (
            {
                "standing": Standing(
                    site_id="a",
                    credibility=Credibility(expected=0.2, minutes=9),
                    quarantine=Quarantine(since=NOON, reason="it gives 20 % of what it is asked"),
                )
            },
            "a has been told nothing, so its own limits hold; it is not counted on: left out for "
            "not delivering: it gives 20 % of what it is asked",
        ),
        (
            {
                "events": [
                    SiteEvent(
                        event=EVENT,
                        program_name="Relief",
                        decision=TAKEN,
                        allocation=PLAN.allocation("c"),
                    )
                ]
            },
            "a has been told nothing, so its own limits hold; it is not counted on: "
            "no data for 2 min",
        ),
    ],
)
def test_a_sites_sentence(changes: dict[str, Any], sentence: str) -> None:
    assert why_site(replace(ABOUT, **changes)).sentence == sentence


def test_what_is_not_kept_for_the_past_is_said_to_be_so() -> None:
    lines = why_site(replace(ABOUT, online=None)).lines
    assert text_of(lines, "presence") == ["not kept for the past; see the journal"]
    assert text_of(lines, "delivers") == []


def test_who_was_taken_out_meanwhile_is_asked_no_more() -> None:
    half = Interval.lasting(NOON, 10 * MINUTE)
    past = AllocatedStep(interval=half, reduction_w=9e3, limit_w=91e3)
    gone = SiteAllocation(site_id="g", steps=(past,), cause="not counted on: opted out")
    facts = replace(FACTS, plans=[planned(given("a", 30, "all"), gone)])
    assert "2 of 2 sites" in why_event(facts).sentence
    later = why_event(replace(facts, now=NOON + 20 * MINUTE))
    assert "1 of 2 sites" in later.sentence
    assert text_of(later.lines, "g") == ["not counted on: opted out"]


def test_times_have_seconds_where_they_matter() -> None:
    event = replace(EVENT, window=Interval(start=NOON, end=NOON + timedelta(seconds=3605)))
    assert "runs until 13:00:05" in why_event(replace(FACTS, event=event)).sentence
    tomorrow = replace(EVENT, window=Interval(start=NOON, end=NOON + timedelta(days=1)))
    assert "runs until 2026-05-21 12:00 and" in why_event(replace(FACTS, event=tomorrow)).sentence
