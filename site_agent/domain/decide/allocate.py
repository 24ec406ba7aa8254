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

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import floor, inf

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SMOOTHING_H = 1.0
"""Vehicles whose laxities lie within this of each other share power instead of taking turns."""
SHORT = "not all can be ready"
"""Why a vehicle that needs energy comes before or after all others."""
_ALMOST = 1.05
"""Needs this little beyond a capacity are shared, not triaged: a hair must not turn the tables."""
_TINY = 1e-6
_BISECTIONS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """Σ weight × current over its chargers must not exceed `capacity`."""

    capacity: float
    cause: str
    weights: Mapping[str, float]
    """By `evse_id`, > 0: 1 for a phase current in A, W per A for a power."""


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
        self._weights = np.array(
            [[c.weights.get(d.evse_id, 0.0) for d in demands] for c in constraints]
        ).reshape(len(constraints), len(demands))
        self._capacity = np.array([max(0.0, constraint.capacity) for constraint in constraints])
        self._wanted = np.array([demand.wanted_a for demand in demands])
        self._most = np.array([demand.max_a for demand in demands])
        self._ceiling = np.array([demand.ceiling_a for demand in demands])
        self._laxity = np.array([demand.laxity_h for demand in demands])
        self._current = np.zeros(len(demands))
        self._why = [""] * len(demands)
        self._bound_by = [""] * len(demands)

    def late(self) -> set[int]:
        """Who hangs below a constraint that cannot carry all the steady needs on it."""
        needs = np.minimum([demand.need_a for demand in self._demands], self._most)
        short = self._weights @ needs > self._capacity * _ALMOST + _TINY
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
        rising = np.zeros(len(self._demands), dtype=bool)
        rising[list(members)] = True
        rising &= self._current > 0
        while rising.any():
            level, blocked = self._highest_level(rising)
            self._current = self._at_level(level, rising)
            if blocked is None:
                return
            held = rising & (self._weights[blocked] > 0)
            for i in np.flatnonzero(held & (self._current < self._wanted - _TINY)).tolist():
                self._explain(i, blocked, "shares {}")
            rising &= ~held

    def top_up(self, order: Iterable[int]) -> None:
        """Offer what is left to vehicles that may not even take it."""
        for i in order:
            if self._current[i] > 0:
                rest = self._ceiling[i] - self._current[i]
                self._current[i] += min(self._room(i)[0], rest)

    def shares(self) -> dict[str, Share]:
        """Legal currents with their causes."""
        return {demand.evse_id: self._share(i) for i, demand in enumerate(self._demands)}

    def _share(self, i: int) -> Share:
        demand = self._demands[i]
        limit_a = legal(float(self._current[i]), demand.min_a)
        if self._current[i] >= demand.max_a - _TINY:
            return Share(limit_a=limit_a, cause="all it can take")
        if self._current[i] >= demand.ceiling_a - _TINY:
            return Share(limit_a=limit_a, cause=demand.ceiling_cause)
        bound_by = self._bound_by[i] or self._causes[self._room(i)[1]]
        cause = self._why[i] or f"shares {bound_by}"
        return Share(limit_a=limit_a, cause=cause, bound_by=bound_by)

    def _give(self, i: int, target: float, why: str) -> None:
        room, tightest = self._room(i)
        current = min(target, self._current[i] + room)
        if current < self._demands[i].min_a - _TINY:
            minimum = f"{self._demands[i].min_a:g} A"
            self._explain(i, tightest, f"paused: {{}} leaves less than its {minimum}")
            return
        self._current[i] = current
        if current < target - _TINY:
            self._explain(
                i, tightest, f"{why}: takes what {{}} leaves" if why else "takes what {} leaves"
            )

    def _explain(self, i: int, constraint: int, words: str) -> None:
        self._bound_by[i] = self._causes[constraint]
        self._why[i] = words.format(self._causes[constraint])

    def _room(self, i: int) -> tuple[float, int]:
        """How much more a charger may have, and the constraint that says so."""
        weights = self._weights[:, i]
        slack = self._capacity - self._weights @ self._current
        room = np.divide(slack, weights, out=np.full(len(slack), inf), where=weights > 0)
        tightest = int(np.argmin(room))
        return max(0.0, float(room[tightest])), tightest

    def _fits(self, current: Array) -> bool:
        return bool(np.all(self._weights @ current <= self._capacity + _TINY))

    def _at_level(self, level: float, rising: NDArray[np.bool_]) -> Array:
        share = self._most * (level - self._laxity + SMOOTHING_H) / SMOOTHING_H
        risen = np.minimum(np.maximum(share, self._current), self._wanted)
        return np.where(rising, risen, self._current)

    def _highest_level(self, rising: NDArray[np.bool_]) -> tuple[float, int | None]:
        """The highest level that fits, and the constraint that stops it (None: nothing does)."""
        laxities = self._laxity[rising]
        low, high = float(laxities.min()) - SMOOTHING_H, float(laxities.max())
        if self._fits(self._at_level(high, rising)):
            return high, None
        low, high = _bisect(low, high, lambda level: self._fits(self._at_level(level, rising)))
        excess = self._weights @ self._at_level(high, rising) - self._capacity
        return low, int(np.argmax(excess))


def _bisect(low: float, high: float, fits: Callable[[float], bool]) -> tuple[float, float]:
    """Close in on the edge between a level that fits and one that does not."""
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return low, high


def legal(current_a: float, min_a: float) -> float:
    """`current_a` rounded down to 0.1 A, or 0 when that is less than the minimum."""
    rounded = floor(current_a * 10 + _TINY) / 10
    if rounded >= min_a:
        return rounded
    return min_a if current_a >= min_a - _TINY else 0.0
