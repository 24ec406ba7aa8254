"""Instructions from the link: what is refused and why, and the rest in the domain's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import inf

from contracts.site_link.messages import Instruction, InstructionState, SiteBounds
from contracts.time import Interval
from site_agent.domain.instruction import Bounds, Progress, ScheduleStep, SiteInstruction
from site_agent.domain.site import SiteModel

LONGEST = timedelta(days=31)
"""An instruction that runs further ahead than this is a mistake."""

History = Sequence[tuple[Instruction, InstructionState]]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an instruction is not taken."""

    reason: str


def refusal(
    instruction: Instruction, history: History, model: SiteModel, now: datetime
) -> Refused | None:
    """Why this site will not have it, or None. `history`: what it holds of the same event."""
    newest = max((held.site_seq for held, _ in history), default=0)
    if instruction.site_id != model.site_id:
        return Refused(f"for site {instruction.site_id!r}, but this is {model.site_id!r}")
    if instruction.expires_at <= now:
        return Refused(f"expired at {instruction.expires_at.isoformat()}")
    if instruction.site_seq < newest:
        return Refused(f"number {instruction.site_seq} is older than {newest}, already held")
    if instruction.expires_at > now + LONGEST:
        return Refused(f"runs until {instruction.expires_at.isoformat()}, more than 31 days ahead")
    return _bad_times(instruction) or _bad_bounds(instruction, model)


def _bad_times(instruction: Instruction) -> Refused | None:
    if instruction.start >= instruction.expires_at:
        return Refused("expires before it starts")
    for number, step in enumerate(instruction.steps, start=1):
        if step.end <= step.start:
            return Refused(f"step {number} ends before it starts")
        if step.start < instruction.start or step.end > instruction.expires_at:
            return Refused(f"step {number} lies outside the instruction's validity")
    for before, after in pairwise(instruction.steps):
        if after.start < before.end:
            return Refused(f"steps overlap or are out of order at {after.start.isoformat()}")
    return None


def _bad_bounds(instruction: Instruction, model: SiteModel) -> Refused | None:
    able_w = -sum(pv.rated_w for pv in model.pv)
    able_w -= sum(battery.max_discharge_w for battery in model.batteries)
    for one in (*instruction.steps, instruction.fallback):
        import_w, export_w = one.import_limit_w, one.export_limit_w
        least_w = max(able_w, _generation_w(one))
        if import_w is not None and import_w < least_w:
            return Refused(f"import limit {import_w:g} W: this site can export {abs(least_w):g} W")
        if export_w is not None and export_w > 0:
            return Refused(f"export limit {export_w:g} W is not negative: it would force import")
        if import_w is not None and export_w is not None and import_w < export_w:
            return Refused(f"import limit {import_w:g} W lies below export limit {export_w:g} W")
    return None


def _generation_w(one: SiteBounds) -> float:
    """Most generation that is left, W, negative."""
    if one.energize is False:
        return 0.0
    return -inf if one.generation_limit_w is None else one.generation_limit_w


def in_domain_words(instruction: Instruction, state: InstructionState) -> SiteInstruction:
    """The instruction as the domain knows it."""
    return SiteInstruction(
        instruction_id=instruction.instruction_id,
        event_id=instruction.event_id,
        site_seq=instruction.site_seq,
        start=instruction.start,
        expires_at=instruction.expires_at,
        steps=tuple(
            ScheduleStep(interval=Interval(start=step.start, end=step.end), bounds=_bounds(step))
            for step in instruction.steps
        ),
        fallback=_bounds(instruction.fallback),
        standing=instruction.standing,
        cause=instruction.cause,
        progress=Progress(state.value),
    )


def _bounds(asked: SiteBounds) -> Bounds:
    return Bounds(
        import_w=asked.import_limit_w,
        export_w=asked.export_limit_w,
        load_w=asked.load_limit_w,
        generation_w=asked.generation_limit_w,
        storage_w=asked.storage_power_w,
        energize=asked.energize,
        functions=asked.inverter_functions,
    )
