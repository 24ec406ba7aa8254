"""A site cut off from the grid: its picture, its limits, and who may charge.

Batteries form the grid there, so their power is not a setpoint but the balance of everything else.
Nothing flows at the connection point, whatever its meter shows or does not show. So `decide` goes
on as ever, with an import of 0 W as its limit: what vehicles get is what PV and batteries can bear
beside the building. Critical chargers come first, the rest by what the batteries hold (`stages`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.reading import Quality, Reading
from site_agent.domain.decide.battery import discharge_available_w
from site_agent.domain.device import BatteryState, ChargerState, MeterState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.grid.stages import IslandPolicy, Stage
from site_agent.domain.protect.envelope import Bound, Limit, Side
from site_agent.domain.site import SiteSnapshot
from site_agent.domain.trust.belief import PLAIN

AWAY = "the grid is away"
_IDLE_W = 50.0
"""A battery that stands still shows less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Island:
    """What an island can bear now."""

    stage: Stage
    building_w: float
    """What the building draws, or has reserved, W."""
    bearable_w: float
    """What vehicles may take together, W, >= 0."""

    @property
    def words(self) -> str:
        """As a reason."""
        who = {
            Stage.ALL: "critical chargers first, then all",
            Stage.CRITICAL: "critical chargers only, for the batteries are low",
            Stage.SUN: "only what PV makes beyond the building, for the batteries are kept for it",
        }
        return f"{AWAY}: {who[self.stage]}"


def runs(snapshot: SiteSnapshot) -> bool:
    """Whether some battery carries the site without the grid: it says so, or it is at work."""
    max_age = snapshot.model.device_max_age
    return any(
        one.online
        and (
            abs(one.power_w.fresh(snapshot.at, max_age) or 0.0) > _IDLE_W
            if one.islanded is None
            else one.islanded
        )
        for one in snapshot.batteries
    )


def island(snapshot: SiteSnapshot, stage: Stage, policy: IslandPolicy) -> Island:
    """What this island can bear: batteries and PV less the building; in `Stage.SUN`, PV alone."""
    now, max_age = snapshot.at, snapshot.model.device_max_age
    made_w = sum(-min(0.0, one.power_w.fresh(now, max_age) or 0.0) for one in snapshot.pv)
    stored_w = sum(-(one.power_w.fresh(now, max_age) or 0.0) for one in snapshot.batteries)
    charging_w = sum(one.power_w.fresh(now, max_age) or 0.0 for one in snapshot.chargers)
    building_w = max(policy.building_w, stored_w + made_w - charging_w)
    sources_w = policy.pv_share * made_w
    if stage is not Stage.SUN:
        sources_w += sum(discharge_available_w(one, now, max_age) for one in snapshot.batteries)
    bearable_w = max(0.0, sources_w - building_w)
    return Island(stage=stage, building_w=building_w, bearable_w=bearable_w)


def picture(snapshot: SiteSnapshot, here: Island, policy: IslandPolicy) -> SiteSnapshot:
    """The snapshot as an island: nothing flows at the PCC, and each charger has its ceiling.

    Batteries count as obedient with the power their settings give them: that they do not follow
    setpoints now is no fault of theirs.
    """
    rated = {spec.battery_id: spec for spec in snapshot.model.batteries}
    ceilings = dict(_ceilings(snapshot, here, policy))

    def free(one: BatteryState) -> BatteryState:
        spec = replace(
            one.spec, max_discharge_w=rated.get(one.spec.battery_id, one.spec).max_discharge_w
        )
        measured = one.power_w.fresh(snapshot.at, snapshot.model.device_max_age)
        return replace(one, spec=spec, obeys=True, confirmed_w=measured)

    return replace(
        snapshot,
        pcc=open_switch(snapshot.pcc, snapshot.at),
        belief=PLAIN,
        batteries=tuple(free(one) for one in snapshot.batteries),
        chargers=tuple(
            lowered(one, ceilings[one.spec.evse_id], here.words) if _fed(one, policy) else _cut(one)
            for one in snapshot.chargers
        ),
    )


def limits(here: Island) -> Iterator[Limit]:
    """What an island imposes: no import, no export, and no more load than it bears."""
    yield Limit(side=Side.IMPORT, bound=Bound(value=0.0, cause=f"the island ({AWAY})"))
    yield Limit(side=Side.EXPORT, bound=Bound(value=0.0, cause=f"the island ({AWAY})"))
    cause = f"what PV and batteries bear ({here.words})"
    yield Limit(side=Side.LOAD, bound=Bound(value=here.bearable_w, cause=cause))


def waiting(snapshot: SiteSnapshot, policy: IslandPolicy, cause: str) -> SiteSnapshot:
    """The snapshot while the grid has yet to prove stable: critical chargers go on, others wait."""
    needs = {need.evse_id: need for need in snapshot.needs}
    return replace(
        snapshot,
        chargers=tuple(
            one
            if is_critical(one, needs.get(one.spec.evse_id), policy)
            else lowered(one, 0.0, cause)
            for one in snapshot.chargers
        ),
    )


def is_critical(charger: ChargerState, need: VehicleNeed | None, policy: IslandPolicy) -> bool:
    """Whether a charger, or the vehicle at it, is critical."""
    at_critical = need is not None and need.vehicle_id in policy.vehicles
    return at_critical or charger.spec.evse_id in policy.evses


def lowered(charger: ChargerState, ceiling_a: float, cause: str) -> ChargerState:
    """The charger with a ceiling, unless it has a lower one already."""
    if charger.ceiling_a is not None and charger.ceiling_a <= ceiling_a:
        return charger
    return replace(charger, ceiling_a=ceiling_a, ceiling_cause=cause)


def open_switch(pcc: MeterState, at: datetime) -> MeterState:
    """An open switch carries nothing; its registers stand."""
    none = Reading(value=0.0, quality=Quality.ESTIMATED, at=at)
    return replace(pcc, power_w=none, current_a=(none, none, none))


def _ceilings(
    snapshot: SiteSnapshot, here: Island, policy: IslandPolicy
) -> Iterator[tuple[str, float]]:
    """By EVSE, A: the power that is left goes to the critical ones first, then by rank.

    Who needs nothing more comes last; who would get less than its minimum gets nothing.
    """
    needs = {need.evse_id: need for need in snapshot.needs}
    left_w = here.bearable_w

    def order(charger: ChargerState) -> tuple[bool, bool, int, datetime, str]:
        need = needs.get(charger.spec.evse_id)
        name, critical = charger.spec.evse_id, is_critical(charger, need, policy)
        if need is None:
            return not critical, True, 0, snapshot.at, name
        return not critical, need.required_wh <= 0, need.rank, need.departure, name

    for charger in sorted((one for one in snapshot.chargers if _fed(one, policy)), key=order):
        spec, need = charger.spec, needs.get(charger.spec.evse_id)
        w_per_a = spec.voltage_v * len(spec.phases)
        shed = here.stage is Stage.CRITICAL and not is_critical(charger, need, policy)
        most_w = spec.max_current_a * w_per_a
        if need is not None:
            most_w = min(most_w, need.max_power_w)
        given_w = 0.0 if shed or not _present(charger) else min(most_w, left_w)
        if given_w < spec.min_current_a * w_per_a:
            given_w = 0.0
        left_w -= given_w
        yield spec.evse_id, given_w / w_per_a


def _fed(charger: ChargerState, policy: IslandPolicy) -> bool:
    return policy.fed is None or charger.spec.evse_id in policy.fed


def _cut(charger: ChargerState) -> ChargerState:
    """A charger on the dead side of the switch draws nothing, whatever it was allowed."""
    if charger.online:  # it has power after all, or a supply of its own for talking
        return lowered(charger, 0.0, f"{AWAY}, and no island feeds it")
    spec = replace(charger.spec, fail_safe_current_a=0.0)
    return replace(charger, spec=spec, confirmed_limit_a=None)


def _present(charger: ChargerState) -> bool:
    return charger.plugged or charger.transaction_id is not None
