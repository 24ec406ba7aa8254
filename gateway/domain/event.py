"""What a utility asks for, in our own words, whichever protocol carried it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.device_class import DeviceClass
from contracts.series import StepSeries
from contracts.time import Interval


class SignalKind(StrEnum):
    """What the numbers of a signal mean."""

    LEVEL = "level"
    """0 normal, 1 moderate, 2 high, 3 special (OpenADR 2.0b SIMPLE); the program maps them."""
    DELTA_W = "delta_w"
    """Change of load against the baseline, W; negative asks for less consumption."""
    SETPOINT_W = "setpoint_w"
    """Total import of the portfolio, W."""
    IMPORT_LIMIT_W = "import_limit_w"
    """Import of the portfolio must not exceed this, W."""
    EXPORT_LIMIT_W = "export_limit_w"
    """What the portfolio exports must not exceed this, W >= 0; imports of other sites count off."""
    GENERATION_LIMIT_W = "generation_limit_w"
    """What inverters make, and batteries that discharge, must not exceed this together, W >= 0."""
    PRICE = "price"
    """Currency per kWh."""


USABLE = (
    SignalKind.DELTA_W,
    SignalKind.SETPOINT_W,
    SignalKind.IMPORT_LIMIT_W,
    SignalKind.EXPORT_LIMIT_W,
    SignalKind.GENERATION_LIMIT_W,
    SignalKind.LEVEL,
)
"""Signals we act on, the most exact first: of several in one event the first of these counts."""


class EventStatus(StrEnum):
    """Where an event stands in time (names of OpenADR 2.0b eventStatus)."""

    FAR = "far"
    NEAR = "near"
    ACTIVE = "active"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class EventSource(StrEnum):
    """How an event reached us."""

    OPENADR = "openadr"
    SEP2 = "sep2"
    API = "api"
    MANUAL = "manual"
    """A person enters what came by e-mail, telephone, message or portal."""


BY_PEOPLE = frozenset({EventSource.API, EventSource.MANUAL})
"""Entered at the gateway, and so cancelled there."""


class Opt(StrEnum):
    """Our answer to an event."""

    IN = "optIn"
    OUT = "optOut"


class Decider(StrEnum):
    """Whose word an answer is."""

    RULES = "rules"
    """The standing rule, the program's rules and policies, or the owners' limits."""
    PERSON = "person"
    NOBODY = "nobody"
    """A policy leaves it to a person, who has not spoken yet: opted out meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One series of values over the event."""

    kind: SignalKind
    series: StepSeries


@dataclass(frozen=True, slots=True, kw_only=True)
class GridEvent:
    """One event of one utility at one modification.

    `event_id` is unique within `utility_id`; `key` is unique everywhere. `window.end` None means
    until further notice. `priority`: 1 is the highest, 0 means none (lowest).
    """

    utility_id: str
    event_id: str
    modification: int
    program_id: str
    created_at: datetime
    window: Interval
    signals: tuple[Signal, ...]
    priority: int = 0
    test: bool = False
    cancelled: bool = False
    targets: tuple[str, ...] = ()
    """Site or group ids addressed; empty means the whole program."""
    device_classes: tuple[DeviceClass, ...] = ()
    """Whose load it is about; none: as its program says, or whatever a site has."""
    notification: timedelta = timedelta(0)
    ramp_up: timedelta = timedelta(0)
    recovery: timedelta = timedelta(0)
    start_tolerance: timedelta = timedelta(0)
    """`window` and `signals` have been moved later by a random part of this."""
    baseline: StepSeries | None = None
    """What the utility expects the load to be without the event, W; for information only."""
    comment: str = ""
    source: EventSource = EventSource.OPENADR

    @property
    def key(self) -> str:
        """Globally unique id: `<utility_id>/<event_id>`."""
        return f"{self.utility_id}/{self.event_id}"

    def status(self, now: datetime) -> EventStatus:
        """Where the event stands at `now`."""
        if self.cancelled:
            return EventStatus.CANCELLED
        if self.window.end is not None and self.window.end <= now:
            return EventStatus.COMPLETED
        if self.window.start <= now:
            return EventStatus.ACTIVE
        return EventStatus.NEAR if self.window.start - self.ramp_up <= now else EventStatus.FAR

    def cancel(self) -> GridEvent:
        """The same event, cancelled."""
        return replace(self, cancelled=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptDecision:
    """Our answer to one modification of one event, with the reason for it."""

    event_key: str
    modification: int
    opt: Opt
    cause: str
    by: Decider = Decider.RULES


def effective_signal(event: GridEvent) -> Signal | None:
    """The signal of the event that we act on, or None when there is none we can use."""
    for kind in USABLE:
        for signal in event.signals:
            if signal.kind is kind and len(signal.series):
                return signal
    return None
