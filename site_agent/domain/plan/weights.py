"""How much each thing counts in a plan, in the tariff's currency.

From the strongest to the weakest, each far above the next: limits of the site; readiness, lower
ranks first; a battery's reserve and an event's storage target; what power costs; and last, so
little that it only decides between equal costs, earlier before later and a low crest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from site_agent.domain.horizon import Series
from site_agent.domain.plan.problem import PlanBattery, PlanVehicle, Problem

_ABOVE_PRICE = 10.0
"""Missing a kWh costs so many times the most that a kWh could ever cost."""
_PER_RANK = 4.0
_RANKS = 5
"""So many ranks are told apart, the last ones are taken together."""
_EARLIER = 0.05
"""Of equal rank, the earliest departure counts so much more than the last."""
_TIE = 1e-3
"""Of a price, what decides between equals."""
_LEAST_PRICE = 0.01
_BELOW_FILLING = 0.98
"""Stored energy is worth a little less than filling costs: no reason to fill for its sake."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The weights of one problem, per kWh or per kW."""

    problem: Problem

    @cached_property
    def most(self) -> float:
        """The most that a kWh could cost, whatever happens."""
        problem, hours = self.problem, self.problem.horizon.hours
        prices = np.abs(np.concatenate([problem.import_per_kwh, problem.export_per_kwh])).max()
        demand = sum(abs(term.per_kw) for term in problem.demand) / hours
        wear = max((one.wear_per_kwh for one in self._wearing), default=0.0)
        worth = max((abs(self.worth(one)) for one in problem.batteries), default=0.0)
        return max(_LEAST_PRICE, float(prices) + demand + wear + worth)

    @property
    def _wearing(self) -> tuple[PlanVehicle | PlanBattery, ...]:
        return (*self.problem.vehicles, *self.problem.batteries)

    @cached_property
    def limit(self) -> float:
        """Per kWh drawn or fed in beyond a limit."""
        return _ABOVE_PRICE * _ABOVE_PRICE * _PER_RANK**_RANKS * self.most

    @cached_property
    def soft(self) -> float:
        """Per kWh missed of a reserve or a storage target: above prices, below readiness."""
        return self.most * _ABOVE_PRICE / 2

    def shortfall(self) -> Series:
        """Per kWh that a vehicle misses, for each."""
        vehicles = self.problem.vehicles
        if not vehicles:
            return np.zeros(0)
        ranks = sorted({one.rank for one in vehicles})
        place = {rank: min(i, _RANKS - 1) for i, rank in enumerate(ranks)}
        levels = np.array([place[one.rank] for one in vehicles], dtype=np.float64)
        order = np.argsort(np.argsort([one.departs.timestamp() for one in vehicles]))
        earlier = 1.0 + _EARLIER * (1.0 - order / max(1, len(vehicles)))
        return _ABOVE_PRICE * self.most * _PER_RANK ** (_RANKS - 1 - levels) * earlier

    def buy(self) -> Series:
        """Per kWh drawn."""
        return self.problem.import_per_kwh

    def sell(self) -> Series:
        """Per kWh fed in; never more than drawing costs, or the meter would make money."""
        return np.minimum(self.problem.export_per_kwh, self.problem.import_per_kwh)

    def later(self) -> float:
        """Per kWh left for the time after the plan."""
        return float(self.problem.import_per_kwh.mean())

    def worth(self, battery: PlanBattery) -> float:
        """Per kWh in its cells at the end."""
        if battery.worth_per_kwh is not None:
            return battery.worth_per_kwh
        cheapest = float(self.problem.import_per_kwh.min())
        return max(0.0, cheapest) / battery.charge_efficiency * _BELOW_FILLING

    def wear(self, per_kwh: float, round_trip: float) -> Series:
        """Per kWh given back.

        At negative prices at least what burning energy, by charging and discharging at once, would
        earn: so that it never pays.
        """
        burning = np.maximum(0.0, -self.problem.import_per_kwh) * (1.0 / round_trip - 1.0)
        return np.maximum(per_kwh, burning + self.tie * (burning > 0))

    @cached_property
    def tie(self) -> float:
        """What decides between equals, per kWh over the whole plan, and per kW of the crest."""
        mean = float(np.abs(self.problem.import_per_kwh).mean())
        return _TIE * max(_LEAST_PRICE, mean)

    def waiting(self) -> Series:
        """Per kWh charged in each slot: a little more, the later."""
        count = self.problem.horizon.count
        return self.tie * np.arange(count) / count
