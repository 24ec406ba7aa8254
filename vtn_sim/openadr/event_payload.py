"""One event of the utility, and how it looks as an `oadrEvent` at a moment in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.errors import PermanentError
from contracts.openadr import codec
from contracts.openadr.payloads import (
    ActivePeriod,
    Baseline,
    DistributeEvent,
    EventDescriptor,
    EventStatus,
    ItemBase,
    OadrEvent,
    ResponseRequired,
    ServiceArea,
    Signal,
    SignalInterval,
    Target,
    TransportInterface,
)
from contracts.series import StepSeries
from contracts.time import Interval
from vtn_sim.spec import EventSpec, IntervalSpec, SignalSpec, TargetSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class VtnEvent:
    """An event at one modification."""

    event_id: str
    modification: int = 0
    created_at: datetime
    modified_at: datetime | None = None
    cancelled_at: datetime | None = None
    withdrawn_at: datetime | None = None
    """From then on it is left out of what is sent, without a word (implied cancellation)."""
    start: datetime
    spec: EventSpec

    @property
    def window(self) -> Interval:
        """`[start, end)`; the end is None when open-ended."""
        duration = self.spec.duration
        return Interval(start=self.start, end=self.start + duration if duration else None)

    @property
    def last_instant(self) -> datetime | None:
        """When it has ended even if moved by its whole tolerance; None when open-ended."""
        end = self.window.end
        return None if end is None else end + timedelta(seconds=self.spec.start_tolerance_s)

    def status(self, now: datetime) -> EventStatus:
        """Where the event stands (profile 2.0b, eventStatus); near from the ramp-up on."""
        if self.cancelled_at is not None:
            return EventStatus.CANCELLED
        if self.last_instant is not None and self.last_instant <= now:
            return EventStatus.COMPLETED
        if self.start <= now:
            return EventStatus.ACTIVE
        ramp_up = timedelta(seconds=self.spec.ramp_up_s)
        return EventStatus.NEAR if self.start - ramp_up <= now else EventStatus.FAR

    def concerns(self, ven_id: str) -> bool:
        """Whether the VEN is to get it; resources and groups are for the VEN to resolve."""
        if self.spec.recipients is not None:
            return ven_id in self.spec.recipients
        targets = self.spec.targets
        named = {*targets.ven_ids, *targets.party_ids}
        others = targets != targets.model_copy(update=_NOBODY) or not named
        return ven_id in named or others


_STRUCTURED = {"service_areas", "service_locations", "transport_interfaces"}
_NOBODY = {name: () for name in TargetSpec.model_fields if name not in ("ven_ids", "party_ids")}


def signal_series(event: VtnEvent, signal: SignalSpec) -> StepSeries:
    """The signal's values laid end to end from the event's start, in its own unit."""
    steps: list[tuple[Interval, float]] = []
    start = event.start
    for interval in signal.intervals:
        if interval.duration_s == 0:
            steps.append((Interval(start=start, end=event.window.end), interval.value))
            break
        end = start + timedelta(seconds=interval.duration_s)
        steps.append((Interval(start=start, end=end), interval.value))
        start = end
    return StepSeries.of(steps)


def oadr_event(event: VtnEvent, now: datetime) -> OadrEvent:
    """The event as it is sent at `now`."""
    spec = event.spec
    status = event.status(now)
    required = ResponseRequired.ALWAYS if spec.response_required else ResponseRequired.NEVER
    return OadrEvent(
        descriptor=EventDescriptor(
            event_id=event.event_id,
            modification_number=event.modification,
            modified_at=event.modified_at,
            modification_reason=spec.modification_reason or None,
            priority=spec.priority,
            market_context=spec.market_context,
            created_at=event.created_at,
            status=status,
            test_event=spec.test if isinstance(spec.test, str) else str(spec.test).lower(),
            vtn_comment=spec.comment or None,
        ),
        active_period=ActivePeriod(
            start=event.start,
            duration=spec.duration,
            start_after=timedelta(seconds=spec.start_tolerance_s),
            notification=timedelta(seconds=spec.notification_s),
            ramp_up=timedelta(seconds=spec.ramp_up_s),
            recovery=timedelta(seconds=spec.recovery_s),
        ),
        signals=tuple(
            _signal(event, number, signal, status is EventStatus.ACTIVE, now)
            for number, signal in enumerate(spec.signals)
        ),
        baseline=_baseline(event),
        target=_target(spec.targets),
        response_required=required,
    )


def check_sendable(event: VtnEvent, now: datetime) -> None:
    """Whether XML and the schema can carry the event.

    Raises:
        UnsendableError: a currency or an address, for example, that they cannot.
    """
    batch = DistributeEvent(request_id="", vtn_id="", events=(oadr_event(event, now),))
    try:
        codec.encode(batch)
    except ValueError as error:
        raise UnsendableError(f"event {event.event_id!r}: {error}") from error


class UnsendableError(PermanentError):
    """An event that cannot be sent."""


def _signal(
    event: VtnEvent, number: int, signal: SignalSpec, active: bool, now: datetime
) -> Signal:
    """Profile rule 14: the current value is 0 unless the event is active."""
    current = signal_series(event, signal).value_at(now) if active else None
    return Signal(
        name=signal.name,
        type=signal.type,
        signal_id=f"{event.event_id}-{number}",
        intervals=_intervals(signal.intervals),
        item=_item(signal),
        target=_target(signal.targets),
        current_value=current or 0.0,
    )


def _intervals(specs: Sequence[IntervalSpec]) -> tuple[SignalInterval, ...]:
    """Profile rules 2 and 8: uid from 0 in steps of 1."""
    return tuple(
        SignalInterval(uid=str(uid), duration=timedelta(seconds=i.duration_s), value=i.value)
        for uid, i in enumerate(specs)
    )


def _target(spec: TargetSpec) -> Target:
    plain = spec.model_dump(exclude=_STRUCTURED)
    return Target(
        **plain,
        service_areas=tuple(ServiceArea(positions=one) for one in spec.service_areas),
        service_locations=tuple(ServiceArea(positions=one) for one in spec.service_locations),
        transport_interfaces=tuple(
            TransportInterface(receipt=one.receipt, delivery=one.delivery)
            for one in spec.transport_interfaces
        ),
    )


def _baseline(event: VtnEvent) -> Baseline | None:
    spec = event.spec.baseline
    if spec is None:
        return None
    return Baseline(
        baseline_id=spec.baseline_id,
        name=spec.name,
        start=event.start,
        duration=timedelta(seconds=sum(interval.duration_s for interval in spec.intervals)),
        intervals=_intervals(spec.intervals),
        resource_ids=spec.resource_ids,
        item=ItemBase.power_real("k"),
    )


_UNITS = {
    "LOAD_DISPATCH": "kW",
    "BID_LOAD": "kW",
    "BID_ENERGY": "kWh",
    "CHARGE_STATE": "kWh",
    "ELECTRICITY_PRICE": "currencyPerKWh",
    "ENERGY_PRICE": "currencyPerKWh",
    "BID_PRICE": "currencyPerKWh",
    "DEMAND_CHARGE": "currencyPerKW",
}
_SCALES = {"W": "none", "kW": "k", "MW": "M"}
_WITHOUT_UNIT = ("multiplier", "level", "priceMultiplier")


def _item(signal: SignalSpec) -> ItemBase | None:
    unit = signal.unit or _UNITS.get(signal.name, "none")
    if signal.unit is None and signal.type in _WITHOUT_UNIT:
        return None
    if unit in _SCALES:
        return ItemBase.power_real(_SCALES[unit])
    if unit == "kWh":
        return ItemBase.energy_real("k")
    if unit == "none":
        return None
    return ItemBase(kind=unit, units=signal.currency, description=unit)
