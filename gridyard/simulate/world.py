"""The depot's physics on a virtual clock: chargers with vehicles, batteries, PV, building, meter.

The parts are `depot_sim.physics`, stepped here without sockets. A charger takes a fall of its limit
at once and a rise when it is applied; its vehicle follows as its physics say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from gridyard.simulate.equipment import (
    Roof,
    Store,
    battery_state,
    charger_state,
    outlet_of,
    pv_state,
    reading,
)
from gridyard.simulate.night import Night, Visit
from site_agent.domain.decide.control import Decision
from site_agent.domain.device import (
    PHASES,
    ChargerState,
    MeterState,
)
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.site import SiteModel, SiteSnapshot
from site_agent.domain.trust.belief import Belief

_SAME_A = 0.15
_JUST = 1e-6
"""What is noted at the end of a step has flowed in it."""
_SAME_W = 1.0


class World:
    """The depot at `now`; `advance` moves it."""

    def __init__(self, model: SiteModel, night: Night, dc: Iterable[str]) -> None:
        self.model = model
        self.begin = night.begin
        self.t_s = 0.0
        self._building = night.building
        direct = frozenset(dc)
        self.outlets = {
            spec.evse_id: outlet_of(model, spec, spec.evse_id in direct, night.begin)
            for spec in model.chargers
        }
        self.stores = [Store(spec, night.batteries[spec.battery_id]) for spec in model.batteries]
        self.roofs = [Roof(spec, night.pv[spec.pv_id]) for spec in model.pv]
        self.import_wh = 0.0
        self.export_wh = 0.0
        self._rising = False
        self.changed = False
        """Something happened since it was last looked at."""

    @property
    def now(self) -> datetime:
        """The instant."""
        return self.begin + timedelta(seconds=self.t_s)

    # --- what flows --------------------------------------------------------------------------

    @property
    def building_w(self) -> float:
        """What nobody controls, W; a load that comes on now is not yet there."""
        return self._building.power_w(self._noted_s)

    @property
    def _noted_s(self) -> float:
        return max(0.0, self.t_s - _JUST)

    @property
    def charging_w(self) -> float:
        """All vehicles together, W."""
        return sum(outlet.power_w for outlet in self.outlets.values())

    @property
    def storage_w(self) -> float:
        """All batteries together, W, charging positive."""
        return sum(store.battery.power_w for store in self.stores)

    @property
    def pv_w(self) -> float:
        """All inverters together, W, negative."""
        return sum(roof.pv.power_w for roof in self.roofs)

    @property
    def import_w(self) -> float:
        """At the PCC, W; negative: export."""
        return self.building_w + self.charging_w + self.storage_w + self.pv_w

    @property
    def most_w(self) -> float:
        """What the PCC may come to while limits are followed, W."""
        vehicles_w = sum(
            outlet.evse.rated_w
            * max(outlet.limit_a, outlet.told_a, outlet.evse.current_a)
            / outlet.evse.rated_a
            for outlet in self.outlets.values()
            if outlet.visit is not None
        )
        return vehicles_w + self.building_w + self.storage_w + self.pv_w

    def phases_a(self) -> tuple[float, float, float]:
        """Current of each phase at the PCC, A, import positive."""
        return self._phases_a(self._building.phases_w(self._noted_s))

    def _phases_a(self, building_w: tuple[float, float, float]) -> tuple[float, float, float]:
        shared_w = (self.storage_w + self.pv_w) / len(PHASES)
        amps = [(watts + shared_w) / self.model.voltage_v for watts in building_w]
        for outlet in self.outlets.values():
            if outlet.power_w:
                for phase in outlet.spec.phases[: outlet.evse.phases_in_use]:
                    amps[phase - 1] += outlet.evse.current_a
        return amps[0], amps[1], amps[2]

    def node_a(self) -> dict[str, float]:
        """Current of the most loaded phase of every node but the root, from chargers, A."""
        loads: dict[tuple[str, int], float] = {}
        for outlet in self.outlets.values():
            if outlet.evse.current_a:
                for node in outlet.nodes:
                    for phase in outlet.spec.phases[: outlet.evse.phases_in_use]:
                        key = (node, phase)
                        loads[key] = loads.get(key, 0.0) + outlet.evse.current_a
        worst: dict[str, float] = {}
        for (node, _), amps in loads.items():
            worst[node] = max(worst.get(node, 0.0), amps)
        return worst

    # --- what happens ------------------------------------------------------------------------

    def advance(self, dt_s: float) -> None:
        """The depot `dt_s` later."""
        for outlet in self.outlets.values():
            outlet.advance(dt_s)
        for store in self.stores:
            store.battery = store.battery.step(dt_s, setpoint_w=store.setpoint_w)
        self.t_s += dt_s
        for roof in self.roofs:
            roof.pv = roof.pv.step(self.t_s, dt_s, limit_w=roof.limit_w)

    def plug_in(self, visit: Visit, evse_id: str, soc_pct: float) -> None:
        """A vehicle is put on the cable."""
        outlet = self.outlets[evse_id]
        vehicle = replace(visit.vehicle, soc_pct=soc_pct)
        outlet.visit, outlet.reserved = visit, False
        outlet.evse = replace(outlet.evse, vehicle=vehicle)
        outlet.begun_wh = outlet.evse.register_wh
        self.changed = True

    def unplug(self, evse_id: str) -> float:
        """The cable is pulled; the vehicle's state of charge, %."""
        outlet = self.outlets[evse_id]
        soc_pct = outlet.soc_pct
        outlet.visit, outlet.rested_s = None, 0.0
        self.changed = True
        outlet.evse = replace(
            outlet.evse, vehicle=None, current_a=0.0, phases_in_use=0, obeyed_a=0.0, unheeded_s=0.0
        )
        return soc_pct

    # --- what is decided ---------------------------------------------------------------------

    def apply(self, decision: Decision) -> bool:
        """Falls at once; rises wait for `rise`. Whether anything changes."""
        changed = False
        for setpoint in decision.chargers:
            outlet = self.outlets[setpoint.evse_id]
            if not outlet.online or abs(setpoint.limit_a - outlet.told_a) < _SAME_A:
                continue
            changed = True
            outlet.told_a = setpoint.limit_a
            if setpoint.limit_a < outlet.limit_a:
                outlet.limit_a, outlet.since = setpoint.limit_a, self.now
            else:
                self._rising = True
        for store, power in zip(self.stores, decision.batteries, strict=True):
            if abs(power.power_w - store.setpoint_w) > _SAME_W:
                store.setpoint_w, store.since, changed = power.power_w, self.now, True
        for roof, limit in zip(self.roofs, decision.pv, strict=True):
            if limit.limit_w != roof.limit_w:
                roof.limit_w, roof.since, changed = limit.limit_w, self.now, True
        return changed

    @property
    def rising(self) -> bool:
        """Whether rises wait."""
        return self._rising

    def rise(self) -> None:
        """Falls are confirmed: what was to rise does."""
        self._rising = False
        for outlet in self.outlets.values():
            if outlet.told_a != outlet.limit_a and outlet.online:
                outlet.limit_a, outlet.since = outlet.told_a, self.now

    def free(self) -> None:
        """Every charger at its rating: nobody controls."""
        for outlet in self.outlets.values():
            if outlet.limit_a != outlet.spec.max_current_a:
                outlet.limit_a = outlet.told_a = outlet.spec.max_current_a
                outlet.since = self.now

    def set_online(self, evse_id: str, *, online: bool) -> None:
        """A charger's link is lost, or back: without it the last limit decays to its share."""
        outlet = self.outlets[evse_id]
        outlet.online = online
        if online:
            outlet.told_a = outlet.limit_a
        self.stir()

    def lapse(self, evse_id: str) -> None:
        """The lease of a charger that is still offline ends: it is left with its share."""
        outlet = self.outlets[evse_id]
        share_a = outlet.spec.fail_safe_current_a
        if not outlet.online and outlet.limit_a > share_a:
            outlet.limit_a = outlet.told_a = share_a

    def stir(self) -> None:
        """Something else has changed."""
        self.changed = True

    # --- what is seen ------------------------------------------------------------------------

    def states(self) -> tuple[ChargerState, ...]:
        """Every charger as its adapter would tell it."""
        now = self.now
        return tuple(charger_state(outlet, now) for outlet in self.outlets.values())

    def snapshot(
        self, chargers: tuple[ChargerState, ...], needs: tuple[VehicleNeed, ...]
    ) -> SiteSnapshot:
        """What the agent would know now, every reading fresh and true."""
        now = self.now
        return SiteSnapshot(
            at=now,
            model=self.model,
            pcc=self._meter(now),
            chargers=chargers,
            batteries=tuple(battery_state(store, now) for store in self.stores),
            pv=tuple(pv_state(roof, now) for roof in self.roofs),
            needs=needs,
            belief=self._belief(),
        )

    def _belief(self) -> Belief:
        """A true meter, of which the agent has learnt the building: limits make it no smaller."""
        shared_w = self.pv_w / len(PHASES)
        one, two, three = (
            (watts + shared_w) / self.model.voltage_v
            for watts in self._building.phases_w(self._noted_s)
        )
        return Belief(floor_w=self.building_w + self.pv_w, floor_a=(one, two, three))

    def _meter(self, now: datetime) -> MeterState:
        l1, l2, l3 = (reading(amps, now) for amps in self.phases_a())
        return MeterState(
            power_w=reading(self.import_w, now),
            current_a=(l1, l2, l3),
            import_wh=reading(self.import_wh, now),
        )
