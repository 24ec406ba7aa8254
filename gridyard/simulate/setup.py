"""From what a command names to runs: the scenario, what replaces parts of it, and the tariff."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from contracts.config import Settings, load
from contracts.errors import ConfigError
from contracts.time import as_utc
from gridyard.simulate import profile, scenario, sessions
from gridyard.simulate.guides import PlanGuide, rules_guide
from gridyard.simulate.measure import Result
from gridyard.simulate.night import Night, drawn
from gridyard.simulate.run import Progress, Simulation
from gridyard.simulate.scenario import Case, EventSettings
from gridyard.simulate.strategies import STRATEGIES, Guide, Strategy
from site_agent.config.tariff_files import load_tariff
from site_agent.domain.horizon import Horizon
from site_agent.domain.tariff.bill import Bill, bill
from site_agent.domain.tariff.tariff import Tariff


class _EventsFile(Settings):
    events: tuple[EventSettings, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Names and files only, so that it travels to other processes."""

    scenario: str
    days: int | None = None
    """Simulate so many days instead of the scenario's hours."""
    sessions: Path | None = None
    events: Path | None = None
    tariff: str | None = None
    """Name or file; None: the site's own, if it has one."""
    pv: Path | None = None
    """CSV of PV instead of the scenario's sky (`profile.read`)."""
    begin: datetime | None = None
    """Instead of the scenario's."""

    def prices(self, case: Case) -> Tariff | None:
        """The tariff, on the depot's own clock.

        Raises:
            ConfigError: there is none of that name.
        """
        if self.tariff is None:
            return None
        found = load_tariff(self.tariff, time_zone=case.site.time_zone).tariff()
        return replace(found, zone=case.zone)

    def case(self) -> Case:
        """The scenario with what replaces parts of it.

        Raises:
            ConfigError: a file is missing or wrong.
        """
        case = scenario.read(self.scenario)
        changes: dict[str, object] = {}
        if self.days is not None:
            changes["hours"] = self.days * 24.0
        if self.begin is not None:
            changes["begin"] = self.begin
        if self.events is not None:
            changes["events"] = load(self.events, _EventsFile).events
        return replace(case, settings=case.settings.model_copy(update=changes))

    def night(self, seed: int) -> tuple[Case, Night]:
        """The scenario and what this seed makes of it."""
        case = self.case()
        path = self.sessions
        if path is None and case.settings.sessions is not None:
            path = case.folder / case.settings.sessions
        night = drawn(case, seed, () if path is None else sessions.read(path, case))
        if self.pv is not None:
            sky = profile.read(self.pv, case)
            pv = {name: replace(one, sky=sky) for name, one in night.pv.items()}
            night = replace(night, pv=pv)
        return case, night


def strategy_named(name: str) -> Strategy:
    """The strategy of this name.

    Raises:
        ConfigError: there is none; lists them all.
    """
    if name not in STRATEGIES:
        raise ConfigError(f"no strategy {name!r}: {', '.join(STRATEGIES)}")
    return STRATEGIES[name]


def simulated(
    inputs: Inputs, strategy: str, seed: int, tell: Callable[[Progress], None] | None = None
) -> Result:
    """One run."""
    case, night = inputs.night(seed)
    tariff, chosen = inputs.prices(case), strategy_named(strategy)
    if chosen.guided and tariff is None:
        raise ConfigError(f"strategy {strategy!r} needs prices: give --tariff (a name or a file)")
    result = Simulation(case, night, chosen, _guide(chosen, tariff)).run(tell)
    return result if tariff is None else replace(result, cost=billed(result, tariff).total)


def billed(result: Result, tariff: Tariff) -> Bill:
    """What the run costs under a tariff."""
    horizon = Horizon(start=as_utc(result.begin), count=len(result.quarters_w))
    return bill(tariff, horizon, np.array(result.quarters_w))


def _guide(strategy: Strategy, tariff: Tariff | None) -> Callable[[Simulation], Guide] | None:
    if tariff is None or not strategy.guided:
        return None
    known = tariff
    if strategy.guided == "plan":
        return lambda simulation: PlanGuide(simulation, known)
    return lambda simulation: rules_guide(simulation, known)
