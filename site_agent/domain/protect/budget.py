"""What the allocation must respect: power budgets and every phase of every node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from site_agent.domain.decide.allocate import Constraint, load_of
from site_agent.domain.device import PHASES
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.protect.circuit import path
from site_agent.domain.protect.envelope import Bound, Envelope
from site_agent.domain.protect.facts import Fact, steered_of
from site_agent.domain.protect.lasting import lasting
from site_agent.domain.protect.room import Room, fixed_loads
from site_agent.domain.site import ROOT, SiteModel, SiteSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerBudget:
    """A limit in W and what of it the steered chargers may use."""

    limit: Bound
    room: Constraint
    """Aimed at from the margin below the limit."""

    def with_margin(self, share: float) -> PowerBudget:
        """The budget up to the limit itself."""
        capacity = self.room.capacity + share * abs(self.limit.value)
        return replace(self, room=replace(self.room, capacity=capacity))


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """All constraints on the steered chargers, batteries already counted in."""

    power: PowerBudget
    """At the PCC."""
    load: PowerBudget | None
    """Of all controllable load; None without a load limit."""
    nodes: Mapping[tuple[str, int], Constraint]
    """By (node, phase)."""
    batteries_w: float
    """What is counted in for batteries, W, charging positive."""
    lasting: Sequence[Constraint] = ()
    """On chargers that would keep their limit without an agent."""

    @property
    def powers(self) -> Sequence[PowerBudget]:
        """The budgets in W, that at the PCC first."""
        return (self.power,) if self.load is None else (self.power, self.load)

    def constraints(self, margin_share: float = 0.0) -> Sequence[Constraint]:
        """The budgets in W, that at the PCC first, then every node and phase, then `lasting`."""
        rooms = (budget.with_margin(margin_share).room for budget in self.powers)
        return (*rooms, *self.nodes.values(), *self.lasting)

    @property
    def tightest_w(self) -> float:
        """The least of the limits in W, as a magnitude."""
        return min(abs(budget.limit.value) for budget in self.powers)


def budget(
    snapshot: SiteSnapshot,
    envelope: Envelope,
    room: Room,
    batteries_w: float,
    facts: Sequence[Fact],
) -> Budget:
    """The budget when batteries can be counted on for `batteries_w` (charging positive)."""
    weights = {one.evse_id: one.w_per_a for one in steered_of(facts)}

    def within(limit: Bound, capacity: float, remark: str = "") -> PowerBudget:
        cause = limit.cause + remark
        return PowerBudget(
            limit=limit, room=Constraint(capacity=capacity, cause=cause, weights=weights)
        )

    stale = "" if room.measured else " (meter stale: the building is taken at its largest)"
    load = None
    if envelope.load_w is not None and room.load_w is not None:
        load = within(envelope.load_w, room.load_w - max(0.0, batteries_w))
    return Budget(
        power=within(envelope.import_w, room.power_w - batteries_w, stale),
        load=load,
        nodes=_nodes(snapshot, envelope, room, batteries_w, facts),
        batteries_w=batteries_w,
        lasting=lasting(snapshot),
    )


def left_over(constraint: Constraint, limits: Mapping[str, float]) -> float:
    """What these limits leave of a constraint, in its units."""
    return constraint.capacity - load_of(constraint, limits)


def used_up(
    available: Budget, limits: Mapping[str, float], batteries_w: float, policy: ControlPolicy
) -> Sequence[PowerBudget]:
    """The power budgets that chargers and batteries use up, as far as deadbands allow."""
    more_w = batteries_w - available.batteries_w
    return [
        one
        for one in available.powers
        if left_over(one.room, limits) - more_w <= policy.unused_share * abs(one.limit.value)
    ]


def _nodes(
    snapshot: SiteSnapshot,
    envelope: Envelope,
    room: Room,
    batteries_w: float,
    facts: Sequence[Fact],
) -> Mapping[tuple[str, int], Constraint]:
    model, stuck_a = snapshot.model, fixed_loads(snapshot.model, facts)
    batteries_a = batteries_w / (len(PHASES) * model.voltage_v)
    below = _below(model, facts)
    brief_a = {
        one.node_id: one.brief_overload * one.limit_a
        for one in model.nodes
        if envelope.node_current_a[one.node_id].value >= one.limit_a
    }

    def capacity(node: str, phase: int, limit_a: float) -> float:
        if node == ROOT:
            return room.root_a[phase] - batteries_a
        return limit_a - stuck_a.get((node, phase), 0.0)

    return {
        (node, phase): Constraint(
            capacity=capacity(node, phase, bound.value),
            cause=bound.cause,
            weights=below.get((node, phase), {}),
            brief=brief_a.get(node, 0.0),
        )
        for node, bound in envelope.node_current_a.items()
        for phase in PHASES
    }


def _below(
    model: SiteModel, facts: Iterable[Fact]
) -> Mapping[tuple[str, int], Mapping[str, float]]:
    """The weight of every steered charger on every phase of every node it hangs below."""
    found: dict[tuple[str, int], dict[str, float]] = {}
    for one in steered_of(facts):
        spec = one.charger.spec
        for node in path(model, spec.node):
            for phase in spec.phases:
                found.setdefault((node, phase), {})[spec.evse_id] = 1.0
    return found
