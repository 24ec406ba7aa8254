"""A site's part of a plan as an instruction on the wire, and when a new one is worth sending."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timedelta

from contracts.series import StepSeries
from contracts.site_link.messages import Fallback, Instruction, InstructionStep
from contracts.time import Interval
from gateway.domain.curves import differ, joined
from gateway.domain.dispatch import DispatchPlan, SiteAllocation
from gateway.domain.event import GridEvent
from gateway.domain.scope import Scope

MAX_NAME = 120
MAX_TEXT = 500
MAX_STEPS = 500
_FREE = StepSeries()
_NAMESPACE = uuid.UUID("2f0c7c5e-6a0b-4d0c-9b57-6f6f2f1f8f51")


def instruction(
    plan: DispatchPlan,
    allocation: SiteAllocation,
    event: GridEvent,
    *,
    now: datetime,
    expires_at: datetime,
    way_back: StepSeries = _FREE,
    scope: Scope = Scope.SITE,
) -> Instruction:
    """What the site is told from `now` on; without steps it withdraws what was told before.

    `way_back` are limits after the event. There is no fallback: when the steps are over, the
    site's own limits hold. Which bound a limit becomes follows from `scope`. The number
    (`site_seq`) is given by the ledger.
    """
    whole = StepSeries((*_before(allocation.limit, way_back), *way_back))
    limits = joined(whole.clip(Interval(start=now, end=None)))
    steps = tuple(
        _step(s.interval.start, s.interval.end, s.value, scope)
        for s in limits
        if s.interval.end is not None
    )[:MAX_STEPS]
    last = [step.end for step in steps]
    name = f"{plan.event_key}/{plan.revision}/{allocation.site_id}"
    return Instruction(
        instruction_id=str(uuid.uuid5(_NAMESPACE, name)),
        site_id=allocation.site_id,
        site_seq=1,
        event_id=wire_name(plan.event_key),
        program_id=wire_name(event.program_id),
        issued_at=now,
        start=steps[0].start if steps else now,
        expires_at=max(expires_at, now + timedelta(seconds=1), *last),
        steps=steps,
        fallback=Fallback(),
        test=event.test,
        cause=allocation.cause[:MAX_TEXT],
    )


def _step(start: datetime, end: datetime, value: float, scope: Scope) -> InstructionStep:
    if scope is Scope.CHARGING:
        return InstructionStep(start=start, end=end, load_limit_w=max(0.0, value))
    if scope is Scope.STORAGE:
        return InstructionStep(start=start, end=end, storage_power_w=value)
    if scope is Scope.EXPORT:
        return InstructionStep(start=start, end=end, export_limit_w=0.0 - max(0.0, value))
    if scope is Scope.GENERATION:
        return InstructionStep(start=start, end=end, generation_limit_w=0.0 - max(0.0, value))
    return InstructionStep(start=start, end=end, import_limit_w=value)


_DRAWN = ("import_limit_w", "load_limit_w", "storage_power_w")
_LEAVING = ("export_limit_w", "generation_limit_w")


def told(step: InstructionStep) -> float | None:
    """What a step bounds a site to on the meter of its event, W: an event says one bound."""
    name = bound_of(step)
    if name is None:
        return None
    value_w: float = getattr(step, name)
    return 0.0 - value_w if name in _LEAVING else value_w


def bound_of(step: InstructionStep) -> str | None:
    """The name of that bound; None: it leaves everything free."""
    return next((n for n in (*_DRAWN, *_LEAVING) if getattr(step, n) is not None), None)


def _bounds(one: Instruction) -> set[str | None]:
    """Which bounds its steps name."""
    return {bound_of(step) for step in one.steps}


def differs(before: Instruction, after: Instruction, now: datetime, deadband_w: float) -> bool:
    """Whether from `now` on some limit differs by more than the deadband, or begins or ends."""
    if before.steps and after.steps and _bounds(before) != _bounds(after):
        return True
    return differ(_limits(before), _limits(after), now, deadband_w)


def moved(before: Instruction, after: Instruction, at: datetime) -> float:
    """By how much the limit at an instant falls, W; 0 where one of them has none."""
    old, new = _limits(before).value_at(at), _limits(after).value_at(at)
    return 0.0 if old is None or new is None else old - new


def wire_name(text: str) -> str:
    """`text` as it may stand on the site link; a long one is cut and marked with its hash."""
    if len(text) <= MAX_NAME:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    return f"{text[: MAX_NAME - len(digest) - 1]}~{digest}"


def _before(limit: StepSeries, way_back: StepSeries) -> StepSeries:
    """A limit up to where the way back begins."""
    begins = [step.interval.start for step in way_back][:1]
    first = [step.interval.start for step in limit][:1]
    if not begins or not first or begins[0] <= first[0]:
        return StepSeries() if begins else limit
    return limit.clip(Interval(start=first[0], end=begins[0]))


def _limits(one: Instruction) -> StepSeries:
    return StepSeries.of(
        (Interval(start=s.start, end=s.end), value)
        for s in one.steps
        if (value := told(s)) is not None
    )
