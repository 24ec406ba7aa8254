"""EiEvent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.openadr.payloads.common import EVERYONE, EiResponse, ItemBase, Target
from contracts.time import Interval

_ZERO = timedelta(0)


class EventStatus(StrEnum):
    """`eventStatus`."""

    NONE = "none"
    FAR = "far"
    NEAR = "near"
    ACTIVE = "active"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class OptType(StrEnum):
    """`optType`."""

    IN = "optIn"
    OUT = "optOut"


class ResponseRequired(StrEnum):
    """`oadrResponseRequired`: whether the VEN answers the event with a `CreatedEvent`."""

    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDescriptor:
    """`eventDescriptor`. `priority` 1 is the highest, 0 or None means none (lowest)."""

    event_id: str
    modification_number: int
    market_context: str
    created_at: datetime
    status: EventStatus
    priority: int | None = None
    test_event: str | None = None
    vtn_comment: str | None = None
    modified_at: datetime | None = None
    modification_reason: str | None = None

    @property
    def is_test(self) -> bool:
        """Any word but "false" means a test (profile rule 6).

        Absent and empty mean a real event: EPRI's VTN sends an empty element for those.
        """
        return (self.test_event or "").strip().lower() not in ("", "false")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivePeriod:
    """`eiActivePeriod`. A duration of zero means open-ended; the other spans default to none."""

    start: datetime
    duration: timedelta
    start_after: timedelta = _ZERO
    """Tolerance: start (and end) may be moved later by a random part of this."""
    notification: timedelta = _ZERO
    ramp_up: timedelta = _ZERO
    recovery: timedelta = _ZERO

    @property
    def window(self) -> Interval:
        """`[start, end)`, without any tolerance."""
        return Interval(start=self.start, end=self.start + self.duration if self.duration else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalInterval:
    """One step of a signal. `duration` None or zero in an open-ended event means to its end."""

    uid: str | None
    """"0", "1", ... in order."""
    duration: timedelta | None
    value: float
    start: datetime | None = None
    """Only when sent; steps else follow each other from the event's start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """`eiEventSignal`: `LOAD_DISPATCH` with `setpoint`, `SIMPLE` with `level`, ..."""

    name: str
    """A `SignalName`, or `x-...`; one that is neither can be read but not sent."""
    type: str
    """A `SignalType`; another one can be read but not sent."""
    signal_id: str
    intervals: tuple[SignalInterval, ...]
    item: ItemBase | None = None
    """The unit; None when not sent, or of a kind we do not know."""
    target: Target = EVERYONE
    current_value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """`eiEventBaseline`: what the load would be without the event."""

    baseline_id: str
    name: str
    start: datetime
    duration: timedelta
    intervals: tuple[SignalInterval, ...]
    resource_ids: tuple[str, ...] = ()
    item: ItemBase | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OadrEvent:
    """`oadrEvent`: one demand-response event."""

    descriptor: EventDescriptor
    active_period: ActivePeriod
    signals: tuple[Signal, ...]
    target: Target = EVERYONE
    response_required: ResponseRequired = ResponseRequired.ALWAYS
    baseline: Baseline | None = None

    @property
    def event_id(self) -> str:
        """The event's identifier."""
        return self.descriptor.event_id


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedEvent:
    """An event of a batch whose identity could be read but not the rest.

    It keeps one bad event from changing the answer to the others, and from being taken for an
    implied cancellation.
    """

    event_id: str
    modification_number: int
    response_required: ResponseRequired
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributeEvent:
    """`oadrDistributeEvent`: all current events; one that is missing is cancelled by that."""

    request_id: str
    vtn_id: str
    events: tuple[OadrEvent, ...] = ()
    response: EiResponse | None = None
    rejected: tuple[RejectedEvent, ...] = ()
    """Inbound only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEvent:
    """`oadrRequestEvent`: the VEN asks for all its events."""

    request_id: str
    ven_id: str
    reply_limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventResponse:
    """`eventResponse`: the answer to one event at one modification."""

    code: int = 200
    description: str | None = "OK"
    request_id: str
    """Of the `DistributeEvent` that brought the event."""
    event_id: str
    modification_number: int
    opt_type: OptType


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedEvent:
    """`oadrCreatedEvent`: the answers to a batch of events."""

    ven_id: str
    response: EiResponse
    event_responses: tuple[EventResponse, ...] = ()
