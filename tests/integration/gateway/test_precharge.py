"""What the gateway tells of an event to come is all that a site needs to charge before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from contracts.days import Days
from contracts.series import StepSeries
from contracts.site_link.messages import Instruction, InstructionState
from contracts.time import Interval
from gateway.domain.dispatch import AllocatedStep, DispatchPlan, SiteAllocation
from gateway.domain.event import GridEvent, Signal, SignalKind
from gateway.flows.sites import instructions as wire
from site_agent.domain.horizon import Horizon
from site_agent.domain.plan.compose import Outlook, Prices, compose
from site_agent.domain.plan.limits import envelopes_over
from site_agent.domain.plan.schedule import Schedule
from site_agent.domain.plan.solve import PlanSolver
from site_agent.domain.tariff.tariff import EnergySchedule, PriceStep, Tariff
from site_agent.flows.orders.acceptance import in_domain_words
from support.site import NOON, charger, need, snapshot

HOUR = timedelta(hours=1)
BUILDING_W = 10_000.0
EVENT = Interval.lasting(NOON + 2 * HOUR, 2 * HOUR)
HORIZON = Horizon.around(NOON, 12 * HOUR)

TARIFF = Tariff(
    name="flat",
    currency="EUR",
    zone=ZoneInfo("UTC"),
    energy=(EnergySchedule(name="all", days=Days(), steps=(PriceStep(minute=0, per_kwh=0.2),)),),
)


def told() -> Instruction:
    """Two hours ahead: nothing but the building from then on."""
    event = GridEvent(
        utility_id="u1",
        event_id="e1",
        modification=0,
        program_id="relief",
        created_at=NOON,
        window=EVENT,
        signals=(Signal(kind=SignalKind.DELTA_W, series=StepSeries.of([(EVENT, -20_000.0)])),),
    )
    step = AllocatedStep(interval=EVENT, reduction_w=20_000.0, limit_w=BUILDING_W)
    allocation = SiteAllocation(site_id="depot-1", steps=(step,), cause="fair share")
    plan = DispatchPlan(
        event_key=event.key,
        modification=0,
        revision=1,
        created_at=NOON,
        reason="new event",
        target=StepSeries.of([(EVENT, 20_000.0)]),
        allocations=(allocation,),
        shortfall=StepSeries(),
    )
    assert EVENT.end is not None
    return wire.instruction(plan, allocation, event, now=NOON, expires_at=EVENT.end)


def planned(*instructions: Instruction) -> Schedule:
    """Power is dear until the event: nobody would charge early for its price."""
    here = snapshot(chargers=[charger("a")], needs=[need("a", wh=22_000.0, hours=4.5)])
    held = tuple(in_domain_words(one, InstructionState.STORED) for one in instructions)
    found = compose(
        here,
        HORIZON,
        Outlook(building_w=HORIZON.filled(BUILDING_W), pv_w=HORIZON.filled(0.0)),
        Prices(tariff=TARIFF),
        envelopes_over(here.model, HORIZON, NOON, held),
    )
    dear = HORIZON.share(NOON, EVENT.start) > 0
    return PlanSolver().plan(replace(found, import_per_kwh=np.where(dear, 0.40, 0.20)))


@pytest.mark.row("portfolio:A11")
def test_a_site_that_is_told_of_an_event_charges_before_it() -> None:
    def before_wh(schedule: Schedule) -> float:
        (vehicle,) = schedule.vehicles
        return schedule.planned_wh(vehicle.power_w, EVENT.start)

    assert before_wh(planned()) == pytest.approx(0.0, abs=10.0)
    schedule = planned(told())
    assert before_wh(schedule) > 10_000.0
    assert schedule.shortfalls == ()
    during = HORIZON.share(EVENT.start, EVENT.end or EVENT.start) > 0
    assert schedule.net_w[during].max() <= BUILDING_W + 1.0


def test_nothing_is_imposed_before_the_event() -> None:
    assert [step.start for step in told().steps] == [EVENT.start]
