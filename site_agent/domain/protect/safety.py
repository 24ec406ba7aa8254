"""What would be overloaded with no agent alive, or by a single device at its most."""

from __future__ import annotations

from collections.abc import Iterator

from site_agent.domain.device import PHASES
from site_agent.domain.protect.circuit import balanced_loads, path
from site_agent.domain.protect.fallback import unattended_import_w, unattended_load_a
from site_agent.domain.site import SiteModel


def overloads(model: SiteModel) -> list[str]:
    """Every such case as a sentence; a site with none may start."""
    return [*_unattended(model), *_single_devices(model)]


def _unattended(model: SiteModel) -> Iterator[str]:
    loads = unattended_load_a(model)
    together = "fail-safe shares and the largest building load come to"
    for node in model.nodes:
        load_a = max(loads.get((node.node_id, phase), 0.0) for phase in PHASES)
        if load_a > node.limit_a:
            yield (
                f"node {node.node_id!r} carries {node.limit_a:g} A a phase, but {together} "
                f"{load_a:.1f} A: lower fail_safe_current_a"
            )
    import_w = unattended_import_w(model)
    if import_w > model.contract_limit_w:
        yield (
            f"the contract allows {model.contract_limit_w:g} W, but {together} "
            f"{import_w:.0f} W: lower fail_safe_current_a"
        )


def _single_devices(model: SiteModel) -> Iterator[str]:
    limits = {node.node_id: node.limit_a for node in model.nodes}
    powers = [
        (battery.battery_id, battery.node, max(battery.max_charge_w, battery.max_discharge_w))
        for battery in model.batteries
    ]
    powers += [(inverter.pv_id, inverter.node, inverter.rated_w) for inverter in model.pv]
    for name, at, power in powers:
        loads = balanced_loads(model, [(at, power)])
        for node in path(model, at):
            if loads[node, PHASES[0]] > limits[node]:
                yield f"{name!r} alone can overload node {node!r} ({limits[node]:g} A a phase)"
