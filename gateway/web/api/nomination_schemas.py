"""What the API takes and answers about nominations."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from gateway.domain.nomination.nomination import Basis, Nomination, Quantity, State, Status
from gateway.domain.program.promise import Shape
from gateway.web.api.schemas import Schema

Watts = Annotated[float, Field(ge=0)]
By = Annotated[str, Field(min_length=1, max_length=120, description="Who, for the record.")]
Reason = Annotated[str, Field(max_length=200, description="Why, for the record.")]


class ProposeIn(BaseModel):
    """Asks for a proposal; without dates for the next period whose gate is open."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"program_id": "cbp", "first": "2026-07-01", "by": "the control room"}]
        },
    )

    program_id: Annotated[str, Field(min_length=1, max_length=200)]
    first: Annotated[
        date | None, Field(description="A day of the period, or the first of a contract.")
    ] = None
    last: Annotated[date | None, Field(description="The last day of a contract.")] = None
    by: By = "a person at the gateway"
    reason: Reason = ""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.last is not None and self.first is None:
            raise ValueError("last needs first")
        return self


class Verdict(StrEnum):
    """A person's word on a nomination."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"

    @property
    def status(self) -> Status:
        """What it makes of the nomination."""
        return {
            Verdict.ACCEPT: Status.ACCEPTED,
            Verdict.REFUSE: Status.REFUSED,
            Verdict.WITHDRAW: Status.WITHDRAWN,
        }[self]


class VerdictIn(BaseModel):
    """Accepts or refuses a proposal, or withdraws what was accepted, before the gate."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"decision": "accept", "by": "the control room"}]},
    )

    decision: Verdict
    by: By = "a person at the gateway"
    reason: Reason = ""


class NominatedPartOut(Schema):
    """One site's part."""

    site_id: str
    power_w: Watts


class LeftOutOut(Schema):
    """A day or a site that was not counted."""

    what: str
    why: str


class NominatedHoursOut(Schema):
    """Hours without a break."""

    start: AwareDatetime
    end: AwareDatetime


class QuantityOut(Schema):
    """What is promised in some hours of the period."""

    name: Annotated[str, Field(description="Part of the week, or local hours; empty: all hours.")]
    hours: list[NominatedHoursOut]
    power_w: Annotated[Watts, Field(description="0: nothing in these hours; words say why.")]
    level_w: Annotated[float | None, Field(description="The firm service level, where it is one.")]
    price_per_kwh: Annotated[float | None, Field(description="Of a bid, in the program's money.")]
    parts: list[NominatedPartOut]
    basis: Basis
    days_used: list[date]
    days_out: list[LeftOutOut]
    words: Annotated[list[str], Field(description="How the number came about.")]


class NominationStepOut(Schema):
    """One step of a nomination's life."""

    at: AwareDatetime
    status: Status
    by: str
    cause: str


class NominationOut(Schema):
    """What is promised to a program for one period, in one revision."""

    nomination_id: str
    program_id: str
    program_version: str
    label: Annotated[str, Field(description="Of the period, such as 2026-07.")]
    start: AwareDatetime
    end: AwareDatetime
    gate: Annotated[AwareDatetime, Field(description="From then on nothing changes any more.")]
    gate_stated: Annotated[bool, Field(description="False: the program states none.")]
    late: Annotated[bool, Field(description="Made after its gate.")]
    revision: int
    shape: Shape
    confidence_pct: Annotated[float, Field(ge=50, le=99)]
    made_at: AwareDatetime
    state: State
    quantities: list[QuantityOut]
    sites_out: list[LeftOutOut]
    steps: list[NominationStepOut]


def nomination_out(one: Nomination, now: datetime) -> NominationOut:
    """As the API tells it."""
    return NominationOut(
        nomination_id=one.nomination_id,
        program_id=one.program_id,
        program_version=one.program_version,
        label=one.label,
        start=one.period.start,
        end=one.period.end or one.period.start,
        gate=one.gate,
        gate_stated=one.gate_stated,
        late=one.late,
        revision=one.revision,
        shape=one.shape,
        confidence_pct=round(one.confidence * 100, 3),
        made_at=one.made_at,
        state=one.state(now),
        quantities=[_quantity(q) for q in one.quantities],
        sites_out=[LeftOutOut(what=site_id, why=why) for site_id, why in one.sites_out],
        steps=[
            NominationStepOut(at=d.at, status=d.status, by=d.by, cause=d.cause)
            for d in one.decisions
        ],
    )


def _quantity(one: Quantity) -> QuantityOut:
    return QuantityOut(
        name=one.name,
        hours=[NominatedHoursOut(start=h.start, end=h.end or h.start) for h in one.hours],
        power_w=one.power_w,
        level_w=one.level_w,
        price_per_kwh=one.price,
        parts=[NominatedPartOut(site_id=site_id, power_w=w) for site_id, w in one.parts.items()],
        basis=one.basis,
        days_used=list(one.days_used),
        days_out=[LeftOutOut(what=str(day), why=why) for day, why in one.days_out],
        words=list(one.words),
    )
