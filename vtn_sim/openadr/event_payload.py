"""One event of the utility, and how it looks as an `oadrEvent` at a moment in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.openadr.payloads import (
    ActivePeriod,
    EventDescriptor,
    EventStatus,
    ItemBase,
    OadrEvent,
    ResponseRequired,
    Signal,
    SignalInterval,
    Target,
)
from contracts.series import StepSeries
from contracts.time import Interval
from vtn_sim.spec import EventSpec, SignalSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class VtnEvent:
    """An event at one modification."""

    event_id: str
    modification: int = 0
    created_at: datetime
    modified_at: datetime | None = None
    cancelled_at: datetime | None = None
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
        named = (*self.spec.targets.ven_ids, *self.spec.targets.party_ids)
        others = self.spec.targets.resource_ids or self.spec.targets.group_ids
        return not named or ven_id in named or bool(others)


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
            priority=spec.priority,
            market_context=spec.market_context,
            created_at=event.created_at,
            status=status,
            test_event="true" if spec.test else "false",
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
        target=Target(
            group_ids=spec.targets.group_ids,
            resource_ids=spec.targets.resource_ids,
            ven_ids=spec.targets.ven_ids,
            party_ids=spec.targets.party_ids,
        ),
        response_required=required,
    )


def _signal(
    event: VtnEvent, number: int, signal: SignalSpec, active: bool, now: datetime
) -> Signal:
    """Profile rule 14: the current value is 0 unless the event is active."""
    current = signal_series(event, signal).value_at(now) if active else None
    return Signal(
        name=signal.name,
        type=signal.type,
        signal_id=f"{event.event_id}-{number}",
        intervals=tuple(
            SignalInterval(uid=str(uid), duration=timedelta(seconds=i.duration_s), value=i.value)
            for uid, i in enumerate(signal.intervals)
        ),
        item=_item(signal),
        current_value=current or 0.0,
    )


def _item(signal: SignalSpec) -> ItemBase | None:
    match signal.name:
        case "LOAD_DISPATCH":
            return ItemBase.power_real("k")
        case "ELECTRICITY_PRICE":
            return ItemBase(
                kind="currencyPerKWh", units=signal.currency, description="currencyPerKWh"
            )
        case "SIMPLE":
            return None
