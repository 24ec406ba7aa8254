"""A site cut off from the grid: its picture, its limits, and who may charge.

Batteries form the grid there, so their power is not a setpoint but the balance of everything else,
and nothing flows at the connection point, whatever its meter shows or does not show. What vehicles
may take together is what PV and batteries can bear beside the building (`bearable_w`): a limit on
load, which needs no meter. Each of them gets what keeps it on time, for nobody knows how long the
grid stays away: critical chargers first, then by rank. Only what PV makes beyond the building is
given freely.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import inf

from contracts.reading import Quality, Reading
from site_agent.domain.decide.battery import charge_available_w, discharge_available_w
from site_agent.domain.decide.demand import steady_w
from site_agent.domain.device import BatteryState, ChargerState, MeterState, PvState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.grid.stages import IslandPolicy, Stage
from site_agent.domain.protect.envelope import Bound, Limit, Side
from site_agent.domain.protect.estimate import Moment, Span, charger_power
from site_agent.domain.site import SiteSnapshot
from site_agent.domain.trust.belief import PLAIN

AWAY = "the grid is away"
_AIMED = 0.985
"""Of what it bears, what is shared out: a little less than the margin of the limit on load leaves,
so that critical chargers are not cut for it."""
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
    sun_w: float
    """Of it, what PV makes beyond the building, W, >= 0."""

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


def building_span(snapshot: SiteSnapshot, moment: Moment, *, alone: bool) -> Span | None:
    """What the building may draw by the balance of all others, W; None while a battery is silent.

    A span, as chargers may be on their way to a limit that their samples do not show yet. With a
    grid, what its meter shows counts; in an island (`alone`) nothing flows at the PCC.
    """
    now, max_age = snapshot.at, snapshot.model.device_max_age
    power_w = snapshot.pcc.power_w.fresh(now, snapshot.model.meter_max_age)
    if alone:
        power_w = 0.0
    if power_w is None or not snapshot.batteries:
        return None
    stored = [one.power_w.fresh(now, max_age) for one in snapshot.batteries]
    if any(power is None for power in stored):
        return None
    made = [_made(one, now, max_age) for one in snapshot.pv]
    drawn = [charger_power(one, moment) for one in snapshot.chargers if one.online]
    rest_w = power_w - sum(power or 0.0 for power in stored)
    return Span(
        low=rest_w + sum(one.low for one in made) - sum(one.high for one in drawn),
        high=rest_w + sum(one.high for one in made) - sum(one.low for one in drawn),
    )


def _made(inverter: PvState, now: datetime, max_age: timedelta) -> Span:
    """What PV makes, W as a magnitude; a silent inverter may make anything."""
    power_w = inverter.power_w.fresh(now, max_age)
    if power_w is None:
        return Span(low=0.0, high=inverter.spec.rated_w)
    return Span(low=-power_w, high=-power_w)


def held(before_w: float | None, span: Span | None) -> float | None:
    """The building's load: as before while that can be true, else the nearest that can."""
    if span is None or before_w is None:
        return before_w if span is None else span.high
    return min(max(before_w, span.low), span.high)


def island(
    snapshot: SiteSnapshot, stage: Stage, building_w: float | None, policy: IslandPolicy
) -> Island:
    """What this island can bear: batteries and PV less the building; in `Stage.SUN`, PV alone.

    `building_w`: None is not known, and then the largest that the settings know.
    """
    now, max_age = snapshot.at, snapshot.model.device_max_age
    made_w = sum(-min(0.0, one.power_w.fresh(now, max_age) or 0.0) for one in snapshot.pv)
    known_w = snapshot.model.max_building_w if building_w is None else building_w
    load_w = max(policy.building_w, known_w)
    sun_w = max(0.0, policy.pv_share * made_w - load_w)
    bearable_w = sun_w
    if stage is not Stage.SUN:
        stored_w = sum(discharge_available_w(one, now, max_age) for one in snapshot.batteries)
        stored_w *= 1.0 - policy.headroom_share
        bearable_w = max(0.0, policy.pv_share * made_w + stored_w - load_w)
    return Island(stage=stage, building_w=load_w, bearable_w=bearable_w, sun_w=sun_w)


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
        return replace(one, spec=spec, obeys=True, confirmed_w=None, in_force_since=None)

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


def limits(snapshot: SiteSnapshot, here: Island) -> Iterator[Limit]:
    """What an island imposes: no more load than it bears, and no export once batteries are full.

    Until then they take what PV makes, whatever they are told; a limit on PV would only hide what
    the sun gives. Batteries that give are told to go on with just what they give.
    """
    now, max_age = snapshot.at, snapshot.model.device_max_age
    cause = f"what PV and batteries bear ({here.words})"
    yield Limit(side=Side.LOAD, bound=Bound(value=here.bearable_w, cause=cause))
    moved_w = sum(one.power_w.fresh(now, max_age) or 0.0 for one in snapshot.batteries)
    takes_w = sum(charge_available_w(one, now, max_age) for one in snapshot.batteries)
    if moved_w < 0:
        balance = Bound(value=moved_w, cause="the balance of the island")
        yield Limit(side=Side.STORAGE, bound=balance)
    elif moved_w >= takes_w:
        full = f"the island ({AWAY}, and the batteries take no more)"
        yield Limit(side=Side.EXPORT, bound=Bound(value=0.0, cause=full))


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
    """By EVSE, A: what keeps vehicles on time, in their order; then the sun, in the same order.

    Who would get less than its minimum gets nothing.
    """
    needs = {need.evse_id: need for need in snapshot.needs}
    order = _order(snapshot, needs, policy)
    given: dict[str, float] = {}
    left_w = _AIMED * here.bearable_w
    for charger in order:
        need = needs.get(charger.spec.evse_id)
        shed = here.stage is Stage.CRITICAL and not is_critical(charger, need, policy)
        wanted_w = 0.0 if shed or need is None else steady_w(need, snapshot.at)
        given[charger.spec.evse_id] = _part_w(charger, need, wanted_w, left_w)
        left_w -= given[charger.spec.evse_id]
    sun_w = _AIMED * here.sun_w - sum(given.values())
    for charger in order:
        name, need = charger.spec.evse_id, needs.get(charger.spec.evse_id)
        more_w = _part_w(charger, need, inf, given[name] + max(0.0, sun_w))
        sun_w -= max(0.0, more_w - given[name])
        given[name] = max(given[name], more_w)
    for charger in snapshot.chargers:
        w_per_a = charger.spec.voltage_v * len(charger.spec.phases)
        yield charger.spec.evse_id, given.get(charger.spec.evse_id, 0.0) / w_per_a


def _part_w(
    charger: ChargerState, need: VehicleNeed | None, wanted_w: float, left_w: float
) -> float:
    """Of what is left, what it wants: its least or more up to what it can take, else nothing."""
    spec = charger.spec
    w_per_a = spec.voltage_v * len(spec.phases)
    least_w, most_w = spec.min_current_a * w_per_a, spec.max_current_a * w_per_a
    if need is not None:
        most_w = max(least_w, min(most_w, need.max_power_w))
    if wanted_w <= 0 or left_w < least_w:
        return 0.0
    return min(max(wanted_w, least_w), most_w, left_w)


def _order(
    snapshot: SiteSnapshot, needs: Mapping[str, VehicleNeed], policy: IslandPolicy
) -> list[ChargerState]:
    """Chargers with vehicles: critical ones first, then by rank and departure; the ready last."""

    def key(charger: ChargerState) -> tuple[bool, bool, int, datetime, str]:
        need = needs.get(charger.spec.evse_id)
        name, critical = charger.spec.evse_id, is_critical(charger, need, policy)
        if need is None:
            return not critical, True, 0, snapshot.at, name
        return not critical, need.required_wh <= 0, need.rank, need.departure, name

    here = (one for one in snapshot.chargers if _fed(one, policy) and _present(one))
    return sorted(here, key=key)


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
