"""Chargers that say Accepted and do something else, beside one that obeys, behind one fuse."""

from __future__ import annotations

import asyncio

import pytest

from depot_sim.chargers.personality import Entry
from site_agent.flows.report.notices import LIMIT_NOT_OBEYED
from support.leaping_clock import leaping
from support.ocpp_yard import Yard, yard
from support.waiting import until

FUSE_A = 40.0


@pytest.mark.row("pitfall:P7")
@pytest.mark.row("personality:accepts-and-ignores")
@pytest.mark.row("safety:S3")
@leaping
async def test_one_that_ignores_is_noticed_counted_and_reported(spoken: str) -> None:
    async with yard(["accepts-and-ignores"], ["good"], version=spoken, fuse_a=FUSE_A) as there:
        await until(lambda: there.amps(1) > 30)
        begun = there.clock.now()
        await until(lambda: not there.seen(1).obeys)
        assert (there.clock.now() - begun).total_seconds() < 60
        assert LIMIT_NOT_OBEYED in there.notices()
        # it takes 32 A of 40: the other may have what is left, so it charges at 6 to 8 A
        await there.lasts(lambda: 5 < there.amps(2) < 8.5)
        there.worst_a = 0.0
        await there.passes(60)
        assert there.worst_a <= FUSE_A
        assert not there.seen(1).obeys  # a vehicle that goes on proves nothing


@pytest.mark.row("pitfall:P8")
@pytest.mark.row("personality:slow-30s")
@leaping
@pytest.mark.timeout(150)
async def test_a_slow_one_is_waited_for_and_its_delay_is_learnt(spoken: str) -> None:
    async with yard(["slow-30s"], ["good"], version=spoken, fuse_a=FUSE_A, plugged=False) as there:
        await there.passes(35)  # even its fail-safe share takes half a minute
        there.plug(1)
        await until(lambda: there.amps(1) > 15)
        there.plug(2)
        evse = there.evse(1)
        async with asyncio.timeout(100):
            for n in range(40):  # up and down, until a fall has been seen from end to end
                evse.trial_a = None if n % 2 else 8.0
                await there.passes(75)
                assert there.seen(1).obeys
                if evse.steering.follower.follows_s is not None:
                    break
        await until(lambda: there.seen(1).follows_within is not None)
        learnt = there.seen(1).follows_within
        assert learnt is not None
        assert 25 < learnt.total_seconds() <= 60
        assert longest_over(there) < 10  # what nobody can foresee is taken back at once
        there.worst_a = 0.0
        for limit_a in (None, 8.0, None):
            evse.trial_a = limit_a
            await there.passes(75)
        assert LIMIT_NOT_OBEYED not in there.notices()
        assert there.worst_a <= FUSE_A


def longest_over(there: Yard) -> float:
    """How long the fuse has seen too much at a stretch, s."""
    longest_s, since = 0.0, None
    for at, amps in there.currents:
        since = (since or at) if amps > FUSE_A else None
        longest_s = max(longest_s, (at - since).total_seconds() if since else 0.0)
    return longest_s


@pytest.mark.row("pitfall:P7")
@pytest.mark.row("personality:spikes-on-update")
@leaping
async def test_one_that_spikes_is_found_out_and_raised_seldom(spoken: str) -> None:
    """A spike is current that nobody else may have meanwhile: the fuse sees it once in a while."""
    spiky: list[Entry] = [{"spikes-on-update": 8}]
    async with yard(spiky, ["good"], version=spoken, fuse_a=FUSE_A) as there:
        evse = there.evse(1)
        async with asyncio.timeout(60):
            for n in range(20):
                if evse.steering.follower.spikes:
                    break
                evse.trial_a = 8.0 if n % 2 else 12.0
                await there.passes(22)
        evse.trial_a = None
        await until(lambda: evse.knowledge.spikes)
        assert there.seen(1).obeys
        # from now on raises come a minute apart at least, and the sum stays under the fuse
        since = there.clock.now()
        await there.passes(120)
        over = [a for at, a in there.currents if at > since and a > FUSE_A + 0.1]
        assert not over
