"""Share currents among vehicles under linear constraints: the circuit tree and the power budget.

While every vehicle can still leave ready, power goes where laxity is least: each first gets the
steady current that has it ready on time, then a common laxity level is raised until constraints
bind (the smoothed least-laxity-first rule, arXiv:2102.08610). Where a constraint cannot carry
all needs below it, spreading the shortfall would make everyone late, so those vehicles are served
first, in order of rank and departure, each in full before the next. Vehicles that need nothing
more share what is left.

That test sees only present vehicles and their steady needs. Where `triage` has decided for the
hours to come, its word goes instead: who is served shares by laxity, and who is given up takes
what is left.

Currents are per phase, 0 or `[min_a, max_a]`, in steps of 0.1 A (OCPP's resolution), rounded down.
The result is a function of the arguments alone; ties are broken by `evse_id`.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import floor, inf

import numpy as np

from site_agent.domain.decide.rise import Rise

SHORT = "not all can be ready"
"""Why a vehicle that needs energy comes before or after all others."""
_ALMOST = 1.05
"""Needs this little beyond a capacity are shared, not triaged: a hair must not turn the tables."""
_TINY = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """Σ weight × current over its chargers must not exceed `capacity`."""

    capacity: float
    cause: str
    weights: Mapping[str, float]
    """By `evse_id`, > 0: 1 for a phase current in A, W per A for a power."""
    brief: float = 0.0
    """What it carries beyond its capacity for the seconds in which vehicles follow their limits."""


def load_of(constraint: Constraint, amps: Mapping[str, float]) -> float:
    """How much of a constraint these currents, A by `evse_id`, take up, in its units."""
    return sum([weight * amps.get(name, 0.0) for name, weight in constraint.weights.items()])


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one charger may be given. `0 < min_a <= wanted_a <= ceiling_a <= max_a`."""

    evse_id: str
    min_a: float
    max_a: float
    """Most the vehicle can take."""
    ceiling_a: float
    """Most it may be given now."""
    ceiling_cause: str = "changed a moment ago: rises only after proof"
    wanted_a: float
    """What the vehicle would draw now; more is offered only from what is left at the end."""
    need_a: float
    """Steady current that has it ready on time; 0: needs nothing more."""
    laxity_h: float
    departure: datetime
    rank: int = 0
    pausable: bool = True
    """False: it takes its minimum anyway, so it has it before all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a charger gets and what kept it from more."""

    limit_a: float
    cause: str
    bound_by: str = ""
    """Cause of the constraint that kept it from more; empty when none did."""


def allocate(
    demands: Sequence[Demand],
    constraints: Sequence[Constraint],
    given_up: Container[str] | None = None,
) -> dict[str, Share]:
    """The share of every charger; see the module's docstring for the rule.

    `given_up`: the EVSE that triage serves last; None: nothing was decided.
    """
    if not demands:
        return {}
    demands = sorted(demands, key=lambda demand: demand.evse_id)  # sums round alike in any order
    pool = _Pool(demands, constraints)
    ranked = sorted(range(len(demands)), key=lambda i: _triage_key(demands[i]))
    needy = [i for i in ranked if demands[i].need_a > 0]
    late = pool.late() if given_up is None else set()
    urgent = [i for i in needy if i in late]
    last = [] if given_up is None else [i for i in needy if demands[i].evse_id in given_up]
    others = set(needy) - late - set(last)
    lax = sorted(others, key=lambda i: (demands[i].laxity_h, *_triage_key(demands[i])))
    content = [i for i in ranked if demands[i].need_a <= 0]
    pool.grant_minimum(i for i, demand in enumerate(demands) if not demand.pausable)
    pool.serve(urgent, SHORT)
    pool.admit(lax)
    pool.raise_level(lax)
    pool.serve(last, SHORT)
    pool.serve(content, "needs nothing more")
    pool.top_up([*urgent, *lax, *last, *content])
    return pool.shares()


def _triage_key(demand: Demand) -> tuple[int, datetime, str]:
    return demand.rank, demand.departure, demand.evse_id


class _Pool:
    """What is left of every constraint while currents are handed out."""

    def __init__(self, demands: Sequence[Demand], constraints: Sequence[Constraint]) -> None:
        self._demands = demands
        self._causes = [constraint.cause for constraint in constraints]
        self._left = [max(0.0, constraint.capacity) for constraint in constraints]
        self._weights = np.zeros((len(constraints), len(demands)))
        self._binds: list[list[tuple[int, float]]] = [[] for _ in demands]
        """By charger: the constraints it counts in, and with which weight."""
        place = {demand.evse_id: i for i, demand in enumerate(demands)}
        rows: list[int] = []
        columns: list[int] = []
        values: list[float] = []
        for number, constraint in enumerate(constraints):
            for name, weight in constraint.weights.items():
                i = place.get(name)
                if i is not None:
                    self._binds[i].append((number, weight))
                    rows.append(number)
                    columns.append(i)
                    values.append(weight)
        self._weights[rows, columns] = values  # at once: one call for each constraint takes longer
        self._current = [0.0] * len(demands)
        self._why = [""] * len(demands)
        self._bound_by = [""] * len(demands)

    def late(self) -> set[int]:
        """Who hangs below a constraint that cannot carry all the steady needs on it."""
        needs = np.array([min(demand.need_a, demand.max_a) for demand in self._demands])
        short = self._weights @ needs > np.array(self._left) * _ALMOST + _TINY
        return set(np.flatnonzero((self._weights[short] > 0).any(axis=0)).tolist())

    def admit(self, order: Iterable[int]) -> None:
        """Give each its steady need, or its minimum, while that fits."""
        for i in order:
            demand = self._demands[i]
            self._give(i, min(max(demand.need_a, demand.min_a), demand.wanted_a), "")

    def grant_minimum(self, members: Iterable[int]) -> None:
        """Give each its minimum while that fits."""
        for i in members:
            self._give(i, self._demands[i].min_a, "")

    def serve(self, order: Iterable[int], why: str) -> None:
        """Fill each in full before the next."""
        for i in order:
            self._give(i, self._demands[i].wanted_a, why)

    def raise_level(self, members: Iterable[int]) -> None:
        """Raise the common laxity level; whoever meets a full constraint stays where it is."""
        rising = [i for i in members if self._current[i] > 0]
        while rising:
            risen, blocked = self._rise(rising).highest()
            for i, current in zip(rising, risen.tolist(), strict=True):
                self._set(i, current)
            if blocked is None:
                return
            stay = [i for i in rising if self._weights[blocked, i] > 0]
            for i in stay:
                if self._current[i] < self._demands[i].wanted_a - _TINY:
                    self._explain(i, blocked, "shares {}")
            rising = [i for i in rising if self._weights[blocked, i] <= 0]

    def _rise(self, members: list[int]) -> Rise:
        demands = [self._demands[i] for i in members]
        start = np.array([self._current[i] for i in members])
        weights = self._weights[:, members]
        return Rise(
            start=start,
            wanted=np.array([demand.wanted_a for demand in demands]),
            most=np.array([demand.max_a for demand in demands]),
            laxity=np.array([demand.laxity_h for demand in demands]),
            weights=weights,
            capacity=np.array(self._left) + weights @ start,
        )

    def top_up(self, order: Iterable[int]) -> None:
        """Offer what is left to vehicles that may not even take it."""
        for i in order:
            if self._current[i] > 0:
                rest = self._demands[i].ceiling_a - self._current[i]
                self._set(i, self._current[i] + min(self._room(i)[0], rest))

    def shares(self) -> dict[str, Share]:
        """Legal currents with their causes."""
        return {demand.evse_id: self._share(i) for i, demand in enumerate(self._demands)}

    def _share(self, i: int) -> Share:
        demand, current = self._demands[i], self._current[i]
        limit_a = legal(current, demand.min_a)
        if current >= demand.max_a - _TINY:
            return Share(limit_a=limit_a, cause="all it can take")
        if current >= demand.ceiling_a - _TINY:
            return Share(limit_a=limit_a, cause=demand.ceiling_cause)
        bound_by = self._bound_by[i] or self._causes[self._room(i)[1]]
        cause = self._why[i] or f"shares {bound_by}"
        return Share(limit_a=limit_a, cause=cause, bound_by=bound_by)

    def _give(self, i: int, target: float, why: str) -> None:
        room, tightest = self._room(i)
        current = min(target, self._current[i] + room)
        if current < self._demands[i].min_a - _TINY:
            minimum = f"{self._demands[i].min_a:g} A"
            short = f", and {why}" if why == SHORT else ""
            self._explain(i, tightest, f"paused: {{}} leaves less than its {minimum}{short}")
            return
        self._set(i, current)
        if current < target - _TINY:
            self._explain(
                i, tightest, f"{why}: takes what {{}} leaves" if why else "takes what {} leaves"
            )

    def _set(self, i: int, current: float) -> None:
        more = current - self._current[i]
        self._current[i] = current
        for number, weight in self._binds[i]:
            self._left[number] -= weight * more

    def _explain(self, i: int, constraint: int, words: str) -> None:
        self._bound_by[i] = self._causes[constraint]
        self._why[i] = words.format(self._causes[constraint])

    def _room(self, i: int) -> tuple[float, int]:
        """How much more a charger may have, and the constraint that says so."""
        room, tightest = inf, 0
        for number, weight in self._binds[i]:
            here = self._left[number] / weight
            if here < room:
                room, tightest = here, number
        return max(0.0, room), tightest


def legal(current_a: float, min_a: float) -> float:
    """`current_a` rounded down to 0.1 A, or 0 when that is less than the minimum."""
    rounded = floor(current_a * 10 + _TINY) / 10
    if rounded >= min_a:
        return rounded
    return min_a if current_a >= min_a - _TINY else 0.0
