"""What the allocation must respect: the power budget at the PCC and every phase of every node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from site_agent.domain.allocate import Constraint
from site_agent.domain.circuit import path
from site_agent.domain.demand import steered
from site_agent.domain.device import PHASES
from site_agent.domain.envelope import Envelope
from site_agent.domain.estimate import Moment, watts_per_amp
from site_agent.domain.room import Room, fixed_a
from site_agent.domain.site import ROOT, SiteSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """All constraints on the steered chargers, batteries' discharge already counted in."""

    power: Constraint
    nodes: Mapping[tuple[str, int], Constraint]
    """By (node, phase)."""

    @property
    def constraints(self) -> Sequence[Constraint]:
        """The power budget first, then every node and phase."""
        return (self.power, *self.nodes.values())


def budget(
    snapshot: SiteSnapshot, envelope: Envelope, room: Room, batteries_w: float, moment: Moment
) -> Budget:
    """The budget when batteries can be counted on for `batteries_w` (charging positive)."""
    model = snapshot.model
    vehicles = steered(snapshot)
    paths = {spec.evse_id: path(model, spec.node) for spec in model.chargers}
    stale = "" if room.measured else " (meter stale: the building is taken at its largest)"
    batteries_a = batteries_w / (len(PHASES) * model.voltage_v)

    def capacity(node: str, phase: int, limit_a: float) -> float:
        if node == ROOT:
            return room.root_a[phase] - batteries_a
        below = {evse_id for evse_id, way in paths.items() if node in way}
        return limit_a - fixed_a(snapshot, phase, moment, below)

    return Budget(
        power=Constraint(
            capacity=room.power_w - batteries_w,
            cause=envelope.import_w.cause + stale,
            weights={
                c.spec.evse_id: watts_per_amp(c, snapshot.at, model.device_max_age)
                for c in vehicles
            },
        ),
        nodes={
            (node, phase): Constraint(
                capacity=capacity(node, phase, bound.value),
                cause=bound.cause,
                weights={
                    c.spec.evse_id: 1.0
                    for c in vehicles
                    if phase in c.spec.phases and node in paths[c.spec.evse_id]
                },
            )
            for node, bound in envelope.node_current_a.items()
            for phase in PHASES
        },
    )


def left_over(constraint: Constraint, limits: Mapping[str, float]) -> float:
    """What these limits leave of a constraint, in its units."""
    return constraint.capacity - sum(
        weight * limits.get(name, 0.0) for name, weight in constraint.weights.items()
    )
