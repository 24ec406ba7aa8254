"""Keeps the site's plan: made anew every few minutes, and at once when something changes.

The control loop asks it every cycle what the plan wishes (`Planner.__call__`); that also tells it
what is measured. Plans are made in a thread, one at a time, from frozen values. A plan is advice:
whatever goes wrong with it is told, and the site goes on without.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import structlog

from contracts.errors import TransientError
from contracts.series import StepSeries
from contracts.tasks import first_of
from contracts.time import Clock
from site_agent.domain.decide.guidance import Guidance
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.domain.horizon import Horizon
from site_agent.domain.plan.compose import Fleet, Outlook, Prices, compose
from site_agent.domain.plan.guide import guidance_at
from site_agent.domain.plan.limits import envelopes_over
from site_agent.domain.plan.policy import PlanningChoices
from site_agent.domain.plan.problem import Problem
from site_agent.domain.plan.rolling import RollingDemand
from site_agent.domain.plan.schedule import Schedule
from site_agent.domain.plan.solve import NoPlanError, PlanSolver
from site_agent.domain.protect.envelope import Envelope
from site_agent.domain.protect.telecontrol import Standing
from site_agent.domain.site import SiteSnapshot
from site_agent.domain.tariff.demand import DemandRecord
from site_agent.domain.tariff.tariff import Tariff
from site_agent.flows.orders.instructions import Instructions
from site_agent.flows.plan.change import Situation, situation
from site_agent.flows.plan.memory import record_of, record_text, schedule_of, schedule_text
from site_agent.ports import KeyValues

log = structlog.get_logger(__name__)

PLAN_KEY = "planning/plan"
RECORD_KEY = "planning/demand"
_SPACING_S = 2.0
"""Between two plans: what changes together is planned together, and fleet systems tell much."""
_SOON = timedelta(hours=1)
"""PV that is measured now is expected for so long, where nobody forecasts it."""
_NO_GUIDANCE = Guidance()


def _nobody(horizon: Horizon) -> Sequence[ExpectedStay]:
    del horizon
    return ()


def _no_market() -> StepSeries | None:
    return None


def _no_orders() -> Sequence[Standing]:
    return ()


def _unknown_batteries() -> Mapping[str, float]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSources:
    """Who knows what a plan needs beside the snapshot; each is quick."""

    outlook: Callable[[Horizon], Outlook] | None = None
    """Forecasts of building and PV; None: what is measured now goes on."""
    stays: Callable[[Horizon], Sequence[ExpectedStay]] = _nobody
    """Vehicles to come."""
    capacity_wh: Callable[[], Mapping[str, float]] = _unknown_batteries
    """Of vehicles' batteries, by vehicle id."""
    market: Callable[[], StepSeries | None] = _no_market
    """Market prices per kWh, for a dynamic tariff."""
    orders: Callable[[], Sequence[Standing]] = _no_orders
    """What the network operator asks for now."""


class Planner:
    """`flows.control.control_loop.Guide`, by a plan. Call `load` before anything else."""

    def __init__(
        self,
        tariff: Tariff,
        instructions: Instructions,
        memory: KeyValues,
        clock: Clock,
        sources: PlanSources | None = None,
        choices: PlanningChoices | None = None,
    ) -> None:
        self._tariff = tariff
        self._instructions = instructions
        self._memory = memory
        self._clock = clock
        self._sources = sources or PlanSources()
        self._choices = choices or PlanningChoices()
        self._solver = PlanSolver()
        self._changed = asyncio.Event()
        self._snapshot: SiteSnapshot | None = None
        self._situation: Situation | None = None
        self._record = DemandRecord()
        self._drawn = RollingDemand(tariff.demand_interval)
        self.latest: Schedule | None = None
        """The newest plan."""
        self.problem: Problem | None = None
        """What it was made from; None after a restart, until the next."""
        self.market: StepSeries | None = None
        """The market prices it was made for; None: the tariff's own, or after a restart."""
        self.failure: str = ""
        """Why the last attempt gave no plan; empty: it gave one."""

    async def load(self) -> None:
        """Take up the plan and the month's demand from before a restart."""
        try:
            plan, record = await self._memory.get(PLAN_KEY), await self._memory.get(RECORD_KEY)
            self.latest = None if plan is None else schedule_of(plan, self._tariff.zone)
            self._record = (None if record is None else record_of(record)) or DemandRecord()
        except (ValueError, KeyError, TypeError) as error:
            log.warning("the plan from before cannot be read; a new one is made", why=str(error))

    def wake(self) -> None:
        """Plan anew at once: a roster, a price or a forecast has changed."""
        self._changed.set()

    def __call__(self, snapshot: SiteSnapshot, envelope: Envelope) -> Guidance:
        """What the plan wishes now; takes note of what is measured."""
        del envelope  # limits of the coming hours come from instructions and orders
        self._heed(snapshot)
        if self.latest is None:
            return _NO_GUIDANCE
        return guidance_at(self.latest, snapshot, snapshot.at, self._drawn)

    async def run(self) -> None:
        """Plan until cancelled."""
        while True:
            self._changed.clear()
            await self.plan()
            await self._clock.sleep(_SPACING_S)
            await first_of(self._clock.sleep(self._pause_s()), self._changed.wait())

    async def plan(self) -> None:
        """Make one plan now, if anything has been measured yet."""
        snapshot = self._snapshot
        if snapshot is None:
            return
        horizon = Horizon.around(snapshot.at, self._choices.policy.length)
        market = self._sources.market()
        try:
            work = self._work(snapshot, horizon, market)
            self.problem, self.latest = await asyncio.to_thread(work)
        except (NoPlanError, ValueError, ArithmeticError, LookupError) as error:
            self._failed(str(error))
            return
        if self.failure:
            log.info("planned again")
        self.failure, self.market = "", market
        await self._save()

    def _work(
        self, snapshot: SiteSnapshot, horizon: Horizon, market: StepSeries | None
    ) -> Callable[[], tuple[Problem, Schedule]]:
        """What the thread does, with all it needs read before it starts."""
        sources, policy, record = self._sources, self._choices.policy, self._record
        outlook = (sources.outlook or (lambda slots: as_measured(snapshot, slots)))(horizon)
        fleet = Fleet(expected=sources.stays(horizon), capacity_wh=sources.capacity_wh())
        prices = Prices(tariff=self._tariff, market=market)
        held, orders = tuple(self._instructions.held), tuple(sources.orders())

        def work() -> tuple[Problem, Schedule]:
            envelopes = envelopes_over(snapshot.model, horizon, snapshot.at, held, orders)
            problem = compose(
                snapshot,
                horizon,
                outlook,
                prices,
                envelopes,
                fleet=fleet,
                record=record,
                policy=policy,
            )
            return problem, self._solver.plan(problem)

        return work

    def _heed(self, snapshot: SiteSnapshot) -> None:
        """Count what is drawn, and see whether the situation is another one."""
        self._snapshot = snapshot
        power_w = snapshot.pcc.power_w.fresh(snapshot.at, snapshot.model.meter_max_age)
        self._record = self._record.counted(self._tariff, snapshot.at, power_w)
        self._drawn.add(snapshot.at, power_w)
        here = situation(snapshot, self._instructions.held, self._sources.orders())
        if here.differs(self._situation):
            self._changed.set()
        self._situation = here

    def _pause_s(self) -> float:
        """Until the next plan is due."""
        every_s = self._choices.every.total_seconds()
        return every_s if self._snapshot is not None else _SPACING_S

    def _failed(self, why: str) -> None:
        if why != self.failure:
            log.warning("no plan; vehicles charge as soon as there is power", why=why)
        self.failure = why

    async def _save(self) -> None:
        """So that a restart goes on with this plan."""
        if self.latest is None:
            return
        try:
            await self._memory.put(PLAN_KEY, await asyncio.to_thread(schedule_text, self.latest))
            await self._memory.put(RECORD_KEY, record_text(self._record))
        except TransientError as error:
            log.warning("plan not stored", why=str(error))


def as_measured(snapshot: SiteSnapshot, horizon: Horizon) -> Outlook:
    """The building goes on as it is measured, PV for an hour; the most of it with a stale meter."""
    now, model = snapshot.at, snapshot.model
    site_w = snapshot.pcc.power_w.fresh(now, model.meter_max_age)
    made_w = sum(one.power_w.fresh(now, model.device_max_age) or 0.0 for one in snapshot.pv)
    moved = [one.power_w for one in snapshot.chargers]
    moved += [one.power_w for one in snapshot.batteries]
    moved_w = sum(power.fresh(now, model.device_max_age) or 0.0 for power in moved)
    building_w = model.max_building_w
    if site_w is not None:
        building_w = max(0.0, site_w - moved_w - made_w)
    return Outlook(
        building_w=horizon.filled(building_w),
        pv_w=np.minimum(0.0, made_w) * horizon.share(now, now + _SOON),
    )
