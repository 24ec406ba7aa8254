"""OpenADR 2.0b words to ours and back: the only place where names and signs change."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import timedelta

from contracts.device_class import DeviceClass
from contracts.openadr.payloads import (
    EventResponse,
    EventStatus,
    OadrEvent,
    OptType,
    Signal,
    Target,
)
from contracts.series import StepSeries
from contracts.time import Interval
from gateway.domain.event import USABLE, GridEvent, Opt, OptDecision
from gateway.domain.event import Signal as GridSignal
from gateway.utility.openadr import signals
from gateway.utility.openadr.event_set import KnownEvent
from gateway.utility.openadr.signals import INVALID_DATA, SUPPORTED, UnusableEventError

__all__ = [
    "INVALID_DATA",
    "INVALID_ID",
    "SUPPORTED",
    "TARGET_MISMATCH",
    "Addressee",
    "UnusableEventError",
    "event_response",
    "grid_event",
    "later_response",
]

INVALID_ID, TARGET_MISMATCH = 452, 462
DEVICE_CLASSES = {
    "Electric_Vehicle": DeviceClass.EVSE,
    "EVSE": DeviceClass.EVSE,
    "RESU": DeviceClass.STORAGE,
    "Storage": DeviceClass.STORAGE,
    "Smart_Inverter": DeviceClass.PV,
    "Generation_Systems": DeviceClass.PV,
}
"""Of `oadrDeviceClass`, what a depot has."""
_NONE = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """Who we are to a VTN."""

    ven_id: str
    names: Set[str] | None = None
    """Our resources (sites) and groups; None: every name may be one of ours."""
    market_contexts: Set[str] = frozenset()
    """Those we are enrolled in; none: any."""

    def meant_by(self, target: Target) -> bool:
        """Whether a target names us: its parts are OR-ed, nothing named means everyone."""
        return target.everyone or self.wholly(target) or bool(self.parts(target))

    def wholly(self, target: Target) -> bool:
        """Whether it names the VEN itself."""
        return self.ven_id in (*target.ven_ids, *target.party_ids)

    def parts(self, target: Target) -> tuple[str, ...]:
        """Which of our resources and groups it names."""
        named = (*target.resource_ids, *target.group_ids, *target.group_names)
        return tuple(name for name in named if self.names is None or name in self.names)


def grid_event(
    event: OadrEvent, *, utility_id: str, us: Addressee, shift: timedelta = _NONE
) -> GridEvent:
    """The event in our words, `shift` later than the utility says (`startafter`).

    Signals we cannot act on are left out as long as one remains.

    Raises:
        UnusableEventError: 452 a market context we are not enrolled in, 460 no supported signal,
            462 not addressed to this VEN, 454 values without a usable unit or time.
    """
    _check(event, us)
    descriptor, period = event.descriptor, event.active_period
    found = signals.usable(event, lambda signal: _for_us(signal, us))
    named = () if us.wholly(event.target) else us.parts(event.target)
    return GridEvent(
        utility_id=utility_id,
        event_id=descriptor.event_id,
        modification=descriptor.modification_number,
        program_id=descriptor.market_context,
        created_at=descriptor.created_at,
        window=_later(period.window, shift),
        signals=_moved(found, shift),
        priority=descriptor.priority or 0,
        test=descriptor.is_test,
        cancelled=descriptor.status is EventStatus.CANCELLED,
        targets=named,
        device_classes=_classes(event, us),
        notification=period.notification,
        ramp_up=period.ramp_up,
        recovery=period.recovery,
        start_tolerance=period.start_after,
        baseline=signals.baseline(event.baseline),
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


def later_response(known: KnownEvent, opt: Opt, cause: str) -> EventResponse:
    """Our answer to an event that was answered otherwise before."""
    return EventResponse(
        code=200,
        description=cause[:200] or "OK",
        request_id=known.request_id,
        event_id=known.event_id,
        modification_number=known.modification,
        opt_type=OptType.IN if opt is Opt.IN else OptType.OUT,
    )


def _check(event: OadrEvent, us: Addressee) -> None:
    """Whether it is for us at all, and its times make sense."""
    context, period = event.descriptor.market_context, event.active_period
    if us.market_contexts and context not in us.market_contexts:
        raise UnusableEventError(INVALID_ID, f"not enrolled in market context {context!r}")
    if not us.meant_by(event.target):
        raise UnusableEventError(TARGET_MISMATCH, "the event's target names others")
    spans = (
        period.duration,
        period.start_after,
        period.notification,
        period.ramp_up,
        period.recovery,
    )
    if min(spans) < _NONE:
        raise UnusableEventError(INVALID_DATA, "a duration of the active period is negative")
    try:
        _later(period.window, period.start_after)
    except (ValueError, OverflowError) as error:
        raise UnusableEventError(INVALID_DATA, f"active period: {error}") from error


def _for_us(signal: Signal, us: Addressee) -> bool:
    """Device classes narrow a signal to kinds of devices: those that a depot may have are ours."""
    return us.meant_by(signal.target) or bool(_named(signal))


def _classes(event: OadrEvent, us: Addressee) -> tuple[DeviceClass, ...]:
    """Those that the signal names on which we act."""
    kinds = {SUPPORTED.get((s.name.upper(), s.type)): s for s in event.signals if _for_us(s, us)}
    acted_on = next((kinds[kind] for kind in USABLE if kind in kinds), None)
    return () if acted_on is None else _named(acted_on)


def _named(signal: Signal) -> tuple[DeviceClass, ...]:
    assets = signal.target.end_device_assets
    return tuple(sorted({DEVICE_CLASSES[one] for one in assets if one in DEVICE_CLASSES}))


def _later(interval: Interval, by: timedelta) -> Interval:
    end = None if interval.end is None else interval.end + by
    return Interval(start=interval.start + by, end=end)


def _moved(found: tuple[GridSignal, ...], by: timedelta) -> tuple[GridSignal, ...]:
    if not by:
        return found
    return tuple(
        GridSignal(
            kind=signal.kind,
            series=StepSeries.of((_later(s.interval, by), s.value) for s in signal.series),
        )
        for signal in found
    )
