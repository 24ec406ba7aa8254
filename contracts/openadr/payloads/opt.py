"""EiOpt: when a VEN or its resources take part, and a change of mind on one event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.openadr.payloads.common import EVERYONE, EiResponse, QualifiedEventId, Target
from contracts.openadr.payloads.event import OptType


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """`available`: one span of a schedule; a duration of zero means without end."""

    start: datetime
    duration: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOpt:
    """`oadrCreateOpt`: opt in or out, by a schedule (`availability`) or of one `event`.

    It outranks what a `CreatedEvent` said or will say of that event.
    """

    request_id: str
    opt_id: str
    """Names the opt for its whole life."""
    opt_type: OptType
    reason: str
    """An `OptReason`, or `x-...`."""
    ven_id: str
    created_at: datetime
    market_context: str | None = None
    availability: tuple[Availability, ...] = ()
    event: QualifiedEventId | None = None
    target: Target = EVERYONE
    """The resources meant; nobody in particular means the whole VEN."""
    device_classes: tuple[str, ...] = ()
    """`oadrDeviceClass`: names of end device classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedOpt:
    """`oadrCreatedOpt`: the opt is taken."""

    response: EiResponse
    opt_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOpt:
    """`oadrCancelOpt`: the opt no longer holds."""

    request_id: str
    opt_id: str
    ven_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CanceledOpt:
    """`oadrCanceledOpt`: the opt has ended."""

    response: EiResponse
    opt_id: str | None = None
