"""Which events leave a baseline, and when our own instructions had moved a site's load."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.site_link.messages import (
    Fallback,
    Instruction,
    InstructionState,
    InstructionStatus,
    InstructionStep,
)
from contracts.time import Interval
from gateway.domain.enrolment import Enrolment
from gateway.domain.event import GridEvent, Opt, OptDecision
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import Program, Rules
from gateway.domain.program.measuring import BaselineRule
from gateway.flows.dispatch.baselines import other_events
from gateway.flows.dispatch.moved import moved
from gateway.ports import StoredEvent, StoredInstruction

pytestmark = pytest.mark.row("portfolio:A9")

World = Any
Event = Callable[..., GridEvent]
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """Minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def stored(event: GridEvent, **changes: Any) -> StoredEvent:
    base = StoredEvent(
        event=event,
        decision=OptDecision(event_key=event.key, modification=0, opt=Opt.IN, cause="test"),
        received_at=event.created_at,
        notified_at=event.created_at,
        announced=event.window,
    )
    return replace(base, **changes)


def two_programs(world: World) -> Portfolio:
    """depot-1 in a relief program and in an emergency program of template `dlrp-type`."""
    second = Program(program_id="relief-2", name="n", utility_id="u1", template="dlrp-type")
    joined = Enrolment(site_id="depot-1", program_id="relief-2", nominated_w=1.0)
    site: Portfolio = world.portfolio
    return replace(site, programs=(*site.programs, second), enrolments=(*site.enrolments, joined))


def test_both_programs_days_leave_both_baselines(world: World, event: Event) -> None:
    both = two_programs(world)
    one = stored(event("a", -1440, -1380, program_id="relief"))
    other = stored(event("b", -2880, -2820, program_id="relief-2"))
    new = stored(event("c", 0, 60, program_id="relief"))
    for mine in ("u1/c", "u1/d"):
        found = other_events(both, [new, one, other], mine, "depot-1")
        assert {one.event.window, other.event.window} <= set(found)
    assert other.event.window not in other_events(both, [other], "u1/c", "depot-2")


def test_days_of_excluded_programs_leave_it_also_where_the_site_took_no_part(
    world: World, event: Event
) -> None:
    both = two_programs(world)
    refused = stored(
        event("b", -2880, -2820, program_id="relief-2"),
        opted_out_sites=frozenset({"depot-1"}),
    )
    cancelled = stored(event("x", -4320, -4260, program_id="relief-2", cancelled=True))
    for excluded, expected in (
        ((), ()),
        (("csrp-type",), ()),
        (("dlrp-type",), (refused.event.window,)),
        (("relief-2",), (refused.event.window,)),
    ):
        found = other_events(both, [refused, cancelled], "u1/c", "depot-1", excluded)
        assert found == expected


def test_the_programs_rule_says_which_programs_are_excluded(world: World) -> None:
    rule = BaselineRule(name="high 5 of 10", excluded_programs=("csrp-type",))
    program = replace(world.program, rules=Rules(baselines=(rule,)))
    assert program.method.excluded_programs == ("csrp-type",)
    assert world.program.method == world.program.baseline


def told(seq: int, issued: float, *steps: tuple[float, float], **changes: Any) -> StoredInstruction:
    """An instruction to depot-1 with limits over these minutes."""
    given = {
        "instruction_id": f"i{seq}",
        "site_id": "depot-1",
        "site_seq": seq,
        "event_id": "e1",
        "program_id": "relief",
        "issued_at": at(issued),
        "start": at(issued),
        "expires_at": at(600),
        "steps": tuple(
            InstructionStep(start=at(a), end=at(b), import_limit_w=1.0) for a, b in steps
        ),
        "fallback": Fallback(import_limit_w=1.0),
    }
    return StoredInstruction(instruction=Instruction(**{**given, **changes}), revision=1)


def span(start: float, end: float) -> Interval:
    return Interval(start=at(start), end=at(end))


def test_what_was_told_before_an_event_moved_the_load() -> None:
    early = told(1, -120, (-60, -30), (0, 60))
    assert moved([early], at(0)) == {"depot-1": (span(-60, -30),)}


def test_an_instruction_holds_until_the_next_was_issued() -> None:
    first = told(1, -120, (-60, 60))
    withdrawn = told(2, -40)
    again = told(3, -20, (-10, 60))
    found = moved([again, first, withdrawn], at(0))
    assert found == {"depot-1": (span(-60, -40), span(-10, 0))}


def test_instructions_of_other_events_move_it_too_and_what_was_refused_did_not() -> None:
    """The return in steps after an earlier event goes on into the adjustment window."""
    returning = told(1, -200, (-90, -45), event_id="e0")
    refused = told(2, -120, (-30, 0))
    status = InstructionStatus(
        instruction_id="i2",
        event_id="e1",
        state=InstructionState.REJECTED,
        reason="no",
        at=at(-119),
    )
    found = moved([returning, replace(refused, statuses=(status,))], at(0))
    assert found == {"depot-1": (span(-90, -45),)}


async def test_a_report_tells_that_early_curtailment_was_left_out(
    world: World, event: Event
) -> None:
    """The event is put off when it had begun: what was told first lies in the new window."""
    await world.ready()
    await world.intake.receive([event()])
    await world.pass_time(45)
    await world.intake.receive([event(start=25, end=55, modification=1)])
    await world.pass_time(61)
    await world.settlement.settle("u1/e1", final=False)
    report = await world.report()
    assert any("own instructions" in site.baseline_note for site in report.sites)
