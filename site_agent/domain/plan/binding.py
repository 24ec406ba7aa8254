"""What bounds a plan, in words: for each slot, and for each vehicle that will miss some of it."""

from __future__ import annotations

from collections import Counter

import numpy as np

from site_agent.domain.horizon import Flags, Series
from site_agent.domain.plan.problem import DemandTerm, Feeder, PlanVehicle, Problem
from site_agent.domain.plan.schedule import Schedule, VehiclePlan

_NEAR_W = 1.0
_NEAR_A = 0.01


def bound_by(problem: Problem, schedule: Schedule) -> tuple[str, ...]:
    """For each slot the tightest of what it meets: a limit before a demand charge; or nothing."""
    words = [""] * problem.horizon.count
    for term, plan in zip(problem.demand, schedule.demand, strict=True):
        text = _peak_words(term, plan.peak_w)
        for i in _at_peak(problem, term, plan.peak_w, schedule.net_w):
            words[i] = text
    for feeder in problem.feeders:
        _say(words, _feeder_full(problem, feeder, schedule), (feeder.cause,) * len(words))
    limits, load_w = problem.limits, _load_w(schedule)
    _say(words, load_w >= limits.load_w - _NEAR_W, limits.load_cause)
    _say(words, schedule.net_w <= limits.export_w + _NEAR_W, limits.export_cause)
    _say(words, schedule.net_w >= limits.import_w - _NEAR_W, limits.import_cause)
    return tuple(words)


def shortfall_reason(stay: PlanVehicle, plan: VehiclePlan, schedule: Schedule) -> str:
    """Why a vehicle will miss some of what it requires."""
    horizon = schedule.horizon
    here = horizon.share(max(stay.arrives, schedule.made_at), stay.departs)
    most_wh = stay.max_power_w * float(here.sum()) * horizon.hours
    rank = f" (rank {stay.rank})" if stay.rank else ""
    if most_wh < stay.required_wh:
        return (
            f"misses {plan.shortfall_wh / 1e3:.1f} kWh: even at full power only "
            f"{most_wh / 1e3:.1f} kWh go in before it leaves"
        )
    held = [schedule.bound_by[i] for i in np.flatnonzero(here > 0) if schedule.bound_by[i]]
    what = Counter(held).most_common(1)[0][0] if held else "what is left by others"
    return f"misses {plan.shortfall_wh / 1e3:.1f} kWh: {what}; others go first{rank}"


def _say(words: list[str], where: Flags, causes: tuple[str, ...]) -> None:
    for i in np.flatnonzero(where).tolist():
        words[i] = causes[i]


def _load_w(schedule: Schedule) -> Series:
    powers = [schedule.horizon.filled(0.0)]
    powers += [one.power_w for one in schedule.vehicles]
    powers += [one.power_w for one in schedule.batteries]
    total: Series = np.maximum(0.0, powers).sum(axis=0)
    return total


def _at_peak(problem: Problem, term: DemandTerm, peak_w: float, net_w: Series) -> list[int]:
    """Slots of the demand intervals whose average is the month's peak."""
    drawn_wh = np.maximum(0.0, net_w) * problem.present * problem.horizon.hours
    found: list[int] = []
    total = np.concatenate([[0.0], np.cumsum(drawn_wh)])
    edges = np.array(term.windows, dtype=np.intp).reshape(-1, 2)
    within = total[edges[:, 1]] - total[edges[:, 0]]
    if term.counts_taken and len(within):
        within[0] += term.taken_wh
    for n in np.flatnonzero(within / term.interval_h >= peak_w - _NEAR_W).tolist():
        found += range(*term.windows[n])
    return found if peak_w > 0 else []


def _peak_words(term: DemandTerm, peak_w: float) -> str:
    if peak_w > term.so_far_w + _NEAR_W:
        return f"a higher peak than {peak_w / 1e3:.1f} kW would cost more ({term.name})"
    return f"the month's peak of {peak_w / 1e3:.1f} kW would rise ({term.name})"


def _feeder_full(problem: Problem, feeder: Feeder, schedule: Schedule) -> Flags:
    amps = problem.horizon.filled(0.0)
    named = [(one.key, one.power_w) for one in schedule.vehicles]
    named += [(one.battery_id, one.power_w) for one in schedule.batteries]
    for key, power_w in named:
        if key in feeder.amps_per_w:
            amps = amps + feeder.amps_per_w[key] * power_w
    full: Flags = amps >= feeder.limit_a - _NEAR_A
    return full
