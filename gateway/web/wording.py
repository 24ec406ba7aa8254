"""States as a word, a shape and a tone: never colour alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from contracts.site_link.messages import InstructionState, Severity
from gateway.domain.event import EventStatus, GridEvent, Opt, OptDecision, Signal, SignalKind
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
_LEVELS = ("normal", "moderate", "high", "special")


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


def asked(event: GridEvent) -> str:
    """What the utility asks for, every signal of it, in words."""
    return (
        "; ".join(_signal(signal) for signal in event.signals if signal.series.steps) or "nothing"
    )


def _signal(signal: Signal) -> str:
    values = [step.value for step in signal.series]
    low, high = min(values), max(values)
    return _ONE_VALUE[signal.kind](low) if low == high else _between(signal.kind, low, high)


def _between(kind: SignalKind, low: float, high: float) -> str:
    return f"{_ONE_VALUE[kind](low)} to {_ONE_VALUE[kind](high)}, by interval"


def _level(value: float) -> str:
    index = round(value)
    name = f" ({_LEVELS[index]})" if 0 <= index < len(_LEVELS) else ""
    return f"level {words.number(value, 0)}{name}"


def _delta(change_w: float) -> str:
    verb = "reduce" if change_w <= 0 else "increase"
    return f"{verb} by {words.power(abs(change_w))} against the baseline"


_ONE_VALUE: dict[SignalKind, Callable[[float], str]] = {
    SignalKind.LEVEL: _level,
    SignalKind.DELTA_W: _delta,
    SignalKind.SETPOINT_W: lambda w: f"hold the portfolio at {words.signed_power(w)}",
    SignalKind.IMPORT_LIMIT_W: lambda w: f"import at most {words.power(w)}",
    SignalKind.PRICE: lambda price: f"price {words.number(price, 3)} per kWh",
}


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
