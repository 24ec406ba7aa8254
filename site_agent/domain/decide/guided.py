"""How far a wish (`guidance`) bounds what vehicles and the site may take, and where it ends.

A wish ends where it would cost readiness: a vehicle with less than `wish_reserve` of laxity asks
for all it needs, and a demand target gives way to what vehicles on schedule and the building need
beyond what the batteries can give.
"""

from __future__ import annotations

from dataclasses import replace

from site_agent.domain.decide.battery import discharge_available_w
from site_agent.domain.decide.guidance import Guidance
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.protect.envelope import Bound, Envelope
from site_agent.domain.protect.facts import Fact
from site_agent.domain.protect.room import Room, aimed_w
from site_agent.domain.site import SiteSnapshot


def wished_a(
    fact: Fact,
    need: VehicleNeed | None,
    snapshot: SiteSnapshot,
    guidance: Guidance,
    policy: ControlPolicy,
) -> Bound | None:
    """What this vehicle is wished to charge with, A per phase; None: as much as it can.

    0 or at least the charger's minimum: half of the minimum and more is rounded up to it, less is
    a pause.
    """
    wish = guidance.vehicles_w.get(fact.evse_id)
    if wish is None or (need is not None and _pressed(need, snapshot, policy)):
        return None
    least_a = fact.charger.spec.min_current_a
    amps = wish.value / fact.w_per_a
    if amps < least_a:
        amps = least_a if amps >= least_a / 2 else 0.0
    return replace(wish, value=amps)


def guided_envelope(
    envelope: Envelope,
    guidance: Guidance,
    snapshot: SiteSnapshot,
    building_w: float | None,
    needed_w: float,
    policy: ControlPolicy,
) -> Envelope:
    """The envelope with what is wished of the site as a whole, where nothing else is asked.

    `needed_w`: what vehicles must have to stay on time; `building_w`: None with a stale meter, and
    then no demand target holds.
    """
    storage = envelope.storage_w or _helpful(
        guidance.storage_w, envelope, building_w, needed_w, policy
    )
    target = guidance.import_w
    if target is None or building_w is None:
        return replace(envelope, storage_w=storage)
    now, max_age = snapshot.at, snapshot.model.device_max_age
    given_w = sum(discharge_available_w(one, now, max_age) for one in snapshot.batteries)
    must_w = building_w + needed_w - given_w
    value = max(
        target.value, must_w + abs(must_w) * policy.margin_share / (1 - policy.margin_share)
    )
    if value >= envelope.import_w.value:
        return replace(envelope, storage_w=storage)
    return replace(envelope, storage_w=storage, import_w=replace(target, value=value))


def _helpful(
    wish: Bound | None,
    envelope: Envelope,
    building_w: float | None,
    needed_w: float,
    policy: ControlPolicy,
) -> Bound | None:
    """A wish for the batteries, which give at least what vehicles on schedule lack: readiness."""
    if wish is None or building_w is None:
        return wish
    missing_w = building_w + needed_w - aimed_w(envelope.import_w, policy)
    if missing_w <= 0 or wish.value <= -missing_w:
        return wish
    return Bound(value=-missing_w, cause=f"{envelope.import_w.cause}, so that no vehicle is late")


def needs_target(envelope: Envelope, guidance: Guidance, room: Room) -> bool:
    """Whether a demand target would bind tighter than the envelope does."""
    target = guidance.import_w
    return target is not None and room.measured and target.value < envelope.import_w.value


def _pressed(need: VehicleNeed, snapshot: SiteSnapshot, policy: ControlPolicy) -> bool:
    return need.required_wh > 0 and need.laxity(snapshot.at) < policy.wish_reserve
