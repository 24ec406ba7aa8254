"""From what a command names to runs: the scenario, what replaces parts of it, and the tariff."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from contracts.config import Settings, load
from contracts.errors import ConfigError
from gridyard.simulate import scenario, sessions
from gridyard.simulate.measure import Result
from gridyard.simulate.night import Night, drawn
from gridyard.simulate.run import Progress, Simulation
from gridyard.simulate.scenario import Case, EventSettings
from gridyard.simulate.strategies import STRATEGIES, Strategy


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

    def case(self) -> Case:
        """The scenario with what replaces parts of it.

        Raises:
            ConfigError: a file is missing or wrong.
        """
        case = scenario.read(self.scenario)
        changes: dict[str, object] = {}
        if self.days is not None:
            changes["hours"] = self.days * 24.0
        if self.events is not None:
            changes["events"] = load(self.events, _EventsFile).events
        return replace(case, settings=case.settings.model_copy(update=changes))

    def night(self, seed: int) -> tuple[Case, Night]:
        """The scenario and what this seed makes of it."""
        case = self.case()
        path = self.sessions
        if path is None and case.settings.sessions is not None:
            path = case.folder / case.settings.sessions
        return case, drawn(case, seed, () if path is None else sessions.read(path, case))


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
    return Simulation(case, night, strategy_named(strategy)).run(tell)
