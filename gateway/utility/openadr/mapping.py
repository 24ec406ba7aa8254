"""OpenADR 2.0b words to ours and back: the only place where kW, names and signs change.

A `LOAD_DISPATCH` `delta` is a change of load in the load convention: negative asks for less.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from contracts.errors import ProtocolError
from contracts.openadr.payloads import (
    EventResponse,
    EventStatus,
    ItemBase,
    OadrEvent,
    OptType,
    ReportPayload,
    Signal,
    Target,
)
from contracts.openadr.values import scale_factor
from contracts.power import kw_from_watts
from contracts.reading import Quality, Reading
from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.event import GridEvent, Opt, OptDecision, SignalKind
from gateway.domain.event import Signal as GridSignal

SUPPORTED: dict[tuple[str, str], SignalKind] = {
    ("SIMPLE", "level"): SignalKind.LEVEL,
    ("LOAD_DISPATCH", "delta"): SignalKind.DELTA_W,
    ("LOAD_DISPATCH", "setpoint"): SignalKind.SETPOINT_W,
    ("ELECTRICITY_PRICE", "price"): SignalKind.PRICE,
}
"""`(signalName, signalType)` we can act on."""

INVALID_DATA, SIGNAL_NOT_SUPPORTED, TARGET_MISMATCH = 454, 460, 462
_HIGHEST_LEVEL = 3


class UnusableEventError(ProtocolError):
    """An event we must refuse, with the OpenADR response code to say so."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def grid_event(event: OadrEvent, *, utility_id: str, ven_id: str) -> GridEvent:
    """The event in our words.

    Signals we cannot act on are left out as long as one remains.

    Raises:
        UnusableEventError: 460 no supported signal, 462 not addressed to this VEN, 454 values
            without a usable unit or time.
    """
    _check_target(event.target, ven_id)
    descriptor, period = event.descriptor, event.active_period
    if min(period.duration, period.notification, period.ramp_up, period.recovery) < timedelta(0):
        raise UnusableEventError(INVALID_DATA, "a duration of the active period is negative")
    signals = tuple(_signals(event))
    if not signals:
        names = ", ".join(f"{s.name}/{s.type}" for s in event.signals) or "none"
        raise UnusableEventError(SIGNAL_NOT_SUPPORTED, f"no supported signal in: {names}")
    return GridEvent(
        utility_id=utility_id,
        event_id=descriptor.event_id,
        modification=descriptor.modification_number,
        program_id=descriptor.market_context,
        created_at=descriptor.created_at,
        window=period.window,
        signals=signals,
        priority=descriptor.priority or 0,
        test=descriptor.is_test,
        cancelled=descriptor.status is EventStatus.CANCELLED,
        targets=(*event.target.resource_ids, *event.target.group_ids),
        notification=period.notification,
        ramp_up=period.ramp_up,
        recovery=period.recovery,
        start_tolerance=period.start_after,
        comment=descriptor.vtn_comment or "",
    )


def event_response(
    event: OadrEvent, request_id: str, decision: OptDecision, code: int = 200
) -> EventResponse:
    """Our answer to one event of a distribution."""
    return EventResponse(
        code=code,
        description=decision.cause[:200] or "OK",
        request_id=request_id,
        event_id=event.event_id,
        modification_number=event.descriptor.modification_number,
        opt_type=OptType.IN if decision.opt is Opt.IN else OptType.OUT,
    )


def usage_payload(r_id: str, reading: Reading) -> ReportPayload | None:
    """A power reading as kW with its quality, or None when there is no value to send."""
    if reading.value is None:
        return None
    good = reading.quality is Quality.GOOD
    return ReportPayload(
        r_id=r_id,
        value=round(kw_from_watts(reading.value), 3),
        confidence=100 if good else 50,
        data_quality="Quality Good - Non Specific" if good else "Quality Limit - Field/Constant",
    )


def _check_target(target: Target, ven_id: str) -> None:
    """Parts of a target are OR-ed; resources and groups are resolved by the intake."""
    if target.everyone or target.resource_ids or target.group_ids:
        return
    if ven_id not in (*target.ven_ids, *target.party_ids):
        raise UnusableEventError(TARGET_MISMATCH, "the event's target names others")


def _signals(event: OadrEvent) -> Iterator[GridSignal]:
    for signal in event.signals:
        kind = SUPPORTED.get((signal.name.upper(), signal.type))
        if kind is not None:
            series = _scaled(_series(event, signal), _factor(signal, kind))
            yield GridSignal(kind=kind, series=series)


def _scaled(series: StepSeries, factor: float) -> StepSeries:
    def scale(value: float) -> float:
        return value * factor

    return series.map(scale)


def _factor(signal: Signal, kind: SignalKind) -> float:
    if kind is SignalKind.LEVEL:
        if any(not 0 <= step.value <= _HIGHEST_LEVEL for step in signal.intervals):
            raise UnusableEventError(INVALID_DATA, "a SIMPLE level must be 0, 1, 2 or 3")
        return 1.0
    if kind is SignalKind.PRICE:
        return 1.0
    item: ItemBase | None = signal.item
    if item is None or item.kind != "powerReal" or item.units != "W":
        raise UnusableEventError(INVALID_DATA, f"{signal.name} needs powerReal in W")
    try:
        return scale_factor(item.si_scale_code)
    except ValueError as error:
        raise UnusableEventError(INVALID_DATA, str(error)) from error


def _series(event: OadrEvent, signal: Signal) -> StepSeries:
    """Intervals laid end to end from the event's start, cut at its end."""
    window = event.active_period.window
    steps: list[tuple[Interval, float]] = []
    start = window.start
    try:
        for step in signal.intervals:
            end = start + step.duration if step.duration else window.end
            steps.append((Interval(start=start, end=end), step.value))
            if end is None:
                break
            start = end
        return StepSeries.of(steps).clip(window)
    except (ValueError, OverflowError) as error:
        raise UnusableEventError(INVALID_DATA, f"intervals of {signal.name}: {error}") from error
