"""What outlives a lease, a reboot, a restart of ours; what a second charger of a kind inherits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.errors import TransientError
from depot_sim.chargers.personality import Entry
from depot_sim.faults import FaultKind
from site_agent.devices.ocpp.central import CentralSystem
from site_agent.domain.device import Lapse
from site_agent.store.memory import MemoryKeyValues, MemorySessions
from support.leaping_clock import leaping
from support.ocpp_access import FEW
from support.ocpp_depot import station
from support.ocpp_yard import TIMING, Yard, yard
from support.waiting import until


async def probed(there: Yard) -> Lapse:
    """As a person would: again, when something came between."""
    evse = there.evse(1)
    evse.trial_a = 16.0
    await there.lasts(lambda: abs(there.amps(1) - 16) < 0.6, 10)
    for _ in range(4):
        try:
            return await evse.steering.probe_lease()
        except TransientError:
            await there.passes(5)
    raise AssertionError("no trial came to an end")


@pytest.mark.row("pitfall:P15")
@pytest.mark.row("personality:keeps-expired-profile")
@pytest.mark.row("safety:S2")
@leaping
async def test_one_that_keeps_an_expired_limit_is_found_by_a_probe(spoken: str) -> None:
    keeping: list[Entry] = ["keeps-expired-profile"]
    async with yard(keeping, version=spoken) as there:
        link = there.site.system.stations["CP1"].link
        assert link is not None
        link.capabilities = replace(link.capabilities, max_periods=1)  # no second period either
        await until(lambda: there.amps(1) > 30)
        assert await probed(there) is Lapse.NONE
        await until(lambda: there.seen(1).lapse is Lapse.NONE)
        assert there.notices()  # and a person is told


@pytest.mark.row("pitfall:P15")
@leaping
async def test_one_that_lets_go_is_known_to(spoken: str) -> None:
    memory = MemoryKeyValues()
    async with yard(["good"], version=spoken, memory=memory) as there:
        assert there.seen(1).lapse is Lapse.UNKNOWN
        assert await probed(there) is Lapse.DEVICE
        await there.lasts(lambda: abs(there.amps(1) - 16) < 0.6, 5)  # and is given its limit again
    async with yard(["good"], version=spoken, memory=memory, plugged=False) as another:
        assert another.seen(1).lapse is Lapse.DEVICE


@pytest.mark.row("pitfall:P15")
@pytest.mark.row("safety:S1")
@leaping
async def test_without_an_agent_the_sum_falls_to_the_fail_safe_shares(spoken: str) -> None:
    async with yard(["good"], ["keeps-expired-profile"], version=spoken, fuse_a=64) as there:
        await until(lambda: there.amps(1) > 30 and there.amps(2) > 25)
        begun = there.clock.now()
        there.stop()
        await until(lambda: there.amps(1) < 6.5 and there.amps(2) < 6.5)
        took_s = (there.clock.now() - begun).total_seconds()
        assert took_s < TIMING.patience_s + TIMING.lease_s + 60
        assert there.worst_a <= 64


@pytest.mark.row("personality:loses-profile-on-reboot")
@leaping
async def test_profiles_are_sent_again_after_a_reboot(spoken: str) -> None:
    async with yard(["loses-profile-on-reboot"], ["good"], version=spoken) as there:
        there.evse(1).trial_a = 10.0
        await there.lasts(lambda: abs(there.amps(1) - 10) < 0.6, 5)
        there.sims[0].fail(FaultKind.REBOOT, 5.0)
        await until(lambda: not there.seen(1).online)
        await until(lambda: there.seen(1).online and there.amps(1) > 5)
        await there.lasts(lambda: 5 < there.amps(1) <= 10.5, 10)
        assert there.seen(1).obeys


@pytest.mark.row("pitfall:P6")
@pytest.mark.row("personality:waits-next-tx")
@leaping
async def test_a_share_that_waits_for_the_next_transaction_is_not_relied_on(spoken: str) -> None:
    async with yard(["waits-next-tx"], version=spoken) as there:
        there.evse(1).trial_a = 10.0  # a TxProfile, which works at once
        await there.lasts(lambda: abs(there.amps(1) - 10) < 0.6, 10)
        there.evse(1).trial_a = 0.0
        await there.lasts(lambda: there.amps(1) < 0.5, 10)
        assert there.seen(1).obeys


@pytest.mark.row("pitfall:P4")
@pytest.mark.row("pitfall:P5")
@leaping
async def test_a_second_charger_of_a_kind_starts_where_the_first_got_to(spoken: str) -> None:
    memory = MemoryKeyValues()
    difficult: list[Entry] = ["rejects-max-stack", "watts-only", "rejects-zero"]
    async with yard(difficult, version=spoken, memory=memory) as there:
        there.evse(1).trial_a = 0.0
        await until(lambda: there.evse(1).knowledge.refuses_zero)
        await there.lasts(lambda: abs(there.amps(1) - 6) < 0.3, 5)
        learnt = there.evse(1).knowledge
    async with yard(difficult, version=spoken, memory=memory) as there:
        inherited = there.evse(1).knowledge
        assert inherited.lease == learnt.lease
        assert inherited.refuses_zero
        there.evse(1).trial_a = 10.0
        await there.lasts(lambda: abs(there.amps(1) - 10) < 0.6, 5)
        frames = there.site.system.stations["CP1"].trace.frames
        assert not [frame.text for frame in frames if "Rejected" in frame.text]


@pytest.mark.row("pitfall:P10")
@pytest.mark.row("personality:no-boot-on-reconnect")
@leaping
async def test_after_a_restart_of_ours_the_limit_in_force_is_known(spoken: str) -> None:
    memory, sessions = MemoryKeyValues(), MemorySessions()
    async with yard(
        ["no-boot-on-reconnect"], version=spoken, memory=memory, sessions=sessions
    ) as there:
        there.evse(1).trial_a = 14.0
        await there.lasts(lambda: abs(there.amps(1) - 14) < 0.6, 5)
        again = there.site.system.stations["CP1"].evses[1]
        number = again.transaction_id
    clock = there.clock
    restarted = CentralSystem(
        [station()], sessions=sessions, access=FEW, clock=clock, wake=lambda: None, memory=memory
    )
    evse = restarted.stations["CP1"].evses[1]
    await restarted.stations["CP1"].restore()
    state = evse.state(clock.now())
    assert (evse.transaction_id, state.online) == (number, False)
    assert state.confirmed_limit_a is not None
    assert 14 <= state.confirmed_limit_a <= 32
