"""How much the chargers and batteries may take together, from the PCC meter.

What is measured at the PCC holds everything: building, PV, and the devices we steer. The room is
the limit less that measurement plus what our devices draw of it. As their draws are spans (a
charger's sample may be older than its limit), so is the room; what is committed already stays when
it lies inside the span. So the site neither swings while devices follow, nor rises before the meter
has seen what fell: falls are immediate, rises wait for proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from site_agent.domain.device import PHASES
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.protect.circuit import PhaseLoads, path
from site_agent.domain.protect.envelope import Bound, Envelope
from site_agent.domain.protect.estimate import Moment, Span, battery_power, battery_stuck
from site_agent.domain.protect.facts import Fact, facts_of
from site_agent.domain.protect.fallback import building_worst_a
from site_agent.domain.site import ROOT, SiteModel, SiteSnapshot
from site_agent.domain.trust.belief import Granted


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What steered chargers and batteries may draw together; those not steerable are taken off."""

    power_w: float
    root_a: dict[int, float]
    """By phase of the root node, A."""
    load_w: float | None
    """The same under the load limit, whatever the meter shows; None without one."""
    building_w: float | None
    """Everything else (PV included) as it follows from the meter; None when the meter is stale."""
    building_spread_w: float = 0.0
    """How far `building_w` may be off while devices follow their limits, to either side."""

    @property
    def measured(self) -> bool:
        """False: the meter is stale and the room is the static split of `fallback`."""
        return self.building_w is not None


def site_room(
    snapshot: SiteSnapshot,
    envelope: Envelope,
    policy: ControlPolicy,
    facts: Sequence[Fact] | None = None,
) -> Room:
    """The room at the PCC under this envelope; `facts` of the snapshot's chargers, if at hand."""
    model, now = snapshot.model, snapshot.at
    power = snapshot.pcc.power_w.fresh(now, model.meter_max_age)
    limit_w = aimed_w(envelope.import_w, policy)
    root_limit_a = envelope.node_current_a[ROOT].value
    moment = moment_of(snapshot, policy)
    if facts is None:
        facts = facts_of(snapshot.chargers, moment)
    load_w = _load_room_w(snapshot, envelope, policy, facts)
    if power is None:
        return replace(_static_room(snapshot, limit_w, root_limit_a, facts), load_w=load_w)
    powers = [one.power_w for one in facts]
    powers += [battery_power(b, moment) for b in snapshot.batteries]
    drawn = _total(powers)
    belief = snapshot.belief
    whole = _believed(
        _hold(_committed_w(snapshot, facts), limit_w - power, drawn),
        limit_w - model.max_building_w,
        None if belief.floor_w is None else limit_w - belief.floor_w,
        None if belief.most is None else belief.most.power_w,
    )
    building_w = power - (drawn.low + drawn.high) / 2
    root_a = {
        phase: _phase_room_a(snapshot, phase, root_limit_a, building_w, facts, moment)
        for phase in PHASES
    }
    return Room(
        power_w=whole - _fixed_w(facts),
        root_a=root_a,
        load_w=load_w,
        building_w=building_w,
        building_spread_w=(drawn.high - drawn.low) / 2,
    )


def _phase_room_a(
    snapshot: SiteSnapshot,
    phase: int,
    limit_a: float,
    building_w: float,
    facts: Sequence[Fact],
    moment: Moment,
) -> float:
    here = [one for one in facts if phase in one.charger.spec.phases]
    drawn = _drawn_a(snapshot, here, moment)
    free = limit_a - _phase_current(snapshot, phase, building_w, drawn)
    belief = snapshot.belief
    floor_a = belief.floor_a[phase - 1]
    whole = _believed(
        _hold(_committed_a(snapshot, here), free, drawn),
        limit_a - building_worst_a(snapshot.model),
        None if floor_a is None else limit_a - floor_a,
        None if belief.most is None else belief.most.phases_a[phase - 1],
    )
    return whole - sum(one.stubborn_a for one in here)


def aimed_w(limit: Bound, policy: ControlPolicy) -> float:
    """A limit less its margin, W."""
    return limit.value - abs(limit.value) * policy.margin_share


def moment_of(snapshot: SiteSnapshot, policy: ControlPolicy) -> Moment:
    """The moment of a decision on this snapshot."""
    return Moment(
        now=snapshot.at,
        pcc_at=snapshot.pcc.power_w.at,
        max_age=snapshot.model.device_max_age,
        settle=policy.settle,
    )


def granted(snapshot: SiteSnapshot, moment: Moment) -> Granted:
    """What chargers and batteries may draw now by what they were told, or draw anyway."""
    facts = facts_of(snapshot.chargers, moment)
    one, two, three = (
        _committed_a(snapshot, [fact for fact in facts if phase in fact.charger.spec.phases])
        for phase in PHASES
    )
    return Granted(power_w=_committed_w(snapshot, facts), phases_a=(one, two, three))


def fixed_loads(model: SiteModel, facts: Iterable[Fact]) -> PhaseLoads:
    """Current by node and phase that chargers draw whatever they are told, A."""
    loads: PhaseLoads = {}
    for one in facts:
        if one.stubborn_a > 0:
            spec = one.charger.spec
            for key in ((node, phase) for node in path(model, spec.node) for phase in spec.phases):
                loads[key] = loads.get(key, 0.0) + one.stubborn_a
    return loads


def _static_room(
    snapshot: SiteSnapshot, limit_w: float, root_limit_a: float, facts: Sequence[Fact]
) -> Room:
    free_a = root_limit_a - building_worst_a(snapshot.model)
    stuck_a = fixed_loads(snapshot.model, facts)
    return Room(
        power_w=limit_w - snapshot.model.max_building_w - _fixed_w(facts),
        root_a={phase: free_a - stuck_a.get((ROOT, phase), 0.0) for phase in PHASES},
        load_w=None,
        building_w=None,
    )


def _load_room_w(
    snapshot: SiteSnapshot, envelope: Envelope, policy: ControlPolicy, facts: Iterable[Fact]
) -> float | None:
    """Negative when what cannot be moved may draw more than the limit."""
    if envelope.load_w is None:
        return None
    moment = moment_of(snapshot, policy)
    stuck_w = sum(battery_stuck(battery, moment).high for battery in snapshot.batteries)
    return aimed_w(envelope.load_w, policy) - _fixed_w(facts) - stuck_w


def _hold(committed: float, free: float, drawn: Span) -> float:
    """`free + drawn`, and of that span the value nearest to what is committed."""
    return min(max(committed, free + drawn.low), free + drawn.high)


def _believed(whole: float, static: float, above_floor: float | None, most: float | None) -> float:
    """`whole` as far as the meter is believed; what the static split allows needs no meter."""
    if above_floor is not None:
        whole = min(whole, above_floor)
    return whole if most is None else min(whole, max(static, most))


def _fixed_w(facts: Iterable[Fact]) -> float:
    return sum(one.stubborn_a * one.w_per_a for one in facts)


def _committed_w(snapshot: SiteSnapshot, facts: Iterable[Fact]) -> float:
    chargers = sum(one.promised_a * one.w_per_a for one in facts)
    return chargers + sum(_battery_committed_w(snapshot))


def _committed_a(snapshot: SiteSnapshot, here: Iterable[Fact]) -> float:
    """On a phase with these chargers."""
    chargers = sum(one.promised_a for one in here)
    return chargers + sum(_battery_committed_w(snapshot)) / _three_phase_v(snapshot)


def _battery_committed_w(snapshot: SiteSnapshot) -> list[float]:
    max_age = snapshot.model.device_max_age
    return [
        battery.confirmed_w or 0.0
        for battery in snapshot.batteries
        if battery.power_w.fresh(snapshot.at, max_age) is not None
    ]


def _drawn_a(snapshot: SiteSnapshot, here: Iterable[Fact], moment: Moment) -> Span:
    """On a phase with these chargers."""
    spans = [one.phase_a for one in here]
    batteries = _total(battery_power(battery, moment) for battery in snapshot.batteries)
    per_phase = 1.0 / _three_phase_v(snapshot)
    spans.append(Span(low=batteries.low * per_phase, high=batteries.high * per_phase))
    return _total(spans)


def _phase_current(snapshot: SiteSnapshot, phase: int, building_w: float, drawn: Span) -> float:
    """Measured current of a phase, A; where the meter gives none, an even share of the building."""
    measured = snapshot.pcc.current_a[phase - 1].fresh(snapshot.at, snapshot.model.meter_max_age)
    if measured is not None:
        return measured
    return building_w / _three_phase_v(snapshot) + (drawn.low + drawn.high) / 2


def _three_phase_v(snapshot: SiteSnapshot) -> float:
    return len(PHASES) * snapshot.model.voltage_v


def _total(spans: Iterable[Span]) -> Span:
    known = tuple(spans)
    return Span(low=sum(s.low for s in known), high=sum(s.high for s in known))
