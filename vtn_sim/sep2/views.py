"""What the REST API shows of what the IEEE 2030.5 server knows."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

from contracts.sep2.codes import ResponseStatus
from contracts.sep2.resources import Resource
from vtn_sim.judge import Outcome
from vtn_sim.sep2.devices import Device
from vtn_sim.sep2.events import Status
from vtn_sim.sep2.fate import Control
from vtn_sim.sep2.flow import FlowRequest
from vtn_sim.sep2.habits import Habits
from vtn_sim.sep2.mirrors import Mirror, Quantity
from vtn_sim.sep2.received import ReceivedLogEvent, ReceivedResponse
from vtn_sim.sep2.subscriptions import Held
from vtn_sim.views import CheckView

_ANY: TypeAdapter[Any] = TypeAdapter(Any)


def _plain(resource: Resource) -> dict[str, Any]:
    """A resource as JSON, without what is not there."""
    shown: dict[str, Any] = _ANY.dump_python(resource, mode="json", exclude_none=True)
    return shown


class _View(BaseModel):
    """A view that is filled from the attributes of the same names."""

    model_config = ConfigDict(from_attributes=True)


class ServerView(BaseModel):
    """The server itself."""

    entry: str
    prefix: str
    now: AwareDatetime
    """By the server's clock."""
    habits: Habits
    faults: int
    """How many are switched on."""
    poll_rates: dict[str, int]
    poll_rate_s: int
    post_rate_s: int


class DeviceView(BaseModel):
    """An EndDevice and what it told about itself."""

    label: str
    lfdi: str
    sfdi: int
    number: int
    aggregator: str | None
    listed: bool
    fsas: list[str]
    pin: int
    connection_point: str
    changed_at: AwareDatetime
    told: dict[str, dict[str, Any]]
    """`DERStatus 1`: the resource as JSON, with `told_at` and `times`."""

    @classmethod
    def of(cls, device: Device) -> Self:
        """The view of a device."""
        return cls(
            label=device.label,
            lfdi=device.lfdi,
            sfdi=device.sfdi,
            number=device.number,
            aggregator=device.aggregator,
            listed=device.listed,
            fsas=list(device.fsas),
            pin=device.pin,
            connection_point=device.connection_point,
            changed_at=device.changed_at,
            told={
                f"{name} {number}": {
                    **_plain(told.resource),
                    "told_at": told.at.isoformat(),
                    "times": told.times,
                }
                for (number, name), told in sorted(device.told.items())
            },
        )


class EventView(BaseModel):
    """A control of either kind."""

    name: str
    mrid: str
    program: str
    state: str
    since: AwareDatetime
    potentially_superseded: bool
    created_at: AwareDatetime
    start: AwareDatetime
    end: AwareDatetime
    asked: dict[str, Any]

    @classmethod
    def of(cls, event: Control, status: Status) -> Self:
        """The view of an event."""
        return cls(
            name=event.name,
            mrid=event.mrid,
            program=event.spec.program,
            state=status.state.name.lower(),
            since=status.since,
            potentially_superseded=status.potentially_superseded_at is not None,
            created_at=event.created_at,
            start=event.start,
            end=event.end,
            asked=event.spec.model_dump(mode="json", exclude_defaults=True),
        )


class ResponseView(BaseModel):
    """A Response."""

    number: int
    at: AwareDatetime
    response_set: str
    device: str
    """Label, or the LFDI of a device that is not known."""
    event: str | None
    subject: str
    created_at: AwareDatetime | None
    """createdDateTime, as the client has it."""
    status: int | None
    meaning: str
    problem: str | None

    @classmethod
    def of(cls, record: ReceivedResponse, device: str, event: str | None) -> Self:
        """The view of a Response."""
        status = record.resource.status
        known = status in {code.value for code in ResponseStatus}
        return cls(
            number=record.number,
            at=record.at,
            response_set=record.response_set,
            device=device,
            event=event,
            subject=record.subject,
            created_at=record.resource.created_date_time,
            status=status,
            meaning=ResponseStatus(status or 0).name.lower() if known else "unknown",
            problem=record.problem,
        )


class LogEventView(BaseModel):
    """A LogEvent."""

    number: int
    at: AwareDatetime
    function_set: int
    code: int
    details: str | None
    created_at: AwareDatetime

    @classmethod
    def of(cls, record: ReceivedLogEvent) -> Self:
        """The view of a LogEvent."""
        return cls(
            number=record.number,
            at=record.at,
            function_set=record.resource.function_set,
            code=record.resource.log_event_code,
            details=record.resource.details,
            created_at=record.resource.created_date_time,
        )


class SampleView(_View):
    """One reading."""

    start: AwareDatetime
    duration_s: float
    value: float
    received_at: AwareDatetime


class QuantityView(BaseModel):
    """One measured quantity with its newest readings."""

    mirror: int
    lfdi: str
    role_flags: int
    mrid: str
    description: str
    reading_type: dict[str, Any]
    count: int
    samples: list[SampleView]

    @classmethod
    def of(cls, mirror: Mirror, quantity: Quantity, limit: int) -> Self:
        """The view of a quantity."""
        series = quantity.series
        return cls(
            mirror=mirror.number,
            lfdi=mirror.lfdi,
            role_flags=mirror.resource.role_flags,
            mrid=quantity.mrid,
            description=quantity.description,
            reading_type=_plain(quantity.reading_type) if quantity.reading_type else {},
            count=len(series),
            samples=[
                SampleView(
                    start=sample.start,
                    duration_s=sample.duration.total_seconds(),
                    value=sample.value,
                    received_at=sample.received_at,
                )
                for sample in series[max(0, len(series) - limit) :]
            ],
        )


class SubscriptionView(BaseModel):
    """A Subscription and how its Notifications fared."""

    number: int
    client: str
    path: str
    kind: str
    uri: str
    limit: int
    created_at: AwareDatetime
    renewed_at: AwareDatetime
    renewals: int
    delivered: int
    failed: int

    @classmethod
    def of(cls, held: Held) -> Self:
        """The view of a Subscription."""
        return cls(
            number=held.number,
            client=held.client,
            path=held.path,
            kind=held.topic[0],
            uri=held.resource.notification_uri,
            limit=held.resource.limit,
            created_at=held.created_at,
            renewed_at=held.renewed_at,
            renewals=held.renewals,
            delivered=len(held.told_at),
            failed=held.failed,
        )


class FlowRequestView(BaseModel):
    """A flow reservation."""

    lfdi: str
    request: dict[str, Any]
    received_at: AwareDatetime
    cancelled_at: datetime | None
    granted_start: datetime | None
    granted_s: float | None
    granted_w: float | None

    @classmethod
    def of(cls, flow: FlowRequest) -> Self:
        """The view of a request."""
        grant = flow.grant
        return cls(
            lfdi=flow.lfdi,
            request=_plain(flow.resource),
            received_at=flow.received_at,
            cancelled_at=flow.cancelled_at,
            granted_start=grant and grant.start,
            granted_s=grant and grant.duration.total_seconds(),
            granted_w=grant and grant.power.number,
        )


class ExchangeView(_View):
    """One request with its answer."""

    number: int
    at: AwareDatetime
    lfdi: str
    method: str
    path: str
    kind: str
    status: int
    remarks: list[str]
    request: str
    response: str


class EventVerdictView(_View):
    """The judge on one EndDevice in one event."""

    event: str
    device: str
    outcome: Outcome
    codes: list[int]
    checks: list[CheckView]
    text: str


class UpkeepVerdictView(_View):
    """The judge on one EndDevice, or on one client's pace."""

    subject: str
    outcome: Outcome
    checks: list[CheckView]
    text: str


class UpkeepView(BaseModel):
    """Everything beside events."""

    devices: list[UpkeepVerdictView]
    paces: list[UpkeepVerdictView]
