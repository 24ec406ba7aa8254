"""The depot: its circuit tree, what hangs on it, and one frozen picture of it all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contracts.power import NOMINAL_VOLTAGE_V
from site_agent.domain.device import (
    BatterySpec,
    BatteryState,
    ChargerSpec,
    ChargerState,
    MeterState,
    PvSpec,
    PvState,
)
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.trust.belief import PLAIN, Belief

ROOT = "pcc"
"""Name of the root node of every circuit tree: the point of common coupling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CircuitNode:
    """A fused node; its load is the sum of everything below it."""

    node_id: str
    parent: str | None
    """None for the root only."""
    limit_a: float
    """Per phase: breaker or cable, whichever is less."""
    brief_overload: float = 0.0
    """By how much more, as a share, it may be loaded for the seconds in which vehicles follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteModel:
    """What does not change while the agent runs."""

    site_id: str
    nodes: tuple[CircuitNode, ...]
    chargers: tuple[ChargerSpec, ...]
    batteries: tuple[BatterySpec, ...]
    pv: tuple[PvSpec, ...]
    contract_limit_w: float
    """Import agreed with the network operator, W."""
    max_building_w: float
    """Largest load of everything the agent cannot move, assumed when the meter is stale."""
    meter_max_age: timedelta = timedelta(seconds=3)
    device_max_age: timedelta = timedelta(seconds=30)
    voltage_v: float = NOMINAL_VOLTAGE_V
    unseen_generation_w: float = 0.0
    """Most that is generated on the site without any device telling of it, W."""
    ways: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    """By node: all nodes that carry whatever hangs on it, from itself up to the root."""

    def __post_init__(self) -> None:
        """Find the ways to the root once: every decision walks them for every device."""
        parents = {node.node_id: node.parent for node in self.nodes}
        object.__setattr__(self, "ways", {node: _way(node, parents) for node in parents})


def _way(node_id: str, parents: Mapping[str, str | None]) -> tuple[str, ...]:
    nodes: list[str] = []
    here: str | None = node_id
    while here is not None and here in parents and here not in nodes:
        nodes.append(here)
        here = parents[here]
    return tuple(nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSnapshot:
    """Everything known at one instant; decisions read this and nothing else."""

    at: datetime
    model: SiteModel
    pcc: MeterState
    chargers: tuple[ChargerState, ...]
    batteries: tuple[BatteryState, ...]
    pv: tuple[PvState, ...]
    needs: tuple[VehicleNeed, ...]
    belief: Belief = PLAIN
    """How far `pcc` is believed."""
