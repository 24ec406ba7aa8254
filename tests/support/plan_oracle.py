"""The plan's problem said once more, for cvxpy: another modelling, another solver.

Powers are those of the part of each slot that is to come, energies follow from its length; so
nothing of the scaling, the layout or the arrays of `site_agent.domain.plan` is used. Only the
weights are the same, for they say what is wanted.
"""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import numpy as np

from site_agent.domain.plan.problem import PlanBattery, PlanVehicle, Problem
from site_agent.domain.plan.weights import Weights

cp: Any = import_module("cvxpy")
"""Its own types do not know its atoms."""


class Oracle:
    """Builds and solves."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.weights = Weights(problem=problem)
        self.count = problem.horizon.count
        self.ends = [start + problem.horizon.step for start in problem.horizon]
        begins = [max(problem.now, start) for start in problem.horizon]
        self.h = np.array(
            [
                (end - begin) / timedelta(hours=1)
                for begin, end in zip(begins, self.ends, strict=True)
            ]
        )
        self.begins = begins
        self.rules: list[Any] = []
        self.cost: Any = 0.0
        self.take: Any = np.zeros(self.count)
        self.give: Any = np.zeros(self.count)
        self.devices: dict[str, Any] = {}
        self.store: Any = np.zeros(self.count)
        self.out: Any = np.zeros(self.count)

    def optimum(self) -> float:
        problem, weights, h = self.problem, self.weights, self.h
        for one, cost in zip(problem.vehicles, weights.shortfall(), strict=True):
            self._vehicle(one, float(cost))
        for battery in problem.batteries:
            self._battery(battery)
        draw, over, feed, beyond, cut = (cp.Variable(self.count, nonneg=True) for _ in range(5))
        limits = problem.limits
        self.rules += [draw <= limits.import_w / 1e3, cut <= -problem.pv_w / 1e3]
        export = np.where(np.isfinite(limits.export_w), -limits.export_w / 1e3, 1e4)
        self.rules.append(feed <= export)
        if not np.isfinite(limits.export_w).any():
            self.rules.append(beyond == 0)
        if not problem.curtailable:
            self.rules.append(cut == 0)
        base = (problem.building_w + problem.pv_w) / 1e3
        net = base + cut + self.take + self.store - self.give - self.out
        self.rules.append(draw + over - feed - beyond == net)
        self.cost += cp.sum(cp.multiply(weights.buy() * h, draw + over))
        self.cost -= cp.sum(cp.multiply(weights.sell() * h, feed + beyond))
        self.cost += weights.limit * (h @ (over + beyond)) + weights.tie * (h @ cut)
        self._device_limits(cut)
        self._demand(draw + over, draw)
        solved = cp.Problem(cp.Minimize(self.cost), self.rules)
        solved.solve(solver=cp.CLARABEL, tol_gap_abs=1e-9, tol_gap_rel=1e-10, tol_feas=1e-10)
        assert solved.status in {"optimal", "optimal_inaccurate"}, solved.status
        return float(solved.value)

    def _here(self, one: PlanVehicle) -> np.ndarray[Any, Any]:
        overlaps = [
            max(timedelta(0), min(end, one.departs) - max(begin, one.arrives))
            for begin, end in zip(self.begins, self.ends, strict=True)
        ]
        return np.array([overlap / timedelta(hours=1) for overlap in overlaps])

    def _vehicle(self, one: PlanVehicle, missing: float) -> None:
        here_h = self._here(one)
        into, back = cp.Variable(self.count, nonneg=True), cp.Variable(self.count, nonneg=True)
        short, later = cp.Variable(nonneg=True), cp.Variable(nonneg=True)
        rest_h = max(0.0, (one.departs - self.ends[-1]) / timedelta(hours=1))
        flow = cp.multiply(self.h, into - back / one.efficiency)
        self.rules += [
            into <= one.max_power_w / 1e3 * here_h / self.h,
            back <= one.discharge_w / 1e3 * here_h / self.h,
            short <= one.required_wh / 1e3,
            later <= one.max_power_w / 1e3 * rest_h,
            cp.sum(flow) + short + later == one.required_wh / 1e3,
        ]
        if one.discharge_w > 0:
            held = cp.cumsum(flow)
            room = max(one.required_wh, one.required_wh if one.room_wh is None else one.room_wh)
            self.rules += [held >= -one.spare_wh / 1e3, held <= room / 1e3]
        wear = self.weights.wear(one.wear_per_kwh, one.efficiency)
        self.cost += missing * short + self.weights.later() * later
        # In the first slot the tie counts its energy like everywhere.
        self.cost += cp.sum(cp.multiply(self.weights.waiting() * self.h, into))
        self.cost += cp.sum(cp.multiply(wear * self.h, back))
        self.take, self.give = self.take + into, self.give + back
        self.devices[one.key] = into - back

    def _battery(self, one: PlanBattery) -> None:
        into, out = cp.Variable(self.count, nonneg=True), cp.Variable(self.count, nonneg=True)
        below = cp.Variable(nonneg=True)
        stored = one.stored_wh / 1e3 + cp.cumsum(
            cp.multiply(self.h, one.charge_efficiency * into - out / one.discharge_efficiency)
        )
        self.rules += [
            into <= one.max_charge_w / 1e3,
            out <= one.max_discharge_w / 1e3,
            stored <= one.capacity_wh / 1e3,
            stored >= min(one.stored_wh, one.reserve_wh) / 1e3,
            stored[self.count - 1] + below >= one.reserve_wh / 1e3,
        ]
        wear = self.weights.wear(one.wear_per_kwh, one.charge_efficiency * one.discharge_efficiency)
        self.cost += cp.sum(cp.multiply(self.weights.waiting() * self.h, into))
        self.cost += cp.sum(cp.multiply(wear * self.h, out)) + self.weights.soft * below
        self.cost -= self.weights.worth(one) * stored[self.count - 1]
        self.store, self.out = self.store + into, self.out + out
        self.devices[one.battery_id] = into - out

    def _device_limits(self, cut: Any) -> None:
        problem, limits = self.problem, self.problem.limits
        pv = problem.pv_w / 1e3
        for t in range(self.count):
            if np.isfinite(limits.load_w[t]):
                self.rules.append(self.take[t] + self.store[t] <= limits.load_w[t] / 1e3)
            if np.isfinite(limits.store_w[t]):
                self.rules.append(self.store[t] <= limits.store_w[t] / 1e3)
            if np.isfinite(limits.generation_w[t]):
                made = pv[t] + cut[t] - self.out[t] - self.give[t]
                least = limits.generation_w[t] / 1e3
                least = least if problem.curtailable else min(least, pv[t])
                self.rules.append(made >= least)
            if np.isfinite(limits.storage_w[t]):
                missed = cp.abs(self.store[t] - self.out[t] - limits.storage_w[t] / 1e3)
                self.cost += self.weights.soft * self.h[t] * missed
        for feeder in problem.feeders:
            amps = sum(
                feeder.amps_per_w[key] * 1e3 * power
                for key, power in self.devices.items()
                if key in feeder.amps_per_w
            )
            self.rules.append(amps <= feeder.limit_a)

    def _demand(self, drawn: Any, within: Any) -> None:
        covered: set[int] = set()
        for term in self.problem.demand:
            peak = cp.Variable()
            self.rules.append(peak >= term.so_far_w / 1e3)
            for n, (first, end) in enumerate(term.windows):
                taken = term.taken_wh / 1e3 if n == 0 and term.counts_taken else 0.0
                energy = taken + self.h[first:end] @ drawn[first:end]
                self.rules.append(energy / term.interval_h <= peak)
                covered |= set(range(first, end))
            self.cost += term.per_kw * peak
        if len(covered) < self.count:
            crest = cp.Variable(nonneg=True)
            rest = [t for t in range(self.count) if t not in covered]
            share = self.h / self.problem.horizon.hours
            self.rules.append(cp.multiply(share[rest], within[rest]) <= crest)
            self.cost += self.weights.tie * crest
