"""The stays in the programme: their power by slot, and the energy each requires.

Most stays share most of the night. While the same ones are here slot after slot, and below the same
feeders, it is enough for the optimum to know what each gets over the whole run and what all get in
each slot; `spread` then finds who gets it when. That leaves out more than half of the columns, and
nearly all ties between one vehicle and the next, which take a solver longest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from site_agent.domain.horizon import Flags, Series
from site_agent.domain.plan.linear import Writer
from site_agent.domain.plan.problem import Problem
from site_agent.domain.plan.weights import Weights

Columns = NDArray[np.intp]
Numbers = NDArray[np.intp]
_KILO = 1e3
_LONG, _MANY = 8, 4
"""Fewer slots or stays than this are no pool: it would save nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Power of many stays over time: by entry the number of the stay, the slot and the column."""

    number: Numbers
    slot: Numbers
    column: Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Stays that charge together over a run of slots in which all of them are here."""

    number: Numbers
    """Of each stay, those first that leave first."""
    each: Columns
    """What each of them gets, kW on average over the run."""
    slot: Numbers
    total: Columns
    """What all of them get in each slot, kW."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StayColumns:
    """Where the stays stand, all together: there are many, and an object for each takes time."""

    charge: Flow
    """Outside pools."""
    pools: tuple[Pool, ...]
    give: Flow
    short: Columns
    """By stay, as are `later` and `seen`."""
    later: Columns
    seen: Flags
    """Whether it is here within the plan."""


_NONE = np.zeros(0, dtype=np.intp)
_NO_FLOW = Flow(number=_NONE, slot=_NONE, column=_NONE)
NO_STAYS = StayColumns(
    charge=_NO_FLOW,
    pools=(),
    give=_NO_FLOW,
    short=_NONE,
    later=_NONE,
    seen=np.zeros(0, dtype=bool),
)


class StayWriter:
    """Writes all stays of a problem into its programme."""

    def __init__(self, problem: Problem, weights: Weights, out: Writer, balance: Numbers) -> None:
        self._problem, self._weights, self._out = problem, weights, out
        self._balance = balance
        self._hours = problem.horizon.hours
        self._waiting = weights.waiting() * self._hours
        self._most = np.array([one.max_power_w for one in problem.vehicles]) / _KILO

    def written(self, *, pooled: bool) -> StayColumns:
        """Their columns; `pooled`: in pools where there are any."""
        vehicles, out = self._problem.vehicles, self._out
        if not vehicles:
            return NO_STAYS
        here = _here(self._problem)
        apart = here > 0
        runs = list(_runs(self._problem, here)) if pooled else []
        for members, slots in runs:
            apart[np.ix_(members, slots)] = False
        number, slot = np.divmod(np.flatnonzero(apart), here.shape[1])
        charge = out.columns(
            len(slot), cost=self._waiting[slot], upper=self._most[number] * here[number, slot]
        )
        out.entries(self._balance[slot], charge, -1.0)
        required = np.array([one.required_wh for one in vehicles]) / _KILO
        energy = out.rows(required, required, len(vehicles))
        out.entries(energy[number], charge, self._hours)
        short = out.columns(len(vehicles), cost=self._weights.shortfall(), upper=required)
        out.entries(energy, short, 1.0)
        flow = Flow(number=number, slot=slot, column=charge)
        return StayColumns(
            charge=flow,
            pools=tuple(self._pool(members, slots, energy) for members, slots in runs),
            give=self._give(here, flow, energy),
            short=short,
            later=self._later(energy),
            seen=here.max(axis=1) > 0,
        )

    def _pool(self, members: Numbers, slots: Numbers, energy: Numbers) -> Pool:
        out, most = self._out, self._most[members]
        each = out.columns(len(members), upper=most)
        total = out.columns(len(slots), cost=self._waiting[slots], upper=most.sum())
        out.entries(self._balance[slots], total, -1.0)
        out.entries(energy[members], each, self._hours * len(slots))
        row = out.rows(0.0, 0.0, 1)
        out.entries(row, total, 1.0)
        out.entries(row, each, -len(slots))
        return Pool(number=members, each=each, slot=slots, total=total)

    def _later(self, energy: Columns) -> Columns:
        """What vehicles that stay beyond the plan may still get then; most of them: nothing."""
        end, vehicles = self._problem.horizon.end, self._problem.vehicles
        rest_h = np.array([(one.departs - end) / timedelta(hours=1) for one in vehicles])
        later = self._out.columns(
            len(vehicles), cost=self._weights.later(), upper=self._most * np.maximum(0.0, rest_h)
        )
        self._out.entries(energy, later, 1.0)
        return later

    def _give(self, here: NDArray[np.float64], charge: Flow, energy: Numbers) -> Flow:
        flows = [
            self._gives(i, here[i], charge, energy[i])
            for i, one in enumerate(self._problem.vehicles)
            if one.discharge_w > 0
        ]
        return Flow(
            number=np.concatenate([_NONE, *(one.number for one in flows)]),
            slot=np.concatenate([_NONE, *(one.slot for one in flows)]),
            column=np.concatenate([_NONE, *(one.column for one in flows)]),
        )

    def _gives(self, number: int, here: Series, charges: Flow, energy: np.intp) -> Flow:
        """What a vehicle gives back, and what it holds all the while."""
        one, mine, out = self._problem.vehicles[number], charges.number == number, self._out
        slot, charge = charges.slot[mine], charges.column[mine]
        count, back = len(slot), self._hours / one.efficiency
        wear = self._weights.wear(one.wear_per_kwh, one.efficiency)[slot] * self._hours
        give = out.columns(count, cost=wear, upper=one.discharge_w * here[slot] / _KILO)
        out.entries(self._balance[slot], give, 1.0)
        out.entries(energy, give, -back)
        room = max(one.required_wh, one.required_wh if one.room_wh is None else one.room_wh)
        held = out.columns(count, lower=-one.spare_wh / _KILO, upper=room / _KILO)
        flow = out.rows(0.0, 0.0, count)
        out.entries(flow, held, 1.0)
        out.entries(flow[1:], held[:-1], -1.0)
        out.entries(flow, charge, -self._hours)
        out.entries(flow, give, back)
        return Flow(number=np.full(count, number), slot=slot, column=give)


def _here(problem: Problem) -> NDArray[np.float64]:
    """By stay and slot, how much of the slot it is here, 0 to 1."""
    horizon, vehicles = problem.horizon, problem.vehicles
    now, begin, step = problem.now, horizon.start, horizon.step
    since = np.array([(max(one.arrives, now) - begin) / step for one in vehicles])[:, None]
    until = np.array([(one.departs - begin) / step for one in vehicles])[:, None]
    slots = np.arange(horizon.count)
    inside = np.minimum(slots + 1.0, until) - np.maximum(slots, since)
    # Rounded, for what a stay leaves of a slot it ends with is no time to charge.
    here: NDArray[np.float64] = np.clip(inside, 0.0, 1.0).round(9)
    return here


def _runs(problem: Problem, here: NDArray[np.float64]) -> Iterator[tuple[Numbers, Numbers]]:
    """Stays and the slots over which they can be a pool."""
    for members in _alike(problem):
        mine = here[members]
        whole = ((mine == 0) | (mine == 1)).all(axis=0)
        as_before = whole[1:] & (mine[:, 1:] == mine[:, :-1]).all(axis=0)
        edges = (np.flatnonzero(~as_before) + 1).tolist()
        for first, end in pairwise([0, *edges, len(whole)]):
            there = members[mine[:, first] == 1]
            if end - first >= _LONG and len(there) >= _MANY:
                yield there, np.arange(first, end)


def _alike(problem: Problem) -> Iterator[Numbers]:
    """Stays that only charge, and weigh the same on every feeder; those first that leave first."""
    vehicles = problem.vehicles
    found: dict[tuple[float, ...], list[int]] = {}
    for i in sorted(range(len(vehicles)), key=lambda i: (vehicles[i].departs, vehicles[i].key)):
        if vehicles[i].discharge_w <= 0:
            key = vehicles[i].key
            amps = tuple(feeder.amps_per_w.get(key, 0.0) for feeder in problem.feeders)
            found.setdefault(amps, []).append(i)
    return (np.array(members, dtype=np.intp) for members in found.values())
