"""Who guides the agent in a run: its plan, or its own rules, from forecasts that may be wrong.

A plan is made every quarter of an hour from what the agent would know: the building as it usually
is (not this seed's), a sky of usual clouds, the roster's arrivals and needs, and the yard list's
places. Nothing of the night that is simulated is told beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from depot_sim.physics.sky import DriftingSky, RealSky, Sky
from gridyard.simulate.people import ByList
from site_agent.domain.decide.guidance import NO_GUIDANCE, Guidance
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.horizon import Horizon, Series
from site_agent.domain.plan.compose import Fleet, Outlook, Prices, compose
from site_agent.domain.plan.guide import guidance_at
from site_agent.domain.plan.limits import envelopes_over
from site_agent.domain.plan.policy import PlanPolicy
from site_agent.domain.plan.rolling import RollingDemand
from site_agent.domain.plan.schedule import Schedule
from site_agent.domain.plan.solve import NoPlanError, PlanSolver
from site_agent.domain.protect.envelope import Envelope
from site_agent.domain.rules.defaults import DEFAULT_RULES
from site_agent.domain.site import SiteSnapshot
from site_agent.domain.tariff.demand import DemandRecord
from site_agent.domain.tariff.tariff import Tariff
from site_agent.flows.plan.rules import SiteRules, tariff_prices

if TYPE_CHECKING:
    from gridyard.simulate.run import Simulation
    from gridyard.simulate.strategies import Guide

_EVERY = timedelta(minutes=15)
_OVERCAST = 0.75
"""What a closed cover takes, as `depot_sim.physics.sky` has it."""
_HALF = 0.5


def rules_guide(simulation: Simulation, tariff: Tariff) -> Guide:
    """The rules of a site that has written none, above no plan."""
    return SiteRules(DEFAULT_RULES, simulation.case.zone, prices=tariff_prices(tariff)).guide


class PlanGuide:
    """Plans as the agent does, and says what the plan wishes."""

    def __init__(self, simulation: Simulation, tariff: Tariff) -> None:
        self._simulation = simulation
        self._tariff = tariff
        self._policy = PlanPolicy()
        self._solver = PlanSolver()
        self._record = DemandRecord()
        self._drawn = RollingDemand(tariff.demand_interval)
        self._latest: Schedule | None = None
        self._there: frozenset[tuple[str, str]] = frozenset()
        self.plans = 0
        self.failures = 0

    def __call__(self, snapshot: SiteSnapshot, envelope: Envelope) -> Guidance:
        """`strategies.Guide`."""
        power_w = snapshot.pcc.power_w.value
        self._record = self._record.counted(self._tariff, snapshot.at, power_w)
        self._drawn.add(snapshot.at, power_w)
        there = frozenset((need.evse_id, need.vehicle_id) for need in snapshot.needs)
        old = self._latest is None or snapshot.at - self._latest.made_at >= _EVERY
        if old or there != self._there:
            self._there = there
            self._plan(snapshot, envelope)
        if self._latest is None:
            return NO_GUIDANCE
        return guidance_at(self._latest, snapshot, snapshot.at, self._drawn)

    def _plan(self, snapshot: SiteSnapshot, envelope: Envelope) -> None:
        horizon = Horizon.around(snapshot.at, self._policy.length)
        envelopes = envelopes_over(snapshot.model, horizon, snapshot.at)
        if envelope.event:
            envelopes = (envelope, *envelopes[1:])
        self.plans += 1
        try:
            problem = compose(
                snapshot,
                horizon,
                self._outlook(horizon),
                Prices(tariff=self._tariff),
                envelopes,
                fleet=Fleet(expected=tuple(self._expected())),
                record=self._record,
                policy=self._policy,
            )
            self._latest = self._solver.plan(problem)
        except NoPlanError:
            self.failures += 1

    def _outlook(self, horizon: Horizon) -> Outlook:
        """The building as it usually is, with its loads as their mean; PV under usual clouds."""
        simulation = self._simulation
        middles = [
            (start - simulation.night.begin + horizon.step * _HALF).total_seconds()
            for start in horizon
        ]
        building = replace(
            simulation.night.building,
            base_w=simulation.case.settings.building.base_w,
            swing_w=0.0,
            steps=(),
        )
        steps_w = sum(
            step.power_w * step.for_s / step.every_s
            for step in simulation.case.settings.building.steps
            if step.every_s is not None
        )
        building_w: Series = np.array([building.power_w(at) + steps_w for at in middles])
        pv_w: Series = np.zeros(horizon.count)
        for roof in simulation.world.roofs:
            sky, share = self._usual(roof.pv.sky)
            pv_w -= np.array([roof.spec.rated_w * sky.share(at) * share for at in middles])
        return Outlook(building_w=building_w, pv_w=pv_w)

    def _usual(self, sky: Sky) -> tuple[Sky, float]:
        """A sky without this seed's clouds, and the part of it that usual clouds leave."""
        if isinstance(sky, RealSky):
            cover = sum(self._simulation.case.settings.cover) / 2
            return replace(sky, cover=0.0), 1.0 - _OVERCAST * cover
        if isinstance(sky, DriftingSky):
            return replace(sky, swing=0.0), 1.0
        return sky, 1.0

    def _expected(self) -> Iterator[ExpectedStay]:
        """Who is not plugged in yet, where and when the yard list has it."""
        people = self._simulation.yard.people
        if not isinstance(people, ByList):
            return
        here = self._simulation.yard.here
        of = {visit.visit_id: visit for visit in self._simulation.night.visits}
        powers: Mapping[str, tuple[bool, float]] = {
            name: (outlet.dc, outlet.evse.rated_w)
            for name, outlet in self._simulation.world.outlets.items()
        }
        for stay in people.list.stays:
            visit, guest = of[stay.vehicle_id], here.get(stay.vehicle_id)
            if guest is not None and guest.evse_id is not None:
                continue
            dc, rated_w = powers[stay.evse_id]
            most_w = min(rated_w, visit.vehicle.max_dc_w if dc else visit.vehicle.max_ac_w)
            required_wh = visit.expected_wh if guest is None else guest.missing_wh
            if stay.until > stay.since and required_wh > 0:
                yield ExpectedStay(
                    vehicle_id=stay.vehicle_id,
                    arrives=stay.since,
                    departs=stay.until,
                    required_wh=required_wh,
                    max_power_w=most_w,
                    evse_id=stay.evse_id,
                    rank=visit.rank,
                )
