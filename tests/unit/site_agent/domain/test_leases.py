"""The list of what every device does without an agent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from site_agent.domain.device import Lapse
from site_agent.domain.leases import leases
from site_agent.flows.report.notices import KEEPS_SETPOINT, conditions
from support import site

pytestmark = pytest.mark.row("truth:L3")


def test_each_device_is_listed_with_its_time_and_what_it_falls_to() -> None:
    charger = site.charger(replace(site.charger_spec(), lapses_after=timedelta(minutes=5)))
    stored = site.battery()
    battery = replace(stored, spec=replace(stored.spec, lapses_after=timedelta(seconds=30)))
    made = site.pv(rated_w=40_000)
    inverter = replace(made, spec=replace(made.spec, lapses_after=timedelta(seconds=60)))
    depot = site.snapshot(chargers=[charger], batteries=[battery], pv_states=[inverter])
    told = {one.device_id: one for one in leases(depot)}
    assert told["a"].within == timedelta(minutes=5)
    assert told["a"].then == "6 A a phase"
    assert told["battery"].within == timedelta(seconds=30)
    assert told["battery"].then == "0 W"
    assert told["pv"].within == timedelta(seconds=60)
    assert all(one.lapses and not one.cost for one in told.values())


def test_one_that_does_not_let_go_says_what_it_costs_and_raises_a_notice() -> None:
    keeper = replace(site.charger(), lapse=Lapse.NONE)
    battery = site.battery(lapse=Lapse.NONE)
    inverter = site.pv(pv_id="roof")
    inverter = replace(inverter, spec=replace(inverter.spec, lapse=Lapse.UNKNOWN))
    depot = site.snapshot(chargers=[keeper], batteries=[battery], pv_states=[inverter])
    for one in leases(depot):
        assert not one.lapses
        assert one.within is None
        assert one.cost
    raised = conditions(depot, {}, ())
    kept = {subject for code, subject in raised if code == KEEPS_SETPOINT}
    assert kept == {"battery", "roof"}


def test_what_takes_no_setpoints_holds_no_lease() -> None:
    depot = site.snapshot(pv_states=[site.pv(takes_limits=False)])
    assert leases(depot) == ()
