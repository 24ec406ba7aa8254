"""What the REST API shows of the OpenADR side beyond `vtn_sim.views`."""

from __future__ import annotations

from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict

from contracts.openadr.payloads import OptType
from vtn_sim.judge import Outcome
from vtn_sim.openadr.faults import ActiveFault, OadrFaultSpec
from vtn_sim.openadr.habits import OadrHabits, SigningMode
from vtn_sim.openadr.opts import Opt
from vtn_sim.openadr.procedures import Procedure
from vtn_sim.openadr.reports import Asked
from vtn_sim.openadr.run import Run, State
from vtn_sim.views import VerdictView


class FaultView(BaseModel):
    """A fault that is on."""

    number: int
    fault: OadrFaultSpec
    hits: int
    left: int | None
    until: AwareDatetime | None

    @classmethod
    def of(cls, fault: ActiveFault) -> Self:
        """The view of a fault."""
        return cls(
            number=fault.number,
            fault=fault.spec,
            hits=fault.hits,
            left=fault.left,
            until=fault.until,
        )


class UtilityView(BaseModel):
    """The utility itself."""

    vtn_id: str
    now: AwareDatetime
    poll_frequency_s: int
    signatures: SigningMode
    fingerprint: str | None
    """Of the certificate it signs with: what VENs must trust."""
    habits: OadrHabits
    faults: list[FaultView]


class IrregularityView(BaseModel):
    """Something a VEN should not have sent."""

    model_config = ConfigDict(from_attributes=True)

    at: AwareDatetime
    ven_id: str
    """Empty when it is not known."""
    text: str


class AvailabilityView(BaseModel):
    """One span of a schedule."""

    start: AwareDatetime
    duration_s: float


class OptView(BaseModel):
    """One opt."""

    ven_id: str
    opt_id: str
    opt: OptType
    reason: str
    event_id: str | None
    modification: int | None
    market_context: str | None
    resource_ids: list[str]
    schedule: list[AvailabilityView]
    received_at: list[AwareDatetime]
    cancelled_at: AwareDatetime | None

    @classmethod
    def of(cls, opt: Opt) -> Self:
        """The view of an opt."""
        content, event = opt.content, opt.content.event
        return cls(
            ven_id=content.ven_id,
            opt_id=content.opt_id,
            opt=content.opt_type,
            reason=content.reason,
            event_id=None if event is None else event.event_id,
            modification=None if event is None else event.modification_number,
            market_context=content.market_context,
            resource_ids=list(content.target.resource_ids),
            schedule=[
                AvailabilityView(start=a.start, duration_s=a.duration.total_seconds())
                for a in content.availability
            ],
            received_at=[receipt.at for receipt in opt.receipts],
            cancelled_at=opt.cancellations[0].at if opt.cancellations else None,
        )


class ReportRequestView(BaseModel):
    """A report request and what came of it."""

    report_request_id: str
    ven_id: str
    report: str
    report_specifier_id: str
    r_ids: list[str]
    granularity_s: float
    report_back_s: float
    asked_at: AwareDatetime
    codes: list[int]
    """Of its oadrCreatedReports."""
    reports: int
    values: int
    cancel_sent_at: AwareDatetime | None
    canceled_at: AwareDatetime | None
    voided: bool

    @classmethod
    def of(cls, asked: Asked) -> Self:
        """The view of a request."""
        specifier = asked.request.specifier
        return cls(
            report_request_id=asked.request.report_request_id,
            ven_id=asked.ven_id,
            report=asked.ask.report,
            report_specifier_id=specifier.report_specifier_id,
            r_ids=list(asked.r_ids),
            granularity_s=specifier.granularity.total_seconds(),
            report_back_s=specifier.report_back_duration.total_seconds(),
            asked_at=asked.asked_at,
            codes=[acceptance.code for acceptance in asked.acceptances],
            reports=len(asked.arrivals),
            values=sum(len(arrival.samples) for arrival in asked.arrivals),
            cancel_sent_at=asked.cancel_sent_at,
            canceled_at=asked.canceled_at,
            voided=asked.voided,
        )


class ProcedureView(BaseModel):
    """A procedure of the library."""

    id: str
    title: str
    rows: list[str]
    needs: list[str]

    @classmethod
    def of(cls, procedure: Procedure) -> Self:
        """The view of a procedure."""
        return cls(
            id=procedure.id,
            title=procedure.title,
            rows=list(procedure.rows),
            needs=list(procedure.needs),
        )


class RunView(BaseModel):
    """A run and the verdict on it."""

    number: int
    name: str
    ven_id: str
    state: State
    outcome: Outcome
    begun_at: AwareDatetime | None
    over_at: AwareDatetime | None
    verdicts: list[VerdictView]
    text: str

    @classmethod
    def of(cls, run: Run) -> Self:
        """The view of a run."""
        return cls(
            number=run.number,
            name=run.name,
            ven_id=run.ven_id,
            state=run.state,
            outcome=run.outcome,
            begun_at=run.begun_at,
            over_at=run.over_at,
            verdicts=[VerdictView.model_validate(verdict) for verdict in run.verdicts],
            text=run.text,
        )


class JudgementView(BaseModel):
    """The judge on one VEN."""

    ven_id: str
    outcome: Outcome
    verdicts: list[VerdictView]
    text: str
