"""What chargers that keep their limit may be given, so that the site is safe without an agent.

When the agent dies, most chargers end its limit by themselves and fall to their fail-safe share.
One that is known not to (`Lapse.NONE`) goes on with its last limit for ever. So such limits,
together with every other charger's share, batteries that cannot lapse and the largest building
load, must stay inside the contract and every fuse at all times, not only while somebody watches.
"""

from __future__ import annotations

from collections.abc import Iterator

from site_agent.domain.decide.allocate import Constraint
from site_agent.domain.decide.demand import steered
from site_agent.domain.device import PHASES, ChargerState, Lapse
from site_agent.domain.protect.circuit import add_loads, balanced_loads, charger_loads, path
from site_agent.domain.protect.fallback import stuck_batteries
from site_agent.domain.site import ROOT, SiteModel, SiteSnapshot


def lasting(snapshot: SiteSnapshot) -> tuple[Constraint, ...]:
    """The constraints on steered chargers that keep their limit; none without such chargers."""
    keepers = [charger for charger in steered(snapshot) if keeps(charger)]
    if not keepers:
        return ()
    return (_contract(snapshot, keepers), *_nodes(snapshot, keepers))


def keeps(charger: ChargerState) -> bool:
    """Whether it is known to hold its last limit for ever."""
    return charger.lapse is Lapse.NONE


def _contract(snapshot: SiteSnapshot, keepers: list[ChargerState]) -> Constraint:
    model = snapshot.model
    rated = {spec.evse_id: spec.voltage_v * len(spec.phases) for spec in model.chargers}
    others_w = sum(held_a * rated[name] for name, held_a in _held(snapshot, keepers).items())
    stuck_w = sum(power for _, power in stuck_batteries(model))
    return Constraint(
        capacity=model.contract_limit_w - others_w - stuck_w - model.max_building_w,
        cause=_cause("the connection contract"),
        weights={c.spec.evse_id: rated[c.spec.evse_id] for c in keepers},
    )


def _nodes(snapshot: SiteSnapshot, keepers: list[ChargerState]) -> Iterator[Constraint]:
    model = snapshot.model
    loads = add_loads(
        [
            charger_loads(model, _held(snapshot, keepers)),
            balanced_loads(model, stuck_batteries(model)),
            balanced_loads(model, [(ROOT, model.max_building_w)]),
        ]
    )
    for node in model.nodes:
        for phase in PHASES:
            weights = {c.spec.evse_id: 1.0 for c in _below(model, keepers, node.node_id, phase)}
            if weights:
                capacity = node.limit_a - loads.get((node.node_id, phase), 0.0)
                cause = _cause(f"the fuse of {node.node_id}")
                yield Constraint(capacity=capacity, cause=cause, weights=weights)


def _held(snapshot: SiteSnapshot, keepers: list[ChargerState]) -> dict[str, float]:
    """What all other chargers hold without an agent, A."""
    steerable = {charger.spec.evse_id for charger in keepers}
    return {
        charger.spec.evse_id: _left_with_a(charger)
        for charger in snapshot.chargers
        if charger.spec.evse_id not in steerable
    }


def _left_with_a(charger: ChargerState) -> float:
    share_a = charger.spec.fail_safe_current_a
    if not charger.controllable:
        return charger.spec.max_current_a
    return max(share_a, charger.confirmed_limit_a or 0.0) if keeps(charger) else share_a


def _below(
    model: SiteModel, keepers: list[ChargerState], node: str, phase: int
) -> list[ChargerState]:
    return [
        charger
        for charger in keepers
        if phase in charger.spec.phases and node in path(model, charger.spec.node)
    ]


def _cause(limit: str) -> str:
    return f"{limit}, as chargers that keep their limit would load it without an agent"
