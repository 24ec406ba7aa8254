"""Make the plan: build, solve, read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from site_agent.domain.horizon import Series
from site_agent.domain.plan.binding import bound_by, shortfall_reason
from site_agent.domain.plan.build import BatteryColumns, Layout, build
from site_agent.domain.plan.linear import Engine, NoPlanError
from site_agent.domain.plan.problem import PlanBattery, PlanVehicle, Problem
from site_agent.domain.plan.schedule import BatteryPlan, Cost, DemandPlan, Schedule, VehiclePlan
from site_agent.domain.plan.spread import spread
from site_agent.domain.plan.stays import Pool
from site_agent.domain.plan.weights import Weights

__all__ = ["NoPlanError", "PlanSolver"]

_KILO = 1e3
_CRUMB_W = 1e-3


class _NotSpreadError(Exception):
    """What a pool gets cannot be shared out among its stays."""


class PlanSolver:
    """Plans one problem after another; a like one is solved from the optimum before."""

    def __init__(self, time_limit_s: float = 5.0) -> None:
        self._engine = Engine(time_limit_s)
        self._apart_in: datetime | None = None
        """In plans that begin in this slot no stays are pooled: it has failed."""

    def plan(self, problem: Problem) -> Schedule:
        """The cheapest schedule with as many vehicles ready as can be.

        Raises:
            NoPlanError: the solver failed or took too long; the message says why.
        """
        if self._apart_in != problem.horizon.start:
            try:
                return self._planned(problem, pooled=True)
            except _NotSpreadError:  # so it is for all plans of this slot; stay warm
                self._apart_in = problem.horizon.start
        return self._planned(problem, pooled=False)

    def _planned(self, problem: Problem, *, pooled: bool) -> Schedule:
        programme, layout = build(problem, pooled=pooled)
        optimum = self._engine.solve(programme)
        schedule = _Reader(problem, layout, optimum.x).schedule()
        return replace(schedule, objective=optimum.objective, warm=optimum.warm)


class _Reader:
    """From the solver's numbers to a schedule."""

    def __init__(self, problem: Problem, layout: Layout, x: Series) -> None:
        self.problem = problem
        self.layout = layout
        self.x = np.where(np.abs(x) < _CRUMB_W / _KILO, 0.0, x)
        share = problem.present
        self.per_share = np.divide(_KILO, share, out=np.zeros_like(share), where=share > 0)

    def schedule(self) -> Schedule:
        problem, layout = self.problem, self.layout
        curtailed = self._power(layout.curtail)
        drawn = self._power(layout.draw) + self._power(layout.over)
        fed = self._power(layout.feed) + self._power(layout.feed_over)
        schedule = Schedule(
            made_at=problem.now,
            zone=problem.zone,
            currency=problem.currency,
            horizon=problem.horizon,
            vehicles=self._vehicles(),
            batteries=tuple(
                self._battery(one, columns)
                for one, columns in zip(problem.batteries, layout.batteries, strict=True)
            ),
            building_w=problem.building_w,
            pv_w=problem.pv_w + curtailed,
            curtailed_w=curtailed,
            net_w=drawn - fed,
            import_per_kwh=problem.import_per_kwh,
            export_per_kwh=problem.export_per_kwh,
            bound_by=(),
            demand=self._demand(),
            cost=self._cost(),
        )
        schedule = replace(schedule, bound_by=bound_by(problem, schedule))
        return replace(schedule, vehicles=tuple(self._explained(schedule)))

    def _power(self, columns: NDArray[np.intp] | None) -> Series:
        """W over the rest of each slot, of variables that are kW over the whole."""
        if columns is None:
            return self.problem.horizon.filled(0.0)
        power: Series = self.x[columns] * self.per_share
        return power

    def _vehicles(self) -> tuple[VehiclePlan, ...]:
        problem, stays = self.problem, self.layout.stays
        powers = np.zeros((len(problem.vehicles), problem.horizon.count))
        for flow, sign in ((stays.charge, 1.0), (stays.give, -1.0)):
            taken = self.x[flow.column] * self.per_share[flow.slot]
            powers[flow.number, flow.slot] += sign * taken
        for pool in stays.pools:
            powers[np.ix_(pool.number, pool.slot)] = self._shares(pool)
        short = (self.x[stays.short] * _KILO).tolist()
        later = (self.x[stays.later] * _KILO).tolist()
        for i in np.flatnonzero(~stays.seen).tolist():  # not here within the plan
            one = problem.vehicles[i]
            gone = one.departs <= problem.now
            short[i], later[i] = (one.required_wh, 0.0) if gone else (0.0, one.required_wh)
        return tuple(map(_vehicle, problem.vehicles, powers, short, later))

    def _shares(self, pool: Pool) -> NDArray[np.float64]:
        most = np.array([self.problem.vehicles[i].max_power_w for i in pool.number]) / _KILO
        needs, totals = self.x[pool.each] * len(pool.slot), self.x[pool.total]
        shares = spread(needs, most, totals)
        if shares is None:
            raise _NotSpreadError
        return shares * self.per_share[pool.slot]

    def _explained(self, schedule: Schedule) -> list[VehiclePlan]:
        return [
            one if one.ready else replace(one, reason=shortfall_reason(stay, one, schedule))
            for stay, one in zip(self.problem.vehicles, schedule.vehicles, strict=True)
        ]

    def _battery(self, one: PlanBattery, columns: BatteryColumns) -> BatteryPlan:
        return BatteryPlan(
            battery_id=one.battery_id,
            power_w=self._power(columns.charge) - self._power(columns.discharge),
            stored_wh=self.x[columns.stored] * _KILO,
        )

    def _demand(self) -> tuple[DemandPlan, ...]:
        return tuple(
            DemandPlan(
                name=term.name,
                so_far_w=term.so_far_w,
                peak_w=float(self.x[peak]) * _KILO,
                slots=frozenset(term.members()[1].tolist()),
            )
            for term, peak in zip(self.problem.demand, self.layout.peaks, strict=True)
        )

    def _cost(self) -> Cost:
        problem, layout, hours = self.problem, self.layout, self.problem.horizon.hours
        weights = Weights(problem=problem)
        drawn = self.x[layout.draw] + self.x[layout.over]
        demand = sum(
            term.per_kw * max(0.0, float(self.x[peak]) - term.so_far_w / _KILO)
            for term, peak in zip(problem.demand, layout.peaks, strict=True)
        )
        wear = sum(
            one.wear_per_kwh * float(self.x[columns.discharge].sum()) * hours
            for one, columns in zip(problem.batteries, layout.batteries, strict=True)
        )
        give = layout.stays.give
        wears = np.array([one.wear_per_kwh for one in problem.vehicles])
        wear += float(np.dot(wears[give.number], self.x[give.column])) * hours
        return Cost(
            energy=float(np.dot(weights.buy(), drawn)) * hours,
            demand=demand,
            export=-float(np.dot(weights.sell(), self.x[layout.feed])) * hours,
            wear=wear,
        )


def _vehicle(
    one: PlanVehicle, power_w: Series, shortfall_wh: float, later_wh: float
) -> VehiclePlan:
    return VehiclePlan(
        key=one.key,
        vehicle_id=one.vehicle_id,
        evse_id=one.evse_id,
        present=one.present,
        departs=one.departs,
        required_wh=one.required_wh,
        max_power_w=one.max_power_w,
        min_power_w=one.min_power_w,
        power_w=power_w,
        shortfall_wh=shortfall_wh,
        later_wh=later_wh,
    )
