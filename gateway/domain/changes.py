"""What a modification of an event changes, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.event import GridEvent, Signal, SignalKind
from gateway.domain.words import kw

_WATTS = frozenset(SignalKind) - {SignalKind.LEVEL, SignalKind.PRICE}


def changes_in_words(before: GridEvent, after: GridEvent) -> str:
    """`ends 2026-03-04T12:20+00:00 instead of 2026-03-04T12:30+00:00; ...`."""
    return "; ".join(_changes(before, after)) or "nothing that matters to us"


def _changes(before: GridEvent, after: GridEvent) -> Iterator[str]:
    if before.cancelled and not after.cancelled:
        yield "it is in force again"
    for what, old, new in (
        ("starts", _at(before.window.start), _at(after.window.start)),
        ("ends", _at(before.window.end), _at(after.window.end)),
        ("asks for", _asked(before), _asked(after)),
        ("is for", _for(before), _for(after)),
        ("is about", _about(before), _about(after)),
        ("has priority", str(before.priority), str(after.priority)),
    ):
        if old != new:
            yield f"{what} {new} instead of {old}"


def from_now(before: GridEvent, signal: Signal, window: Interval, now: datetime) -> Signal:
    """A constant signal over a new window; what was asked until now stays as it was."""
    past = [s for s in before.signals if s.kind is signal.kind]
    if not past or before.window.start >= now:
        return signal
    begun = Interval(start=window.start, end=max(now, window.start))
    rest = Interval(start=max(now, window.start), end=window.end)
    series = StepSeries((*past[0].series.clip(begun), *signal.series.clip(rest)))
    return replace(signal, series=series)


def _at(instant: datetime | None) -> str:
    return "further notice" if instant is None else instant.isoformat(timespec="minutes")


def _for(event: GridEvent) -> str:
    return ", ".join(event.targets) or "the whole program"


def _about(event: GridEvent) -> str:
    return ", ".join(event.device_classes) or "whatever a site has"


def _asked(event: GridEvent) -> str:
    return ", ".join(_signal(one) for one in event.signals) or "nothing"


def _signal(one: Signal) -> str:
    values = list(dict.fromkeys(step.value for step in one.series))
    shown = [kw(v) if one.kind in _WATTS else f"{v:g}" for v in values[:_SHOWN]]
    more = ", ..." if len(values) > _SHOWN else ""
    return f"{one.kind.value} {', '.join(shown)}{more}"


_SHOWN = 3
