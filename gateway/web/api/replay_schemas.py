"""Asking for a past event or day again by other rules, and what comes out otherwise."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.device_class import DeviceClass
from gateway.domain.measure.difference import Change
from gateway.domain.measure.report import ParticipationReport
from gateway.domain.program.measuring import MeasuredBy
from gateway.domain.program.paying import Rate
from gateway.flows.replay.desk import Replay
from gateway.flows.replay.otherwise import Otherwise
from gateway.web.api.schemas import T0, T1, Schema

_Name = Annotated[str, Field(max_length=200)]


class RateIn(BaseModel):
    """A price of a kWh."""

    model_config = ConfigDict(extra="forbid")

    amount: Annotated[Decimal, Field(ge=-1000, le=1000, max_digits=12)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217.")]


class OtherwiseIn(BaseModel):
    """Whatever is left out stays as it was."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"baseline": "high-5-of-10-type", "sites": ["north"]}]},
    )

    baseline: Annotated[_Name, Field(description="A method by its name, such as 5-in-10-type.")] = (
        ""
    )
    program_id: Annotated[_Name, Field(description="By all rules of this program.")] = ""
    sites: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=80)], ...],
        Field(max_length=1000, description="These alone, by ids or groups."),
    ] = ()
    device_classes: Annotated[
        tuple[DeviceClass, ...], Field(max_length=3, description="Counted on these alone.")
    ] = ()
    energy_rate: Annotated[
        RateIn | None, Field(description="A fixed price of each kWh that is paid.")
    ] = None
    loads: Annotated[
        MeasuredBy | None, Field(description="On these loads instead of the program's.")
    ] = None
    known_at: Annotated[
        AwareDatetime | None,
        Field(description="With revenue meters' intervals as they were known at this instant."),
    ] = None

    def otherwise(self) -> Otherwise:
        """In the domain's words."""
        rate = self.energy_rate
        return Otherwise(
            baseline=self.baseline,
            program_id=self.program_id,
            sites=self.sites,
            device_classes=self.device_classes,
            energy_rate=Rate(amount=rate.amount, unit="kWh", currency=rate.currency)
            if rate
            else None,
            loads=self.loads,
            known_at=self.known_at,
        )


class DayIn(OtherwiseIn):
    """Hours without an event, measured as if there had been one that asked for nothing."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"measured_by": "peak-relief", "start": T0, "end": T1, "baseline": "5-in-10-type"}
            ]
        },
    )

    measured_by: Annotated[str, Field(min_length=1, max_length=200, description="A program.")]
    start: AwareDatetime
    end: Annotated[AwareDatetime, Field(description="At most 24 h later.")]


class ChangeOut(Schema):
    """One thing that differs; null: not known, or not there. Money as text."""

    where: Annotated[str, Field(description="portfolio, or a site.")]
    what: str
    unit: str
    before: float | str | None
    after: float | str | None
    by: Annotated[float | str | None, Field(description="After less before.")]


class MeasuredOut(Schema):
    """How the event comes out by one set of rules."""

    method: str
    performance_rule: str
    performance_pct: float | None
    delivered_mean_w: float | None
    reduced_wh: float | None
    sites: int


class ReplayOut(Schema):
    """Both are reckoned now from what is stored; nothing of it is stored or settled."""

    before: MeasuredOut
    after: MeasuredOut
    changes: list[ChangeOut]


def replay_out(found: Replay) -> ReplayOut:
    """A replay as it goes over the wire."""
    return ReplayOut(
        before=_measured(found.before),
        after=_measured(found.after),
        changes=[_change(one) for one in found.changes],
    )


def _measured(report: ParticipationReport) -> MeasuredOut:
    figures = report.figures
    return MeasuredOut(
        method=report.method,
        performance_rule=report.performance_rule,
        performance_pct=figures.performance_pct,
        delivered_mean_w=figures.delivered_mean_w,
        reduced_wh=figures.reduced_wh,
        sites=len(report.sites),
    )


def _change(one: Change) -> ChangeOut:
    before, after, by = (
        str(value) if isinstance(value, Decimal) else value
        for value in (one.before, one.after, one.by)
    )
    return ChangeOut(
        where=one.where, what=one.what, unit=one.unit, before=before, after=after, by=by
    )
