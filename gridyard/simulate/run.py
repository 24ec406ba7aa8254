"""One night on a virtual clock: things happen, the agent decides, physics go on in between.

Whatever happens (a vehicle, a load, a limit) is seen half a second later, as a meter that is polled
four times a second and a loop that wakes show it, and decided upon then; falls of limits are in
force at once, rises a second later. Around such instants physics run in steps of half a second, so
that time above a limit is measured as it would be; else in one step up to the next decision.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gridyard.simulate.equipment import Outlet
from gridyard.simulate.measure import Recorder, Result
from gridyard.simulate.night import Night, Visit
from gridyard.simulate.people import ByList, ByTurns, People, Yard
from gridyard.simulate.scenario import Case, EventSettings
from gridyard.simulate.strategies import Guide, Strategy, decided
from gridyard.simulate.world import World
from site_agent.domain.device import ChargerState
from site_agent.domain.fleet.agreed import FleetVehicle, LeavesAt, Target, need_of
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.policy import ControlPolicy
from site_agent.domain.protect.envelope import Bound, Envelope, Limit, Side, combine
from site_agent.domain.protect.limits import standing_limits
from site_agent.domain.site import ROOT, SiteModel
from site_agent.flows.control.triage import Triaging

SEEN_S = 0.5
"""From something happening to the decision upon it."""
RISE_S = 1.0
"""From a decision to its rises."""
FINE_S = 0.5
_FINE_FOR_S = 3.0
_AGAIN_S = (SEEN_S, 2.0, 16.0, 75.0)
"""After something happened it is decided at these times: rises wait for proof, and pauses last."""
_LOOK_S = 60.0
"""How often people look round the yard."""
_NEAR = 0.5
"""Share of the margin that, once spent, is answered at once."""
_SUNNY_STEP_S = 10.0
"""Longest step while clouds may move the meter."""
_NEAR_STEP_S = 5.0
"""Longest step while so much of the margin is spent."""
_MORE_SHARE = 0.0005
"""Of the limit: so much more since the last decision is decided upon anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is."""

    done: float
    """0 to 1."""


class Simulation:
    """One run of one strategy through one night."""

    def __init__(
        self,
        case: Case,
        night: Night,
        strategy: Strategy,
        guide: Callable[[Simulation], Guide] | None = None,
    ) -> None:
        self.case = case
        self.night = night
        self.strategy = strategy
        self.model: SiteModel = case.site.model()
        self.policy = _policy(case)
        self.world = World(self.model, night, case.direct)
        self.recorder = Recorder(
            self.model.contract_limit_w,
            {node.node_id: node.limit_a for node in self.model.nodes if node.node_id != ROOT},
        )
        self.limits: dict[int, Limit] = {}
        """Events in force, beside the standing limits."""
        self._happenings: list[tuple[float, int, Callable[[], None]]] = []
        self._ties = itertools.count()
        self._decide_at: list[float] = []
        self._fine_until = self._decided_w = 0.0
        self.decisions = 0
        self.decide_s = 0.0
        self.yard = Yard(self.world, night, case.settings.yard, self._people(), self._later)
        self.envelope = self._envelope()
        self._triaging = Triaging(self.policy)
        self._guide = None if guide is None else guide(self)
        self._plan_happenings()

    # --- the clock ---------------------------------------------------------------------------

    def run(self, tell: Callable[[Progress], None] | None = None) -> Result:
        """To the end of the scenario."""
        started = time.perf_counter()
        end_s = self.case.settings.hours * 3600.0
        told = 0
        while self.world.t_s < end_s - 1e-6:
            self._happen()
            if self._decide_at and self._decide_at[0] <= self.world.t_s + 1e-6:
                self._decide()
            self._step(end_s)
            if tell is not None and self.world.t_s >= told * end_s / 100.0:
                told += 1
                tell(Progress(done=self.world.t_s / end_s))
        return self._result(time.perf_counter() - started)

    def _later(self, after_s: float, what: Callable[[], None]) -> None:
        self._at(self.world.t_s + after_s, what)

    def _at(self, at_s: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._happenings, (at_s, next(self._ties), what))

    def _happen(self) -> None:
        """Everything that is due; then it is decided soon."""
        due = False
        while self._happenings and self._happenings[0][0] <= self.world.t_s + 1e-6:
            heapq.heappop(self._happenings)[2]()
            due = True
        if due and self.world.changed:
            self.world.changed = False
            self._stir()

    def _stir(self) -> None:
        """Something is different: look closely, decide soon and again."""
        now_s = self.world.t_s
        self._fine_until = max(self._fine_until, now_s + _FINE_FOR_S)
        soon = {round(now_s + after, 3) for after in _AGAIN_S}
        self._decide_at = sorted({*self._decide_at, *soon})

    def _step(self, end_s: float) -> None:
        now_s = self.world.t_s
        until_s = min(
            end_s,
            self._happenings[0][0] if self._happenings else end_s,
            self._decide_at[0] if self._decide_at else end_s,
        )
        if now_s < self._fine_until and self.world.most_w > self._near_w:
            until_s = min(until_s, now_s + FINE_S)
        elif self.world.import_w > self._near_w:
            until_s = min(until_s, now_s + _NEAR_STEP_S)
        elif self.world.pv_w < 0:
            until_s = min(until_s, now_s + _SUNNY_STEP_S)
        dt_s = max(1e-3, until_s - now_s)
        self.world.advance(dt_s)
        self.recorder.note(self.world, dt_s)
        more_w = self.world.import_w - max(self._near_w, self._decided_w)
        if more_w > _MORE_SHARE * self.model.contract_limit_w:
            soon_s = round(self.world.t_s + SEEN_S, 3)
            self._decide_at = sorted({*self._decide_at, soon_s})

    @property
    def _near_w(self) -> float:
        limit_w = self.envelope.import_w.value
        return limit_w - abs(limit_w) * self.policy.margin_share * _NEAR

    # --- deciding ----------------------------------------------------------------------------

    def _decide(self) -> None:
        now_s = self.world.t_s
        self._decide_at = [at for at in self._decide_at if at > now_s + 1e-6]
        regular = now_s + self.case.settings.cycle_s
        if not self._decide_at or self._decide_at[0] > regular:
            self._decide_at.insert(0, regular)
        self._decided_w = self.world.import_w
        if not self.strategy.controls:
            self.world.free()
            return
        started = time.perf_counter()
        states = self.world.states()
        snapshot = self.world.snapshot(states, tuple(self._needs(states)))
        since = {
            guest.evse_id: guest.since or snapshot.at
            for guest in self.yard.here.values()
            if guest.evse_id is not None
        }
        chosen = None if self.strategy.order else self._triaging.now(snapshot, self.envelope)
        decision = decided(
            self.strategy, snapshot, self.envelope, self.policy, since, self._guide, chosen
        )
        self.decide_s += time.perf_counter() - started
        self.decisions += 1
        if self.world.apply(decision):
            self._fine_until = max(self._fine_until, now_s + _FINE_FOR_S)
        if self.world.rising:
            self._later(RISE_S, self.world.rise)

    def _needs(self, states: Iterable[ChargerState]) -> Iterator[VehicleNeed]:
        """By `need_of`, as the agent does; a plug that is wanted for another ends a stay."""
        now = self.world.now
        of = {state.spec.evse_id: state for state in states}
        for guest in self.yard.here.values():
            if guest.evse_id is None:
                continue
            state = of[guest.evse_id]
            until = self.yard.people.until(self.yard, guest)
            agreed = agreed_for(guest.visit, self.world.outlets[guest.evse_id], until)
            yield need_of(agreed, state, guest.since or now, now, known=guest.visit.known)

    def _envelope(self) -> Envelope:
        return combine([*standing_limits(self.model), *self.limits.values()])

    def room_w(self) -> float:
        """What vehicles may draw together, as the yard list counts on it, W."""
        margin = 1.0 - self.policy.margin_share
        return self.envelope.import_w.value * margin - self.world.building_w - self.world.pv_w

    # --- what happens ------------------------------------------------------------------------

    def _people(self) -> People:
        if not self.strategy.listed:
            return ByTurns()
        return ByList(self.night.visits, self.room_w, self.case.zone)

    def _plan_happenings(self) -> None:
        for visit in self.night.visits:
            self._at(self._seconds(visit.arrives), self._arrival(visit))
            self._at(self._seconds(visit.departs), self._departure(visit))
        end_s = self.case.settings.hours * 3600.0
        for edge_s in building_edges(self.night, end_s):
            self._at(edge_s, self.world.stir)
        for number, event in enumerate(self.case.settings.events):
            self._plan_event(number, event)
        for at_s in _every(_LOOK_S, end_s):
            self._at(at_s, self.yard.look)
        self._decide_at = [0.0]

    def _seconds(self, at: datetime) -> float:
        return (at - self.night.begin).total_seconds()

    def _arrival(self, visit: Visit) -> Callable[[], None]:
        return lambda: self.yard.arrive(visit)

    def _departure(self, visit: Visit) -> Callable[[], None]:
        return lambda: self.yard.leave(visit)

    def _plan_event(self, number: int, event: EventSettings) -> None:
        begin = self.case.settings.begin + timedelta(days=event.day)
        at_s = self._seconds(self.case.next_at(event.at, begin))
        for when_s, holds in ((at_s, True), (at_s + event.for_min * 60.0, False)):
            self._at(when_s, lambda holds=holds: self._event(number, event, holds))  # type: ignore[misc]  # bound at once

    def _event(self, number: int, event: EventSettings, holds: bool) -> None:
        if event.kind == "charger_offline" and event.evse is not None:
            self.world.set_online(event.evse, online=not holds)
            lease_s, evse = self.case.site.ocpp.lease_s, event.evse
            self._later(lease_s, lambda: self.world.lapse(evse))
        elif event.kind == "import_limit":
            self.limits.pop(number, None)
            if holds:
                bound = Bound(value=event.value_w, cause=f"the event of {event.at}")
                self.limits[number] = Limit(side=Side.IMPORT, bound=bound, event=True)
            self.envelope = self._envelope()
        self.world.stir()

    # --- the result --------------------------------------------------------------------------

    def _result(self, wall_s: float) -> Result:
        for guest in list(self.yard.here.values()):
            if guest.visit.departs <= self.case.end:
                self.yard.leave(guest.visit)
        recorder, world = self.recorder, self.world
        return Result(
            scenario=self.case.settings.name,
            strategy=self.strategy.name,
            seed=self.night.seed,
            begin=self.night.begin,
            left=tuple(sorted(self.yard.left, key=lambda one: (one.departs, one.vehicle_id))),
            stays=tuple(self.yard.stays),
            limit_w=self.model.contract_limit_w,
            demand_w=float(recorder.demand_w().max(initial=0.0)),
            peak_w=recorder.power.most,
            over_s=recorder.power.longest_s,
            over_total_s=recorder.power.total_s,
            nodes_over_s=max((one.longest_s for one in recorder.nodes.values()), default=0.0),
            import_wh=recorder.import_wh,
            export_wh=recorder.export_wh,
            pv_wh=sum(roof.pv.generated_wh for roof in world.roofs),
            pv_used_wh=sum(roof.pv.generated_wh for roof in world.roofs) - recorder.export_wh,
            charged_wh=sum(outlet.evse.register_wh for outlet in world.outlets.values()),
            swaps=self.yard.swaps,
            decisions=self.decisions,
            decide_s=self.decide_s,
            wall_s=wall_s,
            quarters_w=tuple(float(one) for one in recorder.demand_w(rolling=False)),
            trace=recorder.trace,
        )


def agreed_for(visit: Visit, outlet: Outlet, until: datetime) -> FleetVehicle:
    """What the fleet's table says of it; its capacity is counted at the plug, losses included."""
    vehicle = visit.vehicle
    return FleetVehicle(
        vehicle_id=visit.visit_id,
        departure=LeavesAt(instant=until),
        target=Target(
            soc_pct=visit.required_soc_pct,
            capacity_wh=vehicle.capacity_wh / vehicle.efficiency,
            arrival_soc_pct=vehicle.soc_pct,
        ),
        max_power_w=vehicle.max_dc_w if outlet.dc else vehicle.max_ac_w,
        rank=visit.rank,
    )


def building_edges(night: Night, end_s: float) -> Iterator[float]:
    """When loads of the building come on or go off."""
    for step in night.building.steps:
        at_s = step.at_s
        while at_s < end_s:
            yield at_s
            yield at_s + step.for_s
            if step.every_s is None:
                break
            at_s += step.every_s


def _every(seconds: float, end_s: float) -> Iterator[float]:
    return (number * seconds for number in range(1, int(end_s // seconds)))


def _policy(case: Case) -> ControlPolicy:
    margin = case.settings.margin_share
    return ControlPolicy() if margin is None else replace(ControlPolicy(), margin_share=margin)
