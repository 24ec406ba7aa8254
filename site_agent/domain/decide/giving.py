"""Vehicles that give back: how far a wish to discharge may be followed.

Only a known vehicle gives, through a charger that can take it and whose limit lapses by itself, and
only while its battery stays above a floor and its departure is far enough that what it gave can be
put back. Then come the limits: its charger, every phase of every node on the way (as if nothing
else drew there), what the site may export and generate. Nobody else counts on what it gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import floor, inf

from site_agent.domain.decide.guidance import Guidance
from site_agent.domain.device import PHASES, BatterySetpoint, ChargerState, Lapse
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.protect.circuit import path
from site_agent.domain.protect.envelope import Bound, Envelope
from site_agent.domain.protect.estimate import Moment, battery_stuck
from site_agent.domain.protect.facts import Fact, steered_of
from site_agent.domain.protect.room import Room
from site_agent.domain.site import SiteSnapshot

_LEAST_A = 1.0
"""Less is not worth a contactor's wear."""


def gives(
    snapshot: SiteSnapshot,
    envelope: Envelope,
    room: Room,
    batteries: Sequence[BatterySetpoint],
    facts: Sequence[Fact],
    guidance: Guidance,
    policy: ControlPolicy,
    moment: Moment,
) -> Mapping[str, Bound]:
    """What vehicles give back, A per phase, negative, with the cause, by `evse_id`.

    Who can wait longest gives first. With a stale meter nobody does.
    """
    if room.building_w is None or not any(w.value < 0 for w in guidance.vehicles_w.values()):
        return {}
    needs = {need.evse_id: need for need in snapshot.needs if need.known}
    willing = [
        (fact, needs[fact.evse_id], wish)
        for fact in steered_of(facts)
        if fact.charger.pausable
        and (wish := guidance.vehicles_w.get(fact.evse_id)) is not None
        and wish.value < 0
        and fact.evse_id in needs
    ]
    left = _Left(
        snapshot, envelope, _outflow_w(snapshot, envelope, room, batteries, policy, moment)
    )
    found: dict[str, Bound] = {}
    for fact, need, wish in sorted(willing, key=lambda one: _order(one[1], snapshot.at)):
        most_a = _most_a(fact, need, snapshot, policy)
        amps = floor(10 * min(-wish.value / fact.w_per_a, most_a, left.amps(fact))) / 10
        amps = _kept(fact.charger, amps, policy.deadband_a)
        if amps >= _LEAST_A:
            left.take(fact, amps)
            found[fact.evse_id] = Bound(value=-amps, cause=f"gives back: {wish.cause}")
    return found


def _order(need: VehicleNeed, now: datetime) -> tuple[float, str]:
    return -need.laxity(now).total_seconds(), need.evse_id


def _most_a(fact: Fact, need: VehicleNeed, snapshot: SiteSnapshot, policy: ControlPolicy) -> float:
    """What this vehicle may give, A per phase: 0 where charger, charge or departure forbid it."""
    charger = fact.charger
    soc = charger.soc_pct.fresh(snapshot.at, snapshot.model.device_max_age)
    able = charger.bidirectional and charger.transaction_id is not None
    if not able or charger.lapse is not Lapse.DEVICE or soc is None:
        return 0.0
    if need.laxity(snapshot.at) < policy.give_reserve:
        return 0.0
    fade = min(1.0, max(0.0, soc - policy.give_floor_soc_pct))
    return charger.spec.max_discharge_a * fade


def _kept(charger: ChargerState, amps: float, deadband_a: float) -> float:
    """What it gives already, where that is a little less: noise does not become traffic."""
    present = -(charger.confirmed_limit_a or 0.0)
    return present if 0 < present <= amps < present + deadband_a else amps


def _outflow_w(
    snapshot: SiteSnapshot,
    envelope: Envelope,
    room: Room,
    batteries: Sequence[BatterySetpoint],
    policy: ControlPolicy,
    moment: Moment,
) -> float:
    """What limits on export and generation leave vehicles, W, whatever PV may come to make."""
    given_w = sum(-min(0.0, one.power_w) for one in batteries)
    allowed_w = inf
    if envelope.export_w is not None:
        rise_w = policy.pv_headroom_share * sum(one.spec.rated_w for one in snapshot.pv)
        load_w = (room.building_w or 0.0) - room.building_spread_w - rise_w
        allowed_w = load_w - given_w - envelope.export_w.value
    if envelope.generation_w is not None:
        stuck_w = sum(-battery_stuck(battery, moment).low for battery in snapshot.batteries)
        made_w = sum(one.spec.rated_w for one in snapshot.pv) + given_w + stuck_w
        allowed_w = min(allowed_w, -envelope.generation_w.value - made_w)
    return max(0.0, allowed_w)


class _Left:
    """What the limits leave while vehicles give one after the other."""

    def __init__(self, snapshot: SiteSnapshot, envelope: Envelope, outflow_w: float) -> None:
        self._model = snapshot.model
        self._outflow_w = outflow_w
        self._nodes = {
            (node, phase): bound.value
            for node, bound in envelope.node_current_a.items()
            for phase in PHASES
        }

    def amps(self, fact: Fact) -> float:
        """Most this charger may give, A per phase."""
        nodes = min((self._nodes[key] for key in self._way(fact)), default=inf)
        return max(0.0, min(self._outflow_w / fact.w_per_a, nodes))

    def take(self, fact: Fact, amps: float) -> None:
        """It gives this much."""
        self._outflow_w -= amps * fact.w_per_a
        for key in self._way(fact):
            self._nodes[key] -= amps

    def _way(self, fact: Fact) -> list[tuple[str, int]]:
        spec = fact.charger.spec
        return [(node, phase) for node in path(self._model, spec.node) for phase in spec.phases]
