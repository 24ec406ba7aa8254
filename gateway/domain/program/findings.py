"""The rule engine: what a program says of an event, given what it called before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.domain.program.calendar_checks import calendar_findings
from gateway.domain.program.call import Call
from gateway.domain.program.count_checks import count_findings
from gateway.domain.program.finding import Effect, Finding, RuleKind
from gateway.domain.program.program import Program
from gateway.domain.program.quota import BackToBack
from gateway.domain.program.rules import Rules
from gateway.domain.program.season import DayClass
from gateway.domain.program.time_checks import duration_findings, notice_findings, trial_findings


def findings(
    program: Program, call: Call, history: Sequence[Call], now: datetime
) -> tuple[Finding, ...]:
    """Every rule that has something to say; nothing for a cancelled event.

    A breach by the utility is found, never refused: what becomes of it is for the policy to say.

    Args:
        program: The version in force when the event starts.
        call: The event as it stands.
        history: The program's other calls, in any order.
        now: Up to which calls without an end are counted.
    """
    if call.cancelled:
        return ()
    standby = "standby only: keep energy for it, change no load"
    return (
        *((Finding(rule=RuleKind.STANDBY, effect=Effect.NOTE, text=standby),) * call.standby),
        *calendar_findings(program, call),
        *notice_findings(program, call),
        *duration_findings(program, call),
        *count_findings(program, call, history, now),
        *trial_findings(program, call, history),
    )


def kept(rules: Rules, found: Sequence[Finding], *, test: bool) -> tuple[RuleKind, ...]:
    """Kinds of rules that the program has and that an event keeps."""
    has = {
        RuleKind.SEASON: rules.seasons,
        RuleKind.DAY: rules.days != DayClass(),
        RuleKind.WINDOW: rules.windows,
        RuleKind.NOTICE: rules.notices,
        RuleKind.DURATION: rules.durations,
        RuleKind.QUOTA: rules.quotas,
        RuleKind.IN_ROW: rules.in_row,
        RuleKind.BACK_TO_BACK: rules.back_to_back != BackToBack(),
        RuleKind.TEST: rules.tests and test,
        RuleKind.BLACKOUT: rules.blackouts or rules.storms,
    }
    spoken = {one.rule for one in found if one.effect is not Effect.NOTE}
    return tuple(kind for kind, there in has.items() if there and kind not in spoken)


def in_words(rules: Rules, found: Sequence[Finding], *, test: bool) -> str:
    """What an event keeps and what it breaks; empty when the program asks for nothing."""
    held = ", ".join(kind.value for kind in kept(rules, found, test=test))
    broken = [f"{one.rule.value} ({one.effect.value}): {one.text}" for one in found]
    return "; ".join(([f"kept: {held}"] if held else []) + broken)
