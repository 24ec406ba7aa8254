"""What the API answers: SI units in every name (W, Wh, s), RFC 3339 times, `[start, end)`.

Import, consumption and charging are positive; reductions are positive where the name says so.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from contracts.reading import Quality
from contracts.site_link.messages import InstructionState, Severity
from gateway.domain.event import Decider, EventStatus, Opt, SignalKind

T0, T1 = "2026-11-21T01:00:00Z", "2026-11-21T03:00:00Z"


class Schema(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(frozen=True)


def example(**values: JsonValue) -> ConfigDict:
    """Configuration of an answer that the documentation shows with these values."""
    return ConfigDict(frozen=True, json_schema_extra={"examples": [values]})


class ReadingOut(Schema):
    """A measured value. `value` is null whenever there is nothing to trust."""

    model_config = example(value=81_500.0, quality="good", at=T0, age_s=1.8)

    value: float | None
    quality: Quality
    at: AwareDatetime
    age_s: float


class StepOut(Schema):
    """A value that holds over `[start, end)`; `end` null means until further notice."""

    start: AwareDatetime
    end: AwareDatetime | None
    value: float


class TelemetryOut(Schema):
    """The newest reading of every point of a site."""

    site_id: str
    simulated: bool
    readings: dict[str, ReadingOut]


class SeriesOut(Schema):
    """One point over time: means over equal intervals, or steps as measured. Gaps are left out."""

    model_config = example(
        site_id="north-yard",
        point="pcc_power_w",
        simulated=True,
        start=T0,
        end=T1,
        interval_s=900.0,
        steps=[{"start": T0, "end": "2026-11-21T01:15:00Z", "value": 81_500.0}],
    )

    site_id: str
    point: str
    simulated: bool
    start: AwareDatetime
    end: AwareDatetime
    interval_s: float | None
    steps: list[StepOut]


class VehicleOut(Schema):
    """Whether a vehicle will have its energy at departure."""

    vehicle_id: str
    evse_id: str
    at: AwareDatetime
    soc_pct: float | None
    required_wh: float
    departure: AwareDatetime
    on_track: bool
    reason: str
    outlook: Annotated[
        str, Field(description="ready, on track, at risk or will miss; empty: not told.")
    ]
    since: Annotated[AwareDatetime | None, Field(description="Since when that has been so.")]
    ready_at: Annotated[AwareDatetime | None, Field(description="When it is expected ready.")]
    missing_wh: Annotated[float, Field(description="What it will lack when it leaves, Wh.")]
    late_by_s: Annotated[float, Field(description="How much longer it would have to stay, s.")]
    helps: Annotated[str, Field(description="What somebody at the depot can still do.")]
    here: Annotated[bool, Field(description="False: expected, not plugged in yet.")]


class NoticeOut(Schema):
    """Something a person should know, raised by a site."""

    site_id: str
    at: AwareDatetime
    code: str
    subject: str
    severity: Severity
    raised: bool
    text: str


class SignalOut(Schema):
    """One series of an event; `unit` says what its values are."""

    kind: SignalKind
    unit: Literal["W", "level", "currency/kWh"]
    steps: list[StepOut]


class EventOut(Schema):
    """One event at its newest modification, with our answer to it."""

    model_config = example(
        utility_id="pacific-utility",
        event_id="evt-2026-1121",
        modification=0,
        program_id="http://utility.example/programs/peak-relief",
        status="active",
        test=False,
        priority=0,
        start=T0,
        end=T1,
        created_at="2026-11-20T23:00:00Z",
        received_at="2026-11-20T23:00:00Z",
        signals=[
            {
                "kind": "delta_w",
                "unit": "W",
                "steps": [{"start": T0, "end": T1, "value": -105_000.0}],
            }
        ],
        opt="optIn",
        opt_cause="105.0 kW offered by 2 of 3 sites",
        opt_by="rules",
        opted_out_sites=["east-fleet"],
        comment="",
    )

    utility_id: str
    event_id: str
    modification: int
    program_id: str
    status: EventStatus
    test: bool
    priority: int
    start: AwareDatetime
    end: AwareDatetime | None
    created_at: AwareDatetime
    received_at: AwareDatetime
    signals: list[SignalOut]
    opt: Opt
    opt_cause: str
    opt_by: Annotated[
        Decider, Field(description="Whose word it is; `nobody`: a person's is awaited.")
    ]
    opted_out_sites: list[str]
    comment: str


class EventPage(Schema):
    """A page of events, newest start first; `next_page_token` null on the last one."""

    items: list[EventOut]
    next_page_token: str | None


class AllocationStepOut(Schema):
    """What one site gives over `[start, end)`."""

    start: AwareDatetime
    end: AwareDatetime | None
    reduction_w: float
    limit_w: Annotated[float, Field(description="Most on the meter of `counted_on`.")]


class AllocationOut(Schema):
    """One site's part of a plan, with what bounded it."""

    site_id: str
    cause: str
    steps: list[AllocationStepOut]


class PlanOut(Schema):
    """One revision of who gives how much."""

    revision: int
    modification: int
    created_at: AwareDatetime
    reason: str
    target: Annotated[list[StepOut], Field(description="Reduction asked, W, >= 0.")]
    shortfall: Annotated[list[StepOut], Field(description="Reduction nobody can give, W, >= 0.")]
    counted_on: Annotated[
        str, Field(description="site (its import), charging, storage, export or generation.")
    ]
    allocations: list[AllocationOut]


class StatusOut(Schema):
    """What a site said about an instruction."""

    at: AwareDatetime
    state: InstructionState
    reason: str


class InstructionStepOut(Schema):
    """Bounds at the grid connection over `[start, end)`."""

    start: AwareDatetime
    end: AwareDatetime
    import_limit_w: float | None
    export_limit_w: float | None


class InstructionOut(Schema):
    """One instruction to one site."""

    instruction_id: str
    site_id: str
    site_seq: int
    revision: int
    issued_at: AwareDatetime
    start: AwareDatetime
    expires_at: AwareDatetime
    steps: list[InstructionStepOut]
    cause: str
    statuses: list[StatusOut]


class JournalOut(Schema):
    """Why something is as it is."""

    at: AwareDatetime
    subject: str
    action: str
    cause: str


class ReportVersionOut(Schema):
    """One immutable version of a participation report."""

    model_config = example(
        version=2,
        final=False,
        simulated=True,
        created_at="2026-11-21T04:04:00Z",
        json_url="/api/v1/events/pacific-utility/evt-2026-1121/reports/2",
        pdf_url="/events/pacific-utility/evt-2026-1121/report.pdf?version=2",
        csv_url="/events/pacific-utility/evt-2026-1121/report.csv?version=2",
    )

    version: int
    final: bool
    simulated: bool
    created_at: AwareDatetime
    json_url: str
    pdf_url: str
    csv_url: str


class OptOutIn(BaseModel):
    """Take one site out of an event or a control, or back in."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"site_id": "east-fleet", "reason": "early departures"}]},
    )

    site_id: Annotated[str, Field(min_length=1, max_length=40)]
    reason: Annotated[str, Field(max_length=200)] = ""


class OptOutOut(Schema):
    """The site is out of the event."""

    utility_id: str
    event_id: str
    site_id: str
    opted_out: Literal[True] = True


class OptInOut(Schema):
    """The site takes part in the event."""

    utility_id: str
    event_id: str
    site_id: str
    opted_out: Literal[False] = False


class UtilityOut(Schema):
    """How the way to one utility is."""

    utility_id: str
    protocol: str
    connected: bool
    detail: str
    last_contact_at: datetime | None


class PortfolioOut(Schema):
    """The portfolio at this moment; a figure is null unless every site it needs is known."""

    model_config = example(
        at=T0,
        simulated=True,
        power_w=171_000.0,
        baseline_w=276_000.0,
        target_w=171_000.0,
        flex_down_w=40_000.0,
        sites_online=3,
        sites_total=3,
        utilities=[],
        notices=[],
    )

    at: AwareDatetime
    simulated: bool
    power_w: float | None
    baseline_w: float | None
    target_w: float | None
    flex_down_w: float | None
    sites_online: int
    sites_total: int
    utilities: list[UtilityOut]
    notices: list[NoticeOut]
