"""Plan and prices of one site, put together for its control loop, its rules and its pages."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta

from contracts.site_link.messages import Severity
from contracts.time import Clock
from site_agent.domain.fleet.agreed import FleetVehicle
from site_agent.domain.plan.policy import PlanningChoices, Strategy
from site_agent.domain.plan.schedule import Schedule
from site_agent.domain.site import ROOT
from site_agent.domain.tariff.tariff import Tariff
from site_agent.flows.orders.instructions import Instructions
from site_agent.flows.plan.planner import Planner, PlanSources
from site_agent.flows.plan.rules import Guide, Prices, no_prices, tariff_prices
from site_agent.flows.report.notices import Condition, Key
from site_agent.ports import KeyValues

NO_PLAN = "no-plan"
_STEADY = timedelta(minutes=2)
"""One attempt that fails is no news."""


class PlanSide:
    """All of it; a site without a tariff, or with another strategy, has no planner."""

    def __init__(
        self,
        tariff: Tariff | None,
        choices: PlanningChoices,
        instructions: Instructions,
        memory: KeyValues,
        clock: Clock,
        sources: PlanSources,
    ) -> None:
        self._strategy = choices.strategy
        self.prices: Prices = no_prices
        """The price at an instant within its day, for rules."""
        self.planner: Planner | None = None
        if tariff is not None:
            self.prices = tariff_prices(tariff, sources.market)
            if choices.strategy is Strategy.PLAN:
                self.planner = Planner(tariff, instructions, memory, clock, sources, choices)

    async def load(self) -> None:
        """Take up the plan from before a restart."""
        if self.planner is not None:
            await self.planner.load()

    def runs(self) -> list[Coroutine[object, object, None]]:
        """What runs beside the control loop."""
        return [] if self.planner is None else [self.planner.run()]

    def wake(self) -> None:
        """Plan anew at once: a roster or a forecast has changed."""
        if self.planner is not None:
            self.planner.wake()

    def latest(self) -> Schedule | None:
        """The newest plan."""
        return None if self.planner is None else self.planner.latest

    def guide(self, rules: Guide) -> Guide | None:
        """Who wishes: the site's rules (with the plan below them), or nobody."""
        return None if self._strategy is Strategy.SOONEST else rules

    def conditions(self) -> Mapping[Key, Condition]:
        """What people should know of the plan, as notices take it."""
        if self.planner is None or not self.planner.failure:
            return {}
        text = f"no new plan; the last one guides for 20 minutes: {self.planner.failure}"
        return {(NO_PLAN, ROOT): Condition(severity=Severity.WARNING, text=text, after=_STEADY)}


def capacities(vehicles: Mapping[str, FleetVehicle]) -> Callable[[], Mapping[str, float]]:
    """The vehicles' batteries as far as they are told, whenever asked."""
    return lambda: {
        name: one.target.capacity_wh
        for name, one in vehicles.items()
        if one.target.capacity_wh is not None
    }
