"""The season's ledger, step by step, and whether it balances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

import numpy as np

from contracts.time import Interval
from gateway.domain.conflict import Fit, fit
from gateway.domain.dispatch import DispatchPlan
from gateway.domain.program import Policy, Program, counters
from gateway.domain.program.quota import Unit
from gateway.domain.program.wall import local_day, span_of
from gridyard.simulate.season.admission import Admission, Entry
from gridyard.simulate.season.depots import Watts

_TOLERANCE_W = 1.0
_TOLERANCE_H = 1e-6
_MOST_FAULTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One event over one step of five minutes, W."""

    event_key: str
    program_id: str
    at: datetime
    target_w: float
    """What the utility asked for."""
    wanted_w: float
    """What the sites are to be asked for, so that it arrives."""
    short_w: float
    """What of that nobody can give."""
    over_w: float
    reported_w: float
    """What of the target itself is missing: the shortfall that is reported."""
    asked_w: Watts
    """Of every site."""
    offer_w: Watts
    """What each offers this event: what stronger ones leave."""
    whole_offer_w: Watts
    """What each offers all events together."""
    delivered_w: float

    @property
    def accepted_w(self) -> float:
        """What of the target is promised."""
        return self.target_w - self.reported_w


def unbalanced(plan: DispatchPlan) -> Iterator[str]:
    """What is wrong in a plan: the sum of its sites is its target less what it says is missing."""
    given: dict[datetime, float] = defaultdict(float)
    for one in plan.allocations:
        for step in one.steps:
            given[step.interval.start] += step.reduction_w
    starts = {step.interval.start for step in (*plan.target, *plan.shortfall)}
    for at in sorted(starts | given.keys()):
        target_w = plan.target.value_at(at) or 0.0
        short_w, over_w = plan.shortfall.value_at(at) or 0.0, plan.over.value_at(at) or 0.0
        sum_w = given[at] if at in given else _given_at(plan, at)
        if abs(sum_w + short_w - over_w - target_w) > _TOLERANCE_W:
            yield (
                f"{plan.event_key} plan {plan.revision} at {at:%H:%M}: sites {sum_w:.1f} W + "
                f"shortfall {short_w:.1f} W are not {target_w:.1f} W"
            )


def _given_at(plan: DispatchPlan, at: datetime) -> float:
    return sum(
        step.reduction_w for one in plan.allocations for step in one.steps if at in step.interval
    )


def faults(moments: Sequence[Moment], admission: Admission) -> list[str]:
    """Everything in the books that does not balance; empty when all does."""
    found = [*_steps(moments), *_doubled(moments, admission), *_counted(admission)]
    return found[:_MOST_FAULTS]


def _steps(moments: Sequence[Moment]) -> Iterator[str]:
    """What sites were asked is what was wanted less what is missing, and within their offers."""
    for one in moments:
        where = f"{one.event_key} at {one.at:%Y-%m-%d %H:%M}"
        asked_w = float(one.asked_w.sum())
        if abs(asked_w + one.short_w - one.over_w - one.wanted_w) > _TOLERANCE_W:
            yield f"{where}: {asked_w:.1f} W asked is not wanted less what is missing"
        if one.accepted_w > asked_w + _TOLERANCE_W:
            yield f"{where}: {one.accepted_w:.1f} W promised, {asked_w:.1f} W asked of sites"
        if (one.asked_w > one.offer_w + _TOLERANCE_W).any():
            yield f"{where}: a site is asked more than it offers"


def _doubled(moments: Sequence[Moment], admission: Admission) -> Iterator[str]:
    """No kW is sold twice: together events ask no more than there is, and some not together."""
    at_once: dict[datetime, list[Moment]] = defaultdict(list)
    for one in moments:
        at_once[one.at].append(one)
    for at, these in at_once.items():
        asked_w = sum((one.asked_w for one in these), np.zeros_like(these[0].asked_w))
        if (asked_w > these[0].whole_offer_w + _TOLERANCE_W).any():
            yield f"{at:%Y-%m-%d %H:%M}: a site is asked more by all events than it offers"
        for one, other in combinations(these, 2):
            if ((one.asked_w > 0) & (other.asked_w > 0)).any() and _excluded(one, other, admission):
                yield f"{at:%Y-%m-%d %H:%M}: a site is asked by two events that exclude each other"


def _excluded(one: Moment, other: Moment, admission: Admission) -> bool:
    mine, theirs = (admission.portfolio.program(each.program_id) for each in (one, other))
    return mine is None or theirs is None or fit(mine, theirs) is Fit.NOT


def _counted(admission: Admission) -> Iterator[str]:
    """The counters of use are what a plain recount finds, and no quota is exceeded."""
    for program in admission.portfolio.programs:
        calls = admission.calls(program.program_id)
        mine = entries_of(admission, program.program_id)
        for at in sorted({one.event.window.start for one in mine}):
            for counter in counters(program, calls, at):
                period = span_of(counter.first, counter.last, program.zone)
                again = recounted(mine, period, counter.quota.unit)
                what = f"{program.program_id} {counter.first}: {counter.quota.words}"
                if abs(again - counter.used) > _TOLERANCE_H:
                    yield f"{what}: counted {counter.used:g}, recounted {again:g}"
                if again > counter.quota.limit + _TOLERANCE_H and _refuses(program):
                    yield f"{what}: {again:g} used"


def recounted(entries: Sequence[Entry], period: Interval, unit: Unit) -> float:
    """Events or hours accepted in a period, without the rules' own machinery."""
    live = [one.event.window for one in entries if one.accepted and not one.event.cancelled]
    if unit is Unit.EVENTS:
        return float(sum(window.start in period for window in live))
    parts = [window.intersection(period) for window in live]
    seconds = [p.duration.total_seconds() for p in parts if p is not None and p.duration]
    return sum(seconds) / 3600


def entries_of(admission: Admission, program_id: str) -> list[Entry]:
    """Events of one program, in order of their start."""
    mine = [one for one in admission.entries.values() if one.event.program_id == program_id]
    return sorted(mine, key=lambda one: one.event.window.start)


def month_of(program: Program, at: datetime) -> str:
    """The month on the program's wall, `2026-05`."""
    return f"{local_day(at, program.zone):%Y-%m}"


def _refuses(program: Program) -> bool:
    return program.on_breach is Policy.OPT_OUT
