"""Our answer to an event: standing rules first, then the program's own, then the policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.domain.event import (
    Decider,
    GridEvent,
    Opt,
    OptDecision,
    SignalKind,
    effective_signal,
)
from gateway.domain.program.finding import Effect, Finding
from gateway.domain.program.opting import Policy
from gateway.domain.program.program import Program

_IN_WORDS = {
    SignalKind.DELTA_W: "the change of load it asks for",
    SignalKind.SETPOINT_W: "the load it sets",
    SignalKind.IMPORT_LIMIT_W: "the limit it sets",
    SignalKind.EXPORT_LIMIT_W: "the limit it sets to exports",
    SignalKind.GENERATION_LIMIT_W: "the limit it sets to generation",
    SignalKind.LEVEL: "its level",
    SignalKind.PRICE: "its price",
}
_POLICIES = {
    (Effect.BREACH, Policy.OPT_OUT): "against the program's rules, so we opt out",
    (Effect.BREACH, Policy.ASK): "against the program's rules, so a person decides",
    (Effect.VOLUNTARY, Policy.OPT_OUT): "voluntary, so we opt out",
    (Effect.VOLUNTARY, Policy.ASK): "voluntary, so a person decides",
}


def decide_opt(
    program: Program | None,
    event: GridEvent,
    now: datetime,
    found: Sequence[Finding] = (),
    *,
    took_part: bool = False,
) -> OptDecision:
    """Our answer to an event, with the reason.

    Args:
        program: The version in force, or None when we know none.
        event: What is asked; a cancellation is always acknowledged.
        now: An event that is over by then comes too late.
        found: What the program's rules say of it (`findings`); the policies of the program decide
            what a breach or a voluntary event is answered with.
        took_part: We are in it already, so that an end in the past only shortens it.
    """
    if event.cancelled:
        return _decision(event, Opt.IN, "cancellation acknowledged")
    refusal = _refusal(program, event, now, took_part=took_part)
    if refusal is not None or program is None:
        return _decision(event, Opt.OUT, refusal or "")
    kept_out = _by_policy(program, found)
    if kept_out is not None:
        return _decision(event, Opt.OUT, *kept_out)
    said = f"; {_said(found)}" if found else ""
    return _decision(event, Opt.IN, _welcome(program, event) + said)


def _decision(event: GridEvent, opt: Opt, cause: str, by: Decider = Decider.RULES) -> OptDecision:
    return OptDecision(
        event_key=event.key, modification=event.modification, opt=opt, cause=cause, by=by
    )


def _by_policy(program: Program, found: Sequence[Finding]) -> tuple[str, Decider] | None:
    """Why the policies of the program keep us out, and whose word is wanted; or None."""
    for effect, policy in (
        (Effect.BREACH, program.on_breach),
        (Effect.VOLUNTARY, program.on_voluntary),
    ):
        said = [one for one in found if one.effect is effect]
        if said and policy is not Policy.ACCEPT:
            by = Decider.NOBODY if policy is Policy.ASK else Decider.RULES
            return _POLICIES[effect, policy] + ": " + _said(said), by
    return None


def _said(found: Sequence[Finding]) -> str:
    return "; ".join(f"{one.rule.value} ({one.effect.value}): {one.text}" for one in found)


def _refusal(
    program: Program | None, event: GridEvent, now: datetime, *, took_part: bool
) -> str | None:
    """Why we will not take part, or None."""
    if program is None or program.utility_id != event.utility_id:
        return f"not enrolled in program {event.program_id!r} of utility {event.utility_id!r}"
    if event.window.end is not None and event.window.end <= now and not took_part:
        return f"too late: the event ended at {event.window.end.isoformat()}"
    if not program.accept_events:
        return f"standing opt-out rule of program {program.name!r}"
    if effective_signal(event) is None:
        kinds = ", ".join(sorted({signal.kind.value for signal in event.signals})) or "none"
        return f"no signal we can act on (got: {kinds})"
    return None


def _welcome(program: Program, event: GridEvent) -> str:
    signal = effective_signal(event)
    followed = _IN_WORDS[signal.kind] if signal else "nothing"
    return f"program {program.name!r} accepts events; we follow {followed}"
