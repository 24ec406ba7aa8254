"""From a problem to a linear programme, in kW and kWh.

Every variable of a slot is an average over the whole slot. Of the first slot only the rest is to
come, so its limits and forecasts count by that share; so the matrix stays the same from one plan to
the next within a slot, and only bounds and costs change: that is what makes a plan quick.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from site_agent.domain.horizon import Series
from site_agent.domain.plan.linear import Programme, Writer
from site_agent.domain.plan.problem import Feeder, PlanBattery, Problem
from site_agent.domain.plan.stays import Columns, StayColumns, StayWriter
from site_agent.domain.plan.weights import Weights

_KILO = 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryColumns:
    """Where one battery stands."""

    charge: Columns
    discharge: Columns
    stored: Columns


Part = tuple[NDArray[np.intp], Columns, ArrayLike]
"""Slots, the column of each, and what it counts for, one for all or each its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything stands."""

    draw: Columns
    """From the grid, within the import limit."""
    over: Columns
    """... and beyond it."""
    feed: Columns
    feed_over: Columns | None
    curtail: Columns | None
    stays: StayColumns
    batteries: tuple[BatteryColumns, ...]
    peaks: tuple[int, ...]
    """By demand term."""


def build(problem: Problem, *, pooled: bool = True) -> tuple[Programme, Layout]:
    """The programme whose optimum is the plan.

    `pooled`: stays that are alike for long charge as one, and `spread` has to share that out.
    """
    return _Build(problem, pooled=pooled).done()


class _Build:
    def __init__(self, problem: Problem, *, pooled: bool) -> None:
        self.problem = problem
        self.pooled = pooled
        self.weights = Weights(problem=problem)
        self.out = Writer()
        self.count, self.hours = problem.horizon.count, problem.horizon.hours
        self.share = problem.present
        self.slots = np.arange(self.count)
        fixed = (problem.building_w + problem.pv_w) * self.share / _KILO
        self.balance = self.out.rows(fixed, fixed, self.count)
        """draw + over - feed - curtail - what devices take = building and PV."""

    def done(self) -> tuple[Programme, Layout]:
        draw, over = self._draw()
        feed, feed_over = self._feed()
        curtail = self._curtail()
        stays = StayWriter(self.problem, self.weights, self.out, self.balance)
        layout = Layout(
            draw=draw,
            over=over,
            feed=feed,
            feed_over=feed_over,
            curtail=curtail,
            stays=stays.written(pooled=self.pooled),
            batteries=tuple(self._battery(one) for one in self.problem.batteries),
            peaks=tuple(self._peak(i, draw, over) for i in range(len(self.problem.demand))),
        )
        self._crest(draw)
        self._bounds_on_devices(layout)
        for feeder in self.problem.feeders:
            self._feeder(feeder, layout)
        return self.out.programme(), layout

    # --- the connection point -------------------------------------------------------------------

    def _draw(self) -> tuple[Columns, Columns]:
        cost = self.weights.buy() * self.hours
        most = np.maximum(0.0, self.problem.limits.import_w) * self.share / _KILO
        draw = self.out.columns(self.count, cost=cost, upper=most)
        over = self.out.columns(self.count, cost=cost + self.weights.limit * self.hours)
        self.out.entries(self.balance, draw, 1.0)
        self.out.entries(self.balance, over, 1.0)
        return draw, over

    def _feed(self) -> tuple[Columns, Columns | None]:
        cost = -self.weights.sell() * self.hours
        most = -np.minimum(0.0, self.problem.limits.export_w) * self.share / _KILO
        feed = self.out.columns(self.count, cost=cost, upper=most)
        self.out.entries(self.balance, feed, -1.0)
        if not np.isfinite(most).any():
            return feed, None
        beyond = self.out.columns(self.count, cost=cost + self.weights.limit * self.hours)
        self.out.entries(self.balance, beyond, -1.0)
        return feed, beyond

    def _curtail(self) -> Columns | None:
        if not self.problem.curtailable or not self.problem.pv_w.any():
            return None
        most = -self.problem.pv_w * self.share / _KILO
        curtail = self.out.columns(self.count, cost=self.weights.tie * self.hours, upper=most)
        self.out.entries(self.balance, curtail, -1.0)
        return curtail

    # --- batteries -----------------------------------------------------------------

    def _battery(self, one: PlanBattery) -> BatteryColumns:
        count, weights = self.count, self.weights
        round_trip = one.charge_efficiency * one.discharge_efficiency
        wear = weights.wear(one.wear_per_kwh, round_trip) * self.hours
        charge = self.out.columns(
            count,
            cost=weights.waiting() * self.hours,
            upper=one.max_charge_w * self.share / _KILO,
        )
        discharge = self.out.columns(
            count, cost=wear, upper=one.max_discharge_w * self.share / _KILO
        )
        worth = np.zeros(count)
        worth[-1] = -weights.worth(one)
        stored_wh = min(max(0.0, one.stored_wh), one.capacity_wh)
        floor = min(one.reserve_wh, stored_wh) / _KILO
        stored = self.out.columns(count, cost=worth, lower=floor, upper=one.capacity_wh / _KILO)
        self.out.entries(self.balance, charge, -1.0)
        self.out.entries(self.balance, discharge, 1.0)
        begin = np.zeros(count)
        begin[0] = stored_wh / _KILO
        flow = self.out.rows(begin, begin, count)
        self.out.entries(flow, stored, 1.0)
        self.out.entries(flow[1:], stored[:-1], -1.0)
        self.out.entries(flow, charge, -self.hours * one.charge_efficiency)
        self.out.entries(flow, discharge, self.hours / one.discharge_efficiency)
        missing = self.out.columns(1, cost=weights.soft)
        back = self.out.rows(min(one.reserve_wh, one.capacity_wh) / _KILO, np.inf, 1)
        self.out.entries(back, stored[-1:], 1.0)
        self.out.entries(back, missing, 1.0)
        return BatteryColumns(charge=charge, discharge=discharge, stored=stored)

    # --- demand ---------------------------------------------------------------------------------

    def _peak(self, number: int, draw: Columns, over: Columns) -> int:
        """The month's peak as the plan leaves it: no average of a demand interval is above it."""
        term = self.problem.demand[number]
        peak = self.out.columns(1, cost=term.per_kw, lower=term.so_far_w / _KILO)
        taken = np.zeros(len(term.windows))
        if term.counts_taken and len(taken):
            taken[0] = term.taken_wh / _KILO / term.interval_h
        rows = self.out.rows(-np.inf, -taken, len(taken))
        window, slot = term.members()
        for drawn in (draw, over):
            self.out.entries(rows[window], drawn[slot], self.hours / term.interval_h)
        self.out.entries(rows, np.repeat(peak, len(rows)), -1.0)
        return int(peak[0])

    def _crest(self, draw: Columns) -> None:
        """Of equal costs the lower crest, where no demand charge sees to it."""
        free = np.ones(self.count, dtype=bool)
        for term in self.problem.demand:
            free[term.members()[1]] = False
        rest = np.flatnonzero(free)
        if len(rest):
            crest = self.out.columns(1, cost=self.weights.tie)
            rows = self.out.rows(-np.inf, 0.0, len(rest))
            self.out.entries(rows, draw[rest], 1.0)
            self.out.entries(rows, np.repeat(crest, len(rest)), -1.0)

    # --- what bounds devices --------------------------------------------------------------------

    def _bounds_on_devices(self, layout: Layout) -> None:
        limits, share = self.problem.limits, self.share / _KILO
        load = np.isfinite(limits.load_w)
        self._sum_below(load, np.maximum(0.0, limits.load_w) * share, self._takers(layout))
        storing: list[Part] = [(self.slots, one.charge, 1.0) for one in layout.batteries]
        self._sum_below(np.isfinite(limits.store_w), limits.store_w * share, storing)
        room, givers = self.problem.pv_w - limits.generation_w, self._givers(layout)
        if layout.curtail is None:
            room = np.maximum(0.0, room)
        else:
            givers.append((self.slots, layout.curtail, -1.0))
        self._sum_below(np.isfinite(limits.generation_w), room * share, givers)
        self._storage(layout)

    def _takers(self, layout: Layout) -> list[Part]:
        stays = layout.stays
        taking: list[Part] = [(stays.charge.slot, stays.charge.column, 1.0)]
        taking += [(pool.slot, pool.total, 1.0) for pool in stays.pools]
        return taking + [(self.slots, one.charge, 1.0) for one in layout.batteries]

    def _givers(self, layout: Layout) -> list[Part]:
        give = layout.stays.give
        giving: list[Part] = [(self.slots, one.discharge, 1.0) for one in layout.batteries]
        return [(give.slot, give.column, 1.0), *giving]

    def _sum_below(
        self,
        where: NDArray[np.bool_],
        limit: Series,
        parts: list[Part],
    ) -> None:
        """In these slots the sum of parts `(slots, columns, weight)` stays below the limit."""
        if not where.any() or not parts:
            return
        slots, columns, weights = _joined(parts)
        row_of = np.full(self.count, -1)
        row_of[where] = self.out.rows(-np.inf, limit[where], int(where.sum()))
        kept = where[slots]
        self.out.entries(row_of[slots[kept]], columns[kept], weights[kept])

    def _storage(self, layout: Layout) -> None:
        """What an event asks of all batteries, as far as it can be done."""
        where = np.isfinite(self.problem.limits.storage_w)
        if not where.any() or not layout.batteries:
            return
        asked = (self.problem.limits.storage_w * self.share / _KILO)[where]
        rows = self.out.rows(asked, asked, len(asked))
        for one in layout.batteries:
            self.out.entries(rows, one.charge[where], 1.0)
            self.out.entries(rows, one.discharge[where], -1.0)
        for sign in (1.0, -1.0):
            missed = self.out.columns(len(asked), cost=self.weights.soft * self.hours)
            self.out.entries(rows, missed, sign)

    def _feeder(self, feeder: Feeder, layout: Layout) -> None:
        amps_of = feeder.amps_per_w
        amps = np.array([amps_of.get(one.key, 0.0) for one in self.problem.vehicles]) * _KILO
        parts: list[Part] = []
        for flow, sign in ((layout.stays.charge, 1.0), (layout.stays.give, -1.0)):
            weights = sign * amps[flow.number]
            on = weights != 0
            parts.append((flow.slot[on], flow.column[on], weights[on]))
        for pool in layout.stays.pools:
            weight = float(amps[pool.number[0]])  # they are alike
            if weight:
                parts.append((pool.slot, pool.total, weight))
        for battery, columns in zip(self.problem.batteries, layout.batteries, strict=True):
            weight = amps_of.get(battery.battery_id, 0.0) * _KILO
            if weight:
                parts.append((self.slots, columns.charge, weight))
                parts.append((self.slots, columns.discharge, -weight))
        loaded = np.zeros(self.count, dtype=bool)
        for slots, _, _ in parts:
            loaded[slots] = True
        self._sum_below(loaded, feeder.limit_a * self.share, parts)


def _joined(parts: list[Part]) -> tuple[NDArray[np.intp], Columns, Series]:
    slots = np.concatenate([slots for slots, _, _ in parts])
    columns = np.concatenate([columns for _, columns, _ in parts])
    weights = [np.broadcast_to(weight, len(columns)) for _, columns, weight in parts]
    return slots, columns, np.concatenate(weights)
