"""Pauses, phases and chargers that can only be stopped."""

from __future__ import annotations

import pytest

from contracts.errors import PermanentError
from depot_sim.chargers.personality import Entry
from site_agent.domain.device import ChargerSetpoint
from support.leaping_clock import leaping
from support.ocpp_yard import Yard, yard
from support.waiting import until


@pytest.mark.row("pitfall:P3")
@pytest.mark.row("personality:rejects-zero")
@leaping
async def test_one_that_refuses_a_pause_is_held_at_its_minimum(spoken: str) -> None:
    async with yard(["rejects-zero"], ["good"], version=spoken) as there:
        there.evse(1).trial_a = 0.0
        await there.lasts(lambda: abs(there.amps(1) - 6) < 0.3, 10)
        assert there.seen(1).confirmed_limit_a == 6
        await until(lambda: not there.seen(1).pausable)
        there.worst_a = 0.0
        await there.passes(20)
        assert there.worst_a <= 40


@pytest.mark.row("pitfall:P3")
@pytest.mark.row("personality:stuck-suspended")
@pytest.mark.parametrize("remedy", ["clear-and-set", "remote-start"])
@leaping
async def test_a_vehicle_that_stays_suspended_is_woken(spoken: str, remedy: str) -> None:
    stuck: list[Entry] = [{"stuck-suspended": remedy}]
    async with yard(stuck, version=spoken) as there:
        evse = there.evse()
        await until(lambda: there.amps() > 10)
        evse.trial_a = 0.0
        await there.lasts(lambda: there.amps() < 0.5, 20)
        evse.trial_a = None
        await until(lambda: there.amps() > 10)
        await until(lambda: evse.knowledge.sticks)
        await until(lambda: not there.seen().pausable)  # and the next pause is the last resort


@pytest.mark.row("pitfall:P2")
@pytest.mark.row("personality:phase-switch")
@pytest.mark.row("personality:ignores-number-phases")
@leaping
async def test_a_phase_switch_does_not_break_the_worst_phase(spoken: str) -> None:
    """It draws 20 A on one phase under a limit of 16: excess, which the other one pays for."""
    switching: list[Entry] = [{"phase-switch": 20}, "watts-only"]
    async with yard(
        switching, ["good"], version=spoken, fuse_a=30, charger={"max_current_a": 16.0}
    ) as there:
        evse = there.evse(1)
        await until(lambda: there.seen(1).phases_used == 3)
        there.sims[0].unplug()
        await until(lambda: there.seen(1).transaction_id is None)
        assert there.seen(1).phases_used is None
        there.plug(1, phases=1, max_ac_w=7_360.0)
        await until(lambda: there.seen(1).phases_used == 1)
        evse.trial_a = 10.0
        # 10 A of one phase is 2300 W, not 6900: told by the phases in use
        await there.lasts(lambda: there.amps(1) <= 10.5 or not there.seen(1).obeys, 10)
        there.worst_a = 0.0
        await there.passes(30)
        assert there.worst_a <= 30


@pytest.mark.row("personality:no-profiles")
@leaping
async def test_one_without_profiles_is_counted_at_its_rating_and_can_be_stopped(
    spoken: str,
) -> None:
    async with yard(["no-profiles"], ["good"], version=spoken) as there:
        await until(lambda: there.amps(1) > 30)
        # 32 A of 40 are counted for it, so the other gets 8
        await there.lasts(lambda: 5 < there.amps(2) <= 8.5)
        there.worst_a = 0.0
        await there.passes(30)
        assert there.worst_a <= 40
        assert there.evse(1).can_stop
        with pytest.raises(PermanentError, match="only be stopped"):
            await ask(there, 10.0)
        await ask(there, 0.0)
        await until(lambda: there.amps(1) == 0)
        await until(lambda: there.seen(1).transaction_id is None)


async def ask(there: Yard, limit_a: float) -> None:
    setpoint = ChargerSetpoint(evse_id="evse-1", limit_a=limit_a, cause="test")
    await there.evse(1).set_limit(setpoint)
