"""What the settings say of grid, rules and frequency, in one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from site_agent.domain.grid.droop import DroopPolicy
from site_agent.domain.grid.outage import GridPolicy
from site_agent.domain.grid.restore import RestorePolicy
from site_agent.domain.grid.stages import IslandPolicy
from site_agent.domain.rules.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class GridPolicies:
    """How outages, islands and returns are dealt with."""

    grid: GridPolicy = field(default_factory=GridPolicy)
    island: IslandPolicy = field(default_factory=IslandPolicy)
    restore: RestorePolicy = field(default_factory=RestorePolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchContact:
    """The contact that shows an island."""

    sensor: str
    island_when_closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GridChoices:
    """All of it; `droop_sensor` None: the meter tells the frequency."""

    zone: tzinfo
    policies: GridPolicies = field(default_factory=GridPolicies)
    rules: Sequence[Rule] = ()
    fallback: Sequence[Rule] = ()
    """Rules that guide while a plan should and does not."""
    droop: DroopPolicy | None = None
    droop_sensor: str | None = None
    switch: SwitchContact | None = None
