"""What the utility can be told to do: the same words in a scenario (YAML) and over REST (JSON)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contracts.config import Settings
from vtn_sim.sep2.faults import FaultSpec
from vtn_sim.sep2.habits import Habits
from vtn_sim.sep2.spec import (
    ControlSpec,
    CurveSpec,
    DayPrices,
    DefaultSpec,
    DeviceSpec,
    FsaSpec,
    LoadControlSpec,
    Name,
    Pin,
    Primacy,
    ProgramSpec,
)
from vtn_sim.spec import Start, XmlText

Key = Annotated[str, Field(min_length=1, max_length=40)]
"""Label or LFDI of an EndDevice."""
Fsas = Annotated[tuple[Name, ...], Field(max_length=15)]


class _Starting(Settings):
    """When an event starts: at a time, or so many seconds after it was announced."""

    start: Start | None = None
    start_in_s: Annotated[float, Field(ge=-86_400, le=31 * 86_400)] | None = None
    """Negative: it has begun already, and comes late."""

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if (self.start is None) == (self.start_in_s is None):
            raise ValueError("give either start or start_in_s")
        return self


class AddControl(ControlSpec, _Starting):
    """Announce a DERControl."""

    action: Literal["add-control"]


class AddLoadControl(LoadControlSpec, _Starting):
    """Announce an EndDeviceControl."""

    action: Literal["add-load-control"]


class CancelEvent(Settings):
    """Cancel a DERControl or an EndDeviceControl."""

    action: Literal["cancel-event"]
    event: Name
    randomized: bool = False
    """With a random end (status 3)."""
    reason: Annotated[XmlText, Field(max_length=192)] | None = None


class SetDefault(Settings):
    """Change the DefaultDERControl of a program; none takes it away."""

    action: Literal["set-default"]
    program: Name
    default: DefaultSpec | None


class SetCurve(Settings):
    """Change a curve of a program, by its name; controls that follow it stay as they are."""

    action: Literal["set-curve"]
    program: Name
    curve: CurveSpec


class SetPrimacy(Settings):
    """Change the rank of one or more DERPrograms at once, as for a swap."""

    action: Literal["set-primacy"]
    primacies: Annotated[dict[Name, Primacy], Field(min_length=1)]


class AddProgram(Settings):
    """A new DERProgram in existing groups."""

    action: Literal["add-program"]
    program: ProgramSpec
    fsas: tuple[Name, ...] = ()


class AddFsa(Settings):
    """A new group."""

    action: Literal["add-fsa"]
    fsa: FsaSpec


class SetPrograms(Settings):
    """Change which DERPrograms a group leads to."""

    action: Literal["set-programs"]
    fsa: Name
    programs: tuple[Name, ...]


class SetPrices(Settings):
    """Change the daily prices of a tariff."""

    action: Literal["set-prices"]
    tariff: Name
    prices: DayPrices


class AddDevice(Settings):
    """A new EndDevice (out of band)."""

    action: Literal["add-device"]
    device: DeviceSpec


class DeleteDevice(Settings):
    """An EndDevice the utility forgets."""

    action: Literal["delete-device"]
    device: Key


class MoveDevice(Settings):
    """Assign an EndDevice to other groups."""

    action: Literal["move-device"]
    device: Key
    fsas: Fsas


class SetPin(Settings):
    """Change a registration PIN, to a wrong one for example."""

    action: Literal["set-pin"]
    device: Key
    pin: Pin


class SetPollRate(Settings):
    """Change the pollRate of a kind of resource; `*` is every kind without a rate of its own."""

    action: Literal["set-poll-rate"]
    kind: str
    seconds: Annotated[int, Field(ge=1, le=86_400)]


class SetPostRate(Settings):
    """Change the postRate of all MirrorUsagePoints."""

    action: Literal["set-post-rate"]
    seconds: Annotated[int, Field(ge=1, le=86_400)]


class ShiftClock(Settings):
    """Make the server's clock wrong by so much from now on."""

    action: Literal["shift-clock"]
    seconds: Annotated[float, Field(ge=-86_400, le=86_400)]


class SetHabits(Settings):
    """Take on other habits; those not named are off."""

    action: Literal["set-habits"]
    habits: Habits


class AddFault(Settings):
    """Switch a fault on."""

    action: Literal["add-fault"]
    fault: FaultSpec


class ClearFaults(Settings):
    """Switch every fault off."""

    action: Literal["clear-faults"]


class Notify(Settings):
    """Send a Notification to every subscriber of a kind of resource, changed or not."""

    action: Literal["notify"]
    kind: str = "*"


class EndSubscriptions(Settings):
    """End every subscription, with the Notification that says so (status 1), or silently."""

    action: Literal["end-subscriptions"]
    silently: bool = False


class ForgetMirrors(Settings):
    """Forget every MirrorUsagePoint, as a server may after 72 hours."""

    action: Literal["forget-mirrors"]


class GrantFlow(Settings):
    """Answer a FlowReservationRequest."""

    action: Literal["grant-flow"]
    request: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{1,32}$")]
    """Its mRID."""
    start: Start | None = None
    """None: as early as was asked."""
    duration_s: Annotated[int, Field(ge=0, le=86_400)] | None = None
    """0 refuses; none: as long as was asked."""
    power_w: Annotated[float, Field(ge=-1e9, le=1e9)] | None = None


Action = Annotated[
    AddControl
    | AddLoadControl
    | CancelEvent
    | SetDefault
    | SetCurve
    | SetPrimacy
    | AddProgram
    | AddFsa
    | SetPrograms
    | SetPrices
    | AddDevice
    | DeleteDevice
    | MoveDevice
    | SetPin
    | SetPollRate
    | SetPostRate
    | ShiftClock
    | SetHabits
    | AddFault
    | ClearFaults
    | Notify
    | EndSubscriptions
    | ForgetMirrors
    | GrantFlow,
    Field(discriminator="action"),
]


class ScenarioStep(Settings):
    """An action that is done so long after an anchor in time."""

    relative_to: Literal["start", "contact"] = "start"
    """The start of this program, or the first request of any known client."""
    after_s: Annotated[float, Field(ge=0, le=31 * 86_400)] = 0.0
    do: Action
