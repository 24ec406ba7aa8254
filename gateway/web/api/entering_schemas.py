"""What the API takes when people or programs enter an event, cancel it, or decide about one."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from contracts.device_class import DeviceClass
from gateway.domain.event import Opt, SignalKind
from gateway.web.api.schemas import T0, T1

MAX_LENGTH = timedelta(days=31)
_NOT_NEGATIVE = frozenset(SignalKind) - {SignalKind.DELTA_W, SignalKind.PRICE}
_OF_ITS_OWN = (SignalKind.EXPORT_LIMIT_W, SignalKind.GENERATION_LIMIT_W)
_HIGHEST_LEVEL = 3


class EventIn(BaseModel):
    """An event that came by telephone, e-mail, portal or another program's API."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "program_id": "peak-relief",
                    "start": T0,
                    "end": T1,
                    "kind": "delta_w",
                    "value": -105_000.0,
                    "source": "manual",
                    "comment": "telephone, control room",
                }
            ]
        },
    )

    program_id: Annotated[str, Field(min_length=1, max_length=200)]
    event_id: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9._:-]{1,100}$",
            description="The utility's own name for it; one is made when it is left out.",
        ),
    ] = None
    start: AwareDatetime
    end: Annotated[
        AwareDatetime | None, Field(description="Null: until further notice, until cancelled.")
    ]
    kind: Annotated[
        SignalKind,
        Field(description="delta_w: less load is negative; level 0 asks for readiness only."),
    ]
    value: Annotated[float, Field(ge=-1e9, le=1e9, description="W, a level 0-3, or currency/kWh.")]
    targets: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=80)], ...],
        Field(max_length=1000, description="Sites, groups, networks; none: the whole program."),
    ] = ()
    device_classes: Annotated[
        tuple[DeviceClass, ...],
        Field(max_length=3, description="Whose load it is about; none: as the program says."),
    ] = ()
    test: bool = False
    source: Annotated[
        Literal["api", "manual"], Field(description="Who tells: a program, or a person.")
    ] = "api"
    comment: Annotated[str, Field(max_length=500)] = ""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.end is not None and not timedelta(0) < self.end - self.start <= MAX_LENGTH:
            raise ValueError("end must lie after start, at most 31 days")
        _check_value(self.kind, self.value)
        if self.kind in _OF_ITS_OWN and self.device_classes:
            raise ValueError(f"device_classes: a {self.kind.value} is not about a class of devices")
        return self


class ReasonIn(BaseModel):
    """Why an event is cancelled."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(max_length=200)] = ""


class DecisionIn(BaseModel):
    """A person's word on an event, whatever rules and policies have said."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"opt": "optIn", "reason": "agreed with the utility"}]},
    )

    opt: Opt
    reason: Annotated[str, Field(max_length=200)] = ""


class ChangeIn(BaseModel):
    """What is to be otherwise about an event that was entered here; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"revision": 0, "end": T1, "reason": "telephone: half an hour longer"}]
        },
    )

    revision: Annotated[
        int,
        Field(ge=0, le=2**31, description="The `modification` of the event that you have seen."),
    ]
    start: AwareDatetime | None = None
    end: Annotated[
        AwareDatetime | None, Field(description="Null: until further notice. Left out: as it is.")
    ] = None
    kind: SignalKind | None = None
    value: Annotated[
        float | None, Field(ge=-1e9, le=1e9, description="From now on; goes with `kind`.")
    ] = None
    targets: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=80)], ...] | None,
        Field(max_length=1000, description="Sites, groups, networks; none: the whole program."),
    ] = None
    comment: Annotated[str | None, Field(max_length=500)] = None
    reason: Annotated[str, Field(max_length=500)] = ""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if (self.kind is None) != (self.value is None):
            raise ValueError("kind and value go together")
        if self.kind is not None and self.value is not None:
            _check_value(self.kind, self.value)
        if "start" in self.model_fields_set and self.start is None:
            raise ValueError("start: an event has one")
        return self


def _check_value(kind: SignalKind, value: float) -> None:
    """Whether a signal may have this value.

    Raises:
        ValueError: it may not.
    """
    if kind in _NOT_NEGATIVE and value < 0:
        raise ValueError(f"value of a {kind.value} must not be negative")
    if kind is SignalKind.LEVEL and value not in range(_HIGHEST_LEVEL + 1):
        raise ValueError("value of a level is 0, 1, 2 or 3")
