"""Signals and baselines of an event as step series in W: where kW become W.

A `LOAD_DISPATCH` `delta` is a change of load in the load convention: negative asks for less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import structlog

from contracts.errors import ProtocolError
from contracts.openadr.payloads import (
    Baseline,
    EventStatus,
    ItemBase,
    OadrEvent,
    Signal,
    SignalInterval,
)
from contracts.openadr.values import scale_factor
from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.event import Signal as GridSignal
from gateway.domain.event import SignalKind

_log = structlog.get_logger(__name__)

SUPPORTED: dict[tuple[str, str], SignalKind] = {
    ("SIMPLE", "level"): SignalKind.LEVEL,
    ("LOAD_DISPATCH", "delta"): SignalKind.DELTA_W,
    ("LOAD_DISPATCH", "setpoint"): SignalKind.SETPOINT_W,
    ("ELECTRICITY_PRICE", "price"): SignalKind.PRICE,
}
"""`(signalName, signalType)` we can act on."""

INVALID_DATA, SIGNAL_NOT_SUPPORTED = 454, 460
_HIGHEST_LEVEL = 3
_SLACK = timedelta(seconds=1)


class UnusableEventError(ProtocolError):
    """An event we must refuse, with the OpenADR response code to say so."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def usable(event: OadrEvent, meant: Callable[[Signal], bool]) -> tuple[GridSignal, ...]:
    """The signals we can act on and that are `meant` for us, on the utility's own time.

    Raises:
        UnusableEventError: 460 no supported signal, 454 values without a usable unit or time.
    """
    found = tuple(_signals(event, meant))
    if not found:
        names = ", ".join(f"{s.name}/{s.type}" for s in event.signals) or "none"
        raise UnusableEventError(SIGNAL_NOT_SUPPORTED, f"no supported signal in: {names}")
    return found


def baseline(given: Baseline | None) -> StepSeries | None:
    """The utility's baseline in W; None when there is none, or not one of real power."""
    if given is None:
        return None
    try:
        end = given.start + given.duration if given.duration else None
        series = _laid(given.intervals, Interval(start=given.start, end=end))
        return _scaled(series, _watts(given.item, given.name))
    except (ProtocolError, ValueError, OverflowError) as error:
        _log.warning("openadr_baseline_unusable", baseline_id=given.baseline_id, why=str(error))
        return None


def _signals(event: OadrEvent, meant: Callable[[Signal], bool]) -> Iterator[GridSignal]:
    for signal in event.signals:
        kind = SUPPORTED.get((signal.name.upper(), signal.type))
        if kind is None or not meant(signal):
            _log.info(
                "openadr_signal_left_out",
                event_id=event.event_id,
                signal=f"{signal.name}/{signal.type}",
                why="not supported" if kind is None else "for others",
            )
            continue
        _check_current(event, signal)
        yield GridSignal(kind=kind, series=_scaled(_series(event, signal), _factor(signal, kind)))


def _check_current(event: OadrEvent, signal: Signal) -> None:
    """Profile rule 14: currentValue is 0 unless the event is active. We go by the intervals."""
    if event.descriptor.status is not EventStatus.ACTIVE and signal.current_value:
        _log.warning(
            "openadr_current_value",
            event_id=event.event_id,
            status=event.descriptor.status.value,
            value=signal.current_value,
        )


def _scaled(series: StepSeries, factor: float) -> StepSeries:
    def scale(value: float) -> float:
        return value * factor

    return series.map(scale)


def _factor(signal: Signal, kind: SignalKind) -> float:
    if kind is SignalKind.LEVEL:
        levels = range(_HIGHEST_LEVEL + 1)
        if any(step.value not in levels for step in signal.intervals):
            raise UnusableEventError(INVALID_DATA, "a SIMPLE level must be 0, 1, 2 or 3")
        return 1.0
    return 1.0 if kind is SignalKind.PRICE else _watts(signal.item, signal.name)


def _watts(item: ItemBase | None, name: str) -> float:
    if item is None or item.kind != "powerReal" or item.units != "W":
        raise UnusableEventError(INVALID_DATA, f"{name} needs powerReal in W")
    try:
        return scale_factor(item.si_scale_code)
    except ValueError as error:
        raise UnusableEventError(INVALID_DATA, str(error)) from error


def _series(event: OadrEvent, signal: Signal) -> StepSeries:
    window = event.active_period.window
    try:
        _check_durations(signal, event.active_period.duration)
        return _laid(signal.intervals, window)
    except (ValueError, OverflowError) as error:
        raise UnusableEventError(INVALID_DATA, f"intervals of {signal.name}: {error}") from error


def _laid(intervals: Iterable[SignalInterval], window: Interval) -> StepSeries:
    """Intervals by their uid, laid end to end from the start of the window, cut at its end."""
    steps: list[tuple[Interval, float]] = []
    start: datetime = window.start
    for step in _ordered(tuple(intervals)):
        end = start + step.duration if step.duration else window.end
        steps.append((Interval(start=start, end=end), step.value))
        if end is None:
            break
        start = end
    return StepSeries.of(steps).clip(window)


def _ordered(intervals: Sequence[SignalInterval]) -> Sequence[SignalInterval]:
    """By uid, which counts from 0 in steps of 1 (profile rule 2); all without one: as they came."""
    if all(step.uid is None for step in intervals):
        return intervals
    by_uid = {step.uid: step for step in intervals}
    wanted = [str(number) for number in range(len(intervals))]
    if by_uid.keys() != set(wanted):
        raise ValueError("their uids do not count from 0 in steps of 1")
    return [by_uid[uid] for uid in wanted]


def _check_durations(signal: Signal, whole: timedelta) -> None:
    """Durations add up to the event's (profile rule 8); one of zero lasts to its end."""
    durations = [step.duration or timedelta(0) for step in signal.intervals]
    if not whole or not durations or not all(durations):
        return
    total = sum(durations, timedelta(0))
    if abs(total - whole) > _SLACK:
        raise ValueError(f"they last {total}, the event {whole}")
