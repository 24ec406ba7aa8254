"""States as a word, a shape and a tone: never colour alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.site_link.messages import InstructionState, Severity
from gateway.domain.event import EventStatus, GridEvent, Opt, OptDecision, effective_signal
from gateway.domain.program import Program
from gateway.flows.report.build import signal_words
from gateway.reports import words


@dataclass(frozen=True, slots=True)
class Mark:
    """How a state is shown: the word says it, the shape repeats it, the tone colours it."""

    word: str
    shape: str
    """A symbol of `templates/_icons.html`."""
    tone: str
    """`ok`, `busy`, `warn`, `bad` or `idle`."""


_STATUS = {
    EventStatus.FAR: Mark("Scheduled", "clock", "idle"),
    EventStatus.NEAR: Mark("Ramping in", "clock", "busy"),
    EventStatus.ACTIVE: Mark("In progress", "play", "busy"),
    EventStatus.COMPLETED: Mark("Completed", "check", "ok"),
    EventStatus.CANCELLED: Mark("Cancelled", "cross", "idle"),
}
_OPT = {Opt.IN: Mark("Opted in", "check", "ok"), Opt.OUT: Mark("Opted out", "cross", "warn")}
_SEVERITY = {
    Severity.INFO: Mark("Info", "info", "idle"),
    Severity.WARNING: Mark("Warning", "triangle", "warn"),
    Severity.ALARM: Mark("Alarm", "octagon", "bad"),
}
_INSTRUCTION = {
    InstructionState.STORED: Mark("Stored", "dot", "idle"),
    InstructionState.STARTED: Mark("Started", "play", "busy"),
    InstructionState.APPLIED: Mark("Applied", "check", "busy"),
    InstructionState.COMPLETED: Mark("Completed", "check", "ok"),
    InstructionState.REJECTED: Mark("Rejected", "cross", "bad"),
    InstructionState.EXPIRED: Mark("Expired", "clock", "warn"),
    InstructionState.SUPERSEDED: Mark("Superseded", "arrow", "idle"),
}


def status_mark(event: GridEvent, now: datetime) -> Mark:
    """Where an event stands."""
    return _STATUS[event.status(now)]


def opt_mark(decision: OptDecision) -> Mark:
    """What we answered."""
    return _OPT[decision.opt]


def severity_mark(severity: Severity) -> Mark:
    """How urgent a notice is."""
    return _SEVERITY[severity]


def instruction_mark(state: InstructionState | None) -> Mark:
    """What became of an instruction; None when the site has not been heard."""
    return Mark("Not confirmed", "ring", "warn") if state is None else _INSTRUCTION[state]


def asked(event: GridEvent, program: Program | None) -> str:
    """What the utility asks for, in words, by the signal we act on."""
    if program is None:
        kinds = ", ".join(signal.kind.value for signal in event.signals) or "none"
        return f"signals {kinds}, of a program that is not ours"
    return signal_words(program, effective_signal(event))


def until(event: GridEvent, now: datetime) -> str:
    """Countdown in words: `starts in 45 s`, `ends in 1 min 12 s`, `ended 3 min ago`."""
    match event.status(now):
        case EventStatus.FAR | EventStatus.NEAR:
            return f"starts in {words.duration(event.window.start - now)}"
        case EventStatus.ACTIVE if event.window.end is None:
            return f"started {words.duration(now - event.window.start)} ago, until further notice"
        case EventStatus.ACTIVE if event.window.end is not None:
            return f"ends in {words.duration(event.window.end - now)}"
        case EventStatus.COMPLETED if event.window.end is not None:
            return f"ended {words.duration(now - event.window.end)} ago"
        case _:
            return "cancelled by the utility"


def progress(event: GridEvent, now: datetime) -> float | None:
    """Part of the event that is over, 0-1; None when it is not running or has no end."""
    length = event.window.duration
    if event.status(now) is not EventStatus.ACTIVE or not length:
        return None
    return (now - event.window.start) / length
