"""The circuit tree: which nodes carry a device, and how much current each phase can still take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from site_agent.domain.device import PHASES, ChargerSpec
from site_agent.domain.site import SiteModel

PhaseLoads = dict[tuple[str, int], float]
"""Current by (node, phase), A."""


def path(model: SiteModel, node_id: str) -> tuple[str, ...]:
    """The nodes that carry whatever hangs on `node_id`, from it up to the root."""
    return model.ways[node_id]


def charger_loads(model: SiteModel, currents: Mapping[str, float]) -> PhaseLoads:
    """Load of every node and phase when chargers draw these currents (by `evse_id`, A)."""
    return add_loads(
        _loads_of(model, spec, currents[spec.evse_id])
        for spec in model.chargers
        if spec.evse_id in currents
    )


def balanced_loads(model: SiteModel, powers: Iterable[tuple[str, float]]) -> PhaseLoads:
    """Load when these three-phase devices `(node, W)` draw this much, spread evenly."""
    return add_loads(
        {
            (node, phase): power / (len(PHASES) * model.voltage_v)
            for node in path(model, at)
            for phase in PHASES
        }
        for at, power in powers
    )


def add_loads(parts: Iterable[PhaseLoads]) -> PhaseLoads:
    """The sum, node by node and phase by phase."""
    total: PhaseLoads = {}
    for part in parts:
        for key, current in part.items():
            total[key] = total.get(key, 0.0) + current
    return total


def _loads_of(model: SiteModel, spec: ChargerSpec, current_a: float) -> PhaseLoads:
    return {(node, phase): current_a for node in path(model, spec.node) for phase in spec.phases}
