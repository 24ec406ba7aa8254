"""What the REST API shows of what the VTN knows."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict

from contracts.openadr.payloads import EventStatus, ItemBase, OptType, ResourceStatus
from vtn_sim.judge import Outcome
from vtn_sim.openadr.event_payload import VtnEvent
from vtn_sim.openadr.events import Delivery
from vtn_sim.openadr.journal import Direction
from vtn_sim.openadr.registry import Ven
from vtn_sim.openadr.reports import Asked
from vtn_sim.openadr.telemetry import Sample
from vtn_sim.spec import EventSpec


class _View(BaseModel):
    """A view that is filled from the attributes of the same names."""

    model_config = ConfigDict(from_attributes=True)


class VenView(BaseModel):
    """A VEN, registered or not."""

    ven_id: str
    name: str
    registered: bool
    registration_id: str | None
    registered_at: AwareDatetime | None
    last_seen_at: AwareDatetime | None
    messages_waiting: int
    push_url: str | None
    """None: it polls."""
    signs: bool

    @classmethod
    def of(cls, ven: Ven) -> Self:
        """The view of a VEN."""
        return cls(
            ven_id=ven.ven_id,
            name=ven.name,
            registered=ven.registration_id is not None,
            registration_id=ven.registration_id,
            registered_at=ven.registered_at,
            last_seen_at=ven.last_seen_at,
            messages_waiting=len(ven.queue),
            push_url=ven.push_url,
            signs=ven.signs,
        )


class AnswerView(_View):
    """What a VEN said."""

    opt: OptType
    code: int
    description: str
    at: AwareDatetime


class DeliveryView(_View):
    """One modification of an event at one VEN."""

    ven_id: str
    modification: int
    first_sent_at: AwareDatetime
    times_sent: int
    polls_before_answer: int
    answers: list[AnswerView]


class EventView(BaseModel):
    """An event with what VENs made of it."""

    event_id: str
    modification: int
    status: EventStatus
    created_at: AwareDatetime
    start: AwareDatetime
    end: AwareDatetime | None
    """None: until further notice."""
    asked: EventSpec
    deliveries: list[DeliveryView]

    @classmethod
    def of(cls, event: VtnEvent, deliveries: list[Delivery], now: datetime) -> Self:
        """The view of an event at `now`."""
        return cls(
            event_id=event.event_id,
            modification=event.modification,
            status=event.status(now),
            created_at=event.created_at,
            start=event.start,
            end=event.window.end,
            asked=event.spec,
            deliveries=[DeliveryView.model_validate(delivery) for delivery in deliveries],
        )


class CheckView(_View):
    """One check of the judge."""

    name: str
    outcome: Outcome
    text: str


class VerdictView(_View):
    """The judge on one VEN in one event."""

    event_id: str
    ven_id: str
    outcome: Outcome
    checks: list[CheckView]
    text: str


class SampleView(BaseModel):
    """One reported value."""

    start: AwareDatetime
    duration_s: float
    value: float | None
    online: bool | None
    manual_override: bool | None
    data_quality: str | None
    received_at: AwareDatetime

    @classmethod
    def of(cls, sample: Sample) -> Self:
        """The view of a sample: a number, or the status of a resource."""
        status = sample.value if isinstance(sample.value, ResourceStatus) else None
        return cls(
            start=sample.start,
            duration_s=sample.duration.total_seconds(),
            value=sample.value if isinstance(sample.value, float) else None,
            online=status.online if status else None,
            manual_override=status.manual_override if status else None,
            data_quality=sample.data_quality,
            received_at=sample.received_at,
        )


class SeriesView(BaseModel):
    """One point's telemetry in its own unit (`W` with `k` is kW)."""

    ven_id: str
    r_id: str
    units: str | None
    si_scale_code: str | None
    samples: list[SampleView]

    @classmethod
    def of(cls, ven_id: str, r_id: str, item: ItemBase | None, samples: list[Sample]) -> Self:
        """The view of a point's samples."""
        return cls(
            ven_id=ven_id,
            r_id=r_id,
            units=item.units if item else None,
            si_scale_code=item.si_scale_code if item else None,
            samples=[SampleView.of(sample) for sample in samples],
        )


class RequestView(BaseModel):
    """A report request."""

    report_request_id: str
    ven_id: str
    report_specifier_id: str
    r_ids: list[str]
    granularity_s: float
    report_back_s: float
    asked_at: AwareDatetime
    acknowledged: bool

    @classmethod
    def of(cls, asked: Asked) -> Self:
        """The view of a request."""
        specifier = asked.request.specifier
        return cls(
            report_request_id=asked.request.report_request_id,
            ven_id=asked.ven_id,
            report_specifier_id=specifier.report_specifier_id,
            r_ids=list(asked.r_ids),
            granularity_s=specifier.granularity.total_seconds(),
            report_back_s=specifier.report_back_duration.total_seconds(),
            asked_at=asked.asked_at,
            acknowledged=asked.acknowledged,
        )


class ReportsView(BaseModel):
    """Everything asked and reported."""

    requests: list[RequestView]
    series: list[SeriesView]


class MessageView(_View):
    """One raw message."""

    number: int
    at: AwareDatetime
    direction: Direction
    service: str
    name: str
    ven_id: str | None
    fault: str | None
    xml: str
