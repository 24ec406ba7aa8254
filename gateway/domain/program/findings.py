"""The rule engine: what a program says of an event, given what it called before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.domain.program.calendar_checks import calendar_findings
from gateway.domain.program.call import Call
from gateway.domain.program.count_checks import count_findings
from gateway.domain.program.finding import Effect, Finding, RuleKind
from gateway.domain.program.program import Program
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
