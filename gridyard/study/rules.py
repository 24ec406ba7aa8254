"""The rules of the field that ours is compared with, and ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from gridyard.study.days import LEAST_A, MOST_A, POWER_W, STEP_H, VOLTAGE_V, Day
from gridyard.study.sharing import Present, Rule
from site_agent.domain.decide.allocate import Constraint, Demand, allocate
from site_agent.domain.decide.triage import Bottleneck, Outlook, Triage, triage
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.fleet.stay import ExpectedStay

_EPOCH = datetime(2019, 1, 1, tzinfo=UTC)
_CAUSE = "the limit"
_LOOK_AGAIN = 6
"""Steps after which triage is asked again although nobody came or went: half an hour."""


def first_come(_: Day) -> Rule:
    """Filled in order of arrival (FCFS)."""
    return _in_order(lambda one: one.session.arrives)


def earliest_deadline(_: Day) -> Rule:
    """Filled in order of departure (EDF)."""
    return _in_order(lambda one: one.left_h)


def least_laxity(_: Day) -> Rule:
    """Filled in order of laxity (LLF)."""
    return _in_order(lambda one: one.laxity_h)


def _in_order(key: Callable[[Present], float]) -> Rule:
    def rule(_: int, here: Sequence[Present], cap_a: float) -> Mapping[str, float]:
        given: dict[str, float] = {}
        for one in sorted(here, key=lambda one: (key(one), one.session.name)):
            amps = min(one.wanted_a, cap_a)
            if amps >= LEAST_A:
                given[one.session.name] = amps
                cap_a -= amps
        return given

    return rule


def round_robin(_: Day) -> Rule:
    """Equal shares in turn (RR): who was first at one step is last at the next."""

    def rule(step: int, here: Sequence[Present], cap_a: float) -> Mapping[str, float]:
        turn = step % len(here)
        queue = [*here[turn:], *here[:turn]][: int(cap_a // LEAST_A)]
        given: dict[str, float] = {}
        for left, one in enumerate(sorted(queue, key=lambda one: one.wanted_a)):
            given[one.session.name] = min(one.wanted_a, cap_a / (len(queue) - left))
            cap_a -= given[one.session.name]
        return given

    return rule


def ours(day: Day) -> Rule:
    """`triage` and `allocate`, arrivals unknown until plug-in."""
    return _ours(day, roster=False)


def ours_with_roster(day: Day) -> Rule:
    """`triage` and `allocate`, all stays of the day known from a fleet's roster."""
    return _ours(day, roster=True)


def _ours(day: Day, *, roster: bool) -> Rule:
    latest: Triage | None = None
    asked: tuple[object, ...] = ()

    def rule(step: int, here: Sequence[Present], cap_a: float) -> Mapping[str, float]:
        nonlocal latest, asked
        question = (step // _LOOK_AGAIN, *(one.session.name for one in here))
        if latest is None or question != asked:
            asked = question
            coming = _coming(day, step) if roster else []
            needs = [_need(one, step) for one in here]
            latest = triage(_at(step), needs, coming, _outlook(day, cap_a), latest, told=roster)
        demands = [_demand(one, step) for one in here]
        names = {one.evse_id: 1.0 for one in demands}
        limit = Constraint(capacity=cap_a, cause=_CAUSE, weights=names)
        shares = allocate(demands, [limit], latest.given_up)
        return {name: share.limit_a for name, share in shares.items()}

    return rule


def _at(step: int) -> datetime:
    return _EPOCH + step * timedelta(hours=STEP_H)


def _outlook(day: Day, cap_a: float) -> Outlook:
    names = {one.name: 1.0 for one in day.sessions}
    limit = Bottleneck(cause=_CAUSE, capacity=[cap_a * VOLTAGE_V], weights=names)
    return Outlook(starts=[_EPOCH], bottlenecks=[limit])


def _need(one: Present, step: int) -> VehicleNeed:
    return VehicleNeed(
        evse_id=one.session.name,
        vehicle_id=one.session.name,
        required_wh=one.missing_wh,
        departure=_at(step) + timedelta(hours=one.left_h),
        max_power_w=POWER_W,
    )


def _coming(day: Day, step: int) -> list[ExpectedStay]:
    return [
        ExpectedStay(
            vehicle_id=one.name,
            evse_id=one.name,
            arrives=_at(one.arrives),
            departs=_at(one.departs),
            required_wh=one.energy_wh,
            max_power_w=POWER_W,
        )
        for one in day.sessions
        if one.arrives > step and one.departs > one.arrives
    ]


def _demand(one: Present, step: int) -> Demand:
    return Demand(
        evse_id=one.session.name,
        min_a=LEAST_A,
        max_a=MOST_A,
        ceiling_a=MOST_A,
        wanted_a=one.wanted_a,
        need_a=one.missing_wh / one.left_h / VOLTAGE_V,
        laxity_h=one.laxity_h,
        departure=_at(step) + timedelta(hours=one.left_h),
    )
