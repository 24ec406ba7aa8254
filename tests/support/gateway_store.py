"""Builders of what the gateway's store keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from contracts.reading import Quality
from contracts.series import StepSeries
from contracts.site_link.messages import (
    Batch,
    Fallback,
    Instruction,
    InstructionState,
    InstructionStatus,
    InstructionStep,
    Measurement,
    NumberedRow,
    Row,
)
from contracts.time import Interval
from gateway.domain.dispatch import AllocatedStep, DispatchPlan, SiteAllocation
from gateway.domain.event import GridEvent, Opt, OptDecision, Signal, SignalKind

T0 = datetime(2026, 3, 4, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
WINDOW = Interval.lasting(T0, HOUR)
HOLD = timedelta(seconds=30)


def grid_event(name: str = "e1", modification: int = 0, start: datetime = T0) -> GridEvent:
    window = Interval.lasting(start, HOUR)
    return GridEvent(
        utility_id="u1",
        event_id=name,
        modification=modification,
        program_id="p1",
        created_at=T0 - HOUR,
        window=window,
        signals=(Signal(kind=SignalKind.DELTA_W, series=StepSeries.of([(window, -5e3)])),),
        targets=("depot-1",),
        ramp_up=MINUTE,
        comment="naïve & <odd>",
    )


def opted(event: GridEvent, opt: Opt = Opt.IN) -> OptDecision:
    return OptDecision(
        event_key=event.key, modification=event.modification, opt=opt, cause="because"
    )


def dispatch_plan(revision: int = 1, event_key: str = "u1/e1") -> DispatchPlan:
    return DispatchPlan(
        event_key=event_key,
        modification=0,
        revision=revision,
        created_at=T0,
        reason="new event",
        target=StepSeries.of([(WINDOW, 5e3)]),
        allocations=(
            SiteAllocation(
                site_id="depot-1",
                steps=(AllocatedStep(interval=WINDOW, reduction_w=5e3, limit_w=1 / 3),),
                cause="fair share",
            ),
        ),
        shortfall=StepSeries(),
    )


def instruction(
    name: str, site: str = "depot-1", event: str = "u1/e1", minutes: int = 90
) -> Instruction:
    return Instruction(
        instruction_id=name,
        site_id=site,
        site_seq=1,
        event_id=event,
        program_id="p1",
        issued_at=T0,
        start=T0,
        expires_at=T0 + minutes * MINUTE,
        steps=(InstructionStep(start=T0, end=T0 + HOUR, import_limit_w=12.5),),
        fallback=Fallback(),
        cause="fair share",
    )


def status(state: InstructionState, seconds: int) -> InstructionStatus:
    return InstructionStatus(
        at=T0 + seconds * SECOND,
        instruction_id="i1",
        event_id="u1/e1",
        state=state,
        reason="why not",
    )


def measured(
    seconds: float,
    value: float | None,
    quality: Quality = Quality.GOOD,
    point: str = "pcc_power_w",
) -> Measurement:
    return Measurement(at=T0 + seconds * SECOND, point=point, value=value, quality=quality)


def batch(*rows: tuple[int, Row], site: str = "depot-1", epoch: str = "ep") -> Batch:
    numbered = tuple(NumberedRow(seq=seq, row=row) for seq, row in rows)
    return Batch(site_id=site, epoch=epoch, rows=numbered, sent_at=T0)
