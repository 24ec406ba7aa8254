"""What the utility can be told to do: the same words in a scenario (YAML) and over REST (JSON).

`ven` is a venID; `*` is every VEN that is registered, or the one that a procedure is played for.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from contracts.config import Settings
from contracts.errors import PermanentError
from vtn_sim.openadr.faults import EVERY, OadrFaultSpec
from vtn_sim.openadr.habits import OadrHabits, SigningMode
from vtn_sim.openadr.report_spec import ReportAsk
from vtn_sim.spec import (
    BaselineSpec,
    EventSpec,
    Identifier,
    Seconds,
    SignalSpec,
    Start,
    TargetSpec,
    XmlText,
)


class Announce(EventSpec):
    """A new event, and when it starts: at a time, or so many seconds from now."""

    action: Literal["announce"] = "announce"
    start: Start | None = None
    start_in_s: Annotated[float, Field(ge=-86_400, le=31 * 86_400)] | None = None
    """Negative: it has begun already."""

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if (self.start is None) == (self.start_in_s is None):
            raise ValueError("give either start or start_in_s")
        return self


class EventChange(Settings):
    """What to change in an event; everything else stays."""

    start: Start | None = None
    duration_s: Seconds | None = None
    signals: tuple[SignalSpec, ...] | None = None
    targets: TargetSpec | None = None
    priority: int | None = None
    test: bool | str | None = None
    comment: str | None = None
    market_context: str | None = None
    start_tolerance_s: Seconds | None = None
    notification_s: Seconds | None = None
    ramp_up_s: Seconds | None = None
    recovery_s: Seconds | None = None
    response_required: bool | None = None
    baseline: BaselineSpec | None = None
    modification_reason: str | None = None

    def applied(self, spec: EventSpec) -> EventSpec:
        """The specification with the changes; new signals bring their own duration.

        Raises:
            PermanentError: they do not fit together.
        """
        own = EventSpec.model_fields.keys()
        changes = self.model_dump(exclude_none=True, include=set(own))
        kept = {name: value for name, value in spec.model_dump().items() if name in own}
        if "signals" in changes:
            kept.pop("duration_s")
        try:
            return EventSpec.model_validate({**kept, **changes})
        except ValidationError as error:
            raise UnfitError(error.errors()[0]["msg"]) from error


class UnfitError(PermanentError):
    """Changes that do not fit together."""


class Modify(EventChange):
    """Change an event: the modification number goes up by one."""

    action: Literal["modify"]
    event_id: Identifier


class CancelOadrEvent(Settings):
    """Cancel an event: the modification number goes up by one."""

    action: Literal["cancel"]
    event_id: Identifier
    end_within_s: Seconds | None = None
    """Each VEN ends at random within so long; none: within the event's own tolerance."""


class Withdraw(Settings):
    """Leave an event out from now on: an implied cancellation."""

    action: Literal["withdraw"]
    event_id: Identifier


class Redistribute(Settings):
    """Send all events once more, changed or not."""

    action: Literal["redistribute"]
    ven: XmlText = EVERY


class Reregister(Settings):
    """Demand that a VEN registers again."""

    action: Literal["reregister"]
    ven: XmlText = EVERY


class CancelRegistration(Settings):
    """End a VEN's registration."""

    action: Literal["cancel-registration"]
    ven: XmlText = EVERY
    registration_id: Identifier | None = None
    """Another one than the VEN has."""


class ForgetRegistrations(Settings):
    """Lose all registrations, as a utility that restarts without its data: 463 from now on."""

    action: Literal["forget-registrations"]


class SetPollFrequency(Settings):
    """Change the poll frequency that VENs are told when they register."""

    action: Literal["set-poll-frequency"]
    seconds: Annotated[int, Field(ge=1, le=86_400)]


class AskReports(Settings):
    """Ask for reports, all in one message."""

    action: Literal["ask-reports"]
    ven: XmlText = EVERY
    requests: Annotated[tuple[ReportAsk, ...], Field(min_length=1, max_length=100)]


class CancelReports(Settings):
    """End report requests."""

    action: Literal["cancel-reports"]
    ven: XmlText = EVERY
    requests: tuple[Identifier, ...] = ()
    """reportRequestIDs, known or not; none: every running one."""
    to_follow: bool = False
    """A last report shall follow."""
    inside_update: bool = False
    """With the answer to the VEN's next report instead of a message of its own."""


class OfferReports(Settings):
    """Register the VTN's own reports (metadata) with a VEN."""

    action: Literal["offer-reports"]
    ven: XmlText = EVERY
    points: tuple[Identifier, ...] = ()
    """rIDs; none: an empty list."""


class AddOadrFault(Settings):
    """Switch a fault on."""

    action: Literal["add-fault"]
    fault: OadrFaultSpec


class ClearOadrFaults(Settings):
    """Switch every fault off."""

    action: Literal["clear-faults"]


class SetOadrHabits(Settings):
    """Take on other habits; those not named are off."""

    action: Literal["set-habits"]
    habits: OadrHabits


class SetSignatures(Settings):
    """Sign, and require signatures, or not any more."""

    action: Literal["set-signatures"]
    mode: SigningMode


Action = Annotated[
    Announce
    | Modify
    | CancelOadrEvent
    | Withdraw
    | Redistribute
    | Reregister
    | CancelRegistration
    | ForgetRegistrations
    | SetPollFrequency
    | AskReports
    | CancelReports
    | OfferReports
    | AddOadrFault
    | ClearOadrFaults
    | SetOadrHabits
    | SetSignatures,
    Field(discriminator="action"),
]
Result = dict[str, Any]
