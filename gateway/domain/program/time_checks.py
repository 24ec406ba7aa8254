"""Notice, duration and tests: how long before, how long, how often tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from gateway.domain.program.call import Call
from gateway.domain.program.finding import Effect, Finding, RuleKind
from gateway.domain.program.notice import Late, Notice, Stage
from gateway.domain.program.opting import ProgramTests
from gateway.domain.program.program import Program
from gateway.domain.program.use import starting
from gateway.domain.words import span


def notice_findings(program: Program, call: Call) -> Iterator[Finding]:
    """Whether it was told in time; of alternatives one is enough."""
    tests = program.rules.tests
    if call.test and tests is not None and tests.notice is not None:
        yield from _told(program, call, [tests.notice], call.told_at)
        return
    notices = [one for one in program.rules.notices if program.sells(one.product)]
    by_stage = {s: [n for n in notices if n.stage is s] for s in (Stage.STANDBY, Stage.DISPATCH)}
    yield from _told(program, call, by_stage[Stage.STANDBY], call.first_told_at or call.told_at)
    if not call.standby:
        yield from _told(program, call, by_stage[Stage.DISPATCH], call.told_at)


def duration_findings(program: Program, call: Call) -> Iterator[Finding]:
    """Whether it lasts as long as it may, in elapsed time."""
    durations = [one for one in program.rules.durations if program.sells(one.product)]
    tests = program.rules.tests
    if call.test and tests is not None and tests.longest is not None:
        return  # its own length is looked at with the tests
    if not durations or call.standby:
        return
    named = " or ".join(one.words for one in durations)
    lasts = call.window.duration
    if lasts is None:
        text = f"it has no end yet; it may last {named}"
        yield Finding(rule=RuleKind.DURATION, effect=Effect.NOTE, text=text)
    elif not any(one.holds(lasts) for one in durations):
        text = f"it lasts {span(lasts)}; it may last {named}"
        yield Finding(rule=RuleKind.DURATION, effect=Effect.BREACH, text=text)


def trial_findings(program: Program, call: Call, history: Sequence[Call]) -> Iterator[Finding]:
    """What the rules of test events say of one."""
    tests = program.rules.tests
    if not call.test or tests is None:
        return
    lasts = call.window.duration
    if tests.longest is not None and lasts is not None and lasts > tests.longest:
        text = f"the test lasts {span(lasts)}; at most {span(tests.longest)}"
        yield Finding(rule=RuleKind.TEST, effect=Effect.BREACH, text=text)
    yield from _too_many(program, tests, call, history)


def _too_many(
    program: Program, tests: ProgramTests, call: Call, history: Sequence[Call]
) -> Iterator[Finding]:
    near = starting(history, tests.per, call.window.start, program)
    before = sum(one.test for one in near)
    if tests.count is not None and before >= tests.count:
        text = f"test {before + 1} of the {tests.per}; at most {tests.count}"
        yield Finding(rule=RuleKind.TEST, effect=Effect.BREACH, text=text)
    if tests.waived_by_event and before < len(near):
        text = f"the {tests.per} has had an event, which stands for the test"
        yield Finding(rule=RuleKind.TEST, effect=Effect.BREACH, text=text)


def _told(
    program: Program, call: Call, notices: Sequence[Notice], told_at: datetime | None
) -> Iterator[Finding]:
    if not notices or told_at is None:
        return
    start, days, zone = call.window.start, program.rules.days, program.zone
    if any(told_at <= one.deadline(start, days, zone) for one in notices):
        return
    ahead = span(start - told_at) + " before" if told_at < start else "after its start"
    named = " or ".join(one.words for one in notices)
    voluntary = any(one.late is Late.VOLUNTARY for one in notices)
    yield Finding(
        rule=RuleKind.NOTICE,
        effect=Effect.VOLUNTARY if voluntary else Effect.BREACH,
        text=f"told {ahead}; {named}",
    )
