"""What a plan must know of the circuit tree: the nodes that could be overloaded at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from site_agent.domain.device import PHASES
from site_agent.domain.plan.problem import Feeder, PlanVehicle
from site_agent.domain.protect.circuit import path
from site_agent.domain.protect.estimate import watts_per_amp
from site_agent.domain.site import ROOT, CircuitNode, SiteSnapshot


def feeders(
    snapshot: SiteSnapshot, vehicles: Sequence[PlanVehicle], building_w: float
) -> tuple[Feeder, ...]:
    """One for each phase of a node that all below it together could overload.

    `building_w`: most that hangs on the root beside the devices. Phases with the same load are
    told once, and so are plugs: more vehicles than plugs cannot charge at once.
    """
    found = {
        (one.cause, tuple(sorted(one.amps_per_w.items()))): one
        for node in snapshot.model.nodes
        for one in _of_node(snapshot, node, vehicles, building_w)
    }
    return (*found.values(), *_plugs(snapshot, vehicles))


def _of_node(
    snapshot: SiteSnapshot,
    node: CircuitNode,
    vehicles: Sequence[PlanVehicle],
    building_w: float,
) -> Iterator[Feeder]:
    model = snapshot.model
    root_a = building_w / (len(PHASES) * model.voltage_v) if node.node_id == ROOT else 0.0
    limit_a = max(0.0, node.limit_a - root_a)
    for phase in PHASES:
        amps = dict(_amps(snapshot, node.node_id, phase, vehicles))
        most = {one.key: one.max_power_w for one in vehicles}
        most |= {one.battery_id: one.max_charge_w for one in model.batteries}
        if sum(per_w * most[key] for key, per_w in amps.items()) > limit_a:
            rating = f"{node.limit_a:g} A a phase"
            yield Feeder(
                cause=f"the fuse of {node.node_id} ({rating})", limit_a=limit_a, amps_per_w=amps
            )


def _amps(
    snapshot: SiteSnapshot, node: str, phase: int, vehicles: Sequence[PlanVehicle]
) -> Iterator[tuple[str, float]]:
    """What loads this phase of the node, A per W."""
    model, max_age = snapshot.model, snapshot.model.device_max_age
    states = {charger.spec.evse_id: charger for charger in snapshot.chargers}
    specs = {spec.evse_id: spec for spec in model.chargers}
    for one in vehicles:
        spec = specs.get(one.evse_id or "")
        if spec is None or phase not in spec.phases or node not in path(model, spec.node):
            continue
        state = states.get(spec.evse_id) if one.present else None
        nominal = spec.voltage_v * len(spec.phases)
        w_per_a = nominal if state is None else watts_per_amp(state, snapshot.at, max_age)
        single = one.max_power_w < spec.min_current_a * nominal
        yield one.key, 1.0 / (spec.voltage_v if single else w_per_a)
    for battery in model.batteries:
        if node in path(model, battery.node):
            yield battery.battery_id, 1.0 / (len(PHASES) * model.voltage_v)


def _plugs(snapshot: SiteSnapshot, vehicles: Sequence[PlanVehicle]) -> Iterator[Feeder]:
    """A plug gives its vehicle's full power at most, one vehicle at a time.

    As a sum over all this allows vehicles to share a plug in turns, as people who swap them do.
    """
    count = len(snapshot.model.chargers)
    able = {one.key: 1.0 / one.max_power_w for one in vehicles if one.max_power_w > 0}
    if 0 < count < len(able):
        yield Feeder(cause=f"no more than {count} plugs", limit_a=float(count), amps_per_w=able)
