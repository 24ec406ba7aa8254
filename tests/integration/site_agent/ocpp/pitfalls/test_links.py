"""Chargers whose link is odd, each beside a good one behind one fuse: the site steers both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from depot_sim.chargers.personality import Entry
from site_agent.devices.ocpp.settings import Timing, Version
from support.ocpp_yard import SPEED, TIMING, Yard, yard
from support.waiting import until

FUSE_A = 40.0
SLOWLY = 20.0
QUICK = replace(TIMING, call_timeout_s=TIMING.call_timeout_s / SLOWLY)
"""CALLs time out by the real clock: as fast as everything else."""


@asynccontextmanager
async def beside_a_good_one(
    odd: Entry, version: str, timing: Timing = TIMING, **more: Any
) -> AsyncIterator[Yard]:
    async with yard(
        [odd],
        ["good"],
        version=version,
        fuse_a=FUSE_A,
        timing=timing,
        speed=SLOWLY if timing is QUICK else SPEED,
        tolerant=True,
        **more,
    ) as there:
        yield there


async def follows(there: Yard) -> None:
    """Its limit goes down and up again; the other one has what is left, and the fuse holds.

    A swap of shares may overlap for as long as vehicles take to follow: what lasts is asserted.
    """
    for limit_a in (8.0, 14.0):
        there.evse(1).trial_a = limit_a
        await until(partial(draws, there, limit_a))
    await until(lambda: there.amps(2) > 5)
    await there.lasts(lambda: there.amps(1) + there.amps(2) <= FUSE_A, 10)
    assert all(there.seen(n).obeys and there.seen(n).online for n in (1, 2))


def draws(there: Yard, limit_a: float) -> bool:
    return abs(there.amps(1) - limit_a) < 0.3


def connections(there: Yard) -> list[int]:
    return [one.generation for one in there.site.system.stations.values()]


@pytest.mark.row("pitfall:P11")
@pytest.mark.row("personality:ignores-trigger")
@pytest.mark.parametrize("how", ["silent", "idle"])
async def test_one_that_ignores_triggers_is_set_up_all_the_same(spoken: str, how: str) -> None:
    async with beside_a_good_one({"ignores-trigger": how}, spoken, QUICK) as there:
        await follows(there)
        assert connections(there) == [1, 1]


@pytest.mark.row("pitfall:P12")
@pytest.mark.row("personality:no-pong")
async def test_one_that_never_pongs_stays_connected(spoken: str) -> None:
    often = replace(TIMING, ping_s=0.05)
    async with beside_a_good_one("no-pong", spoken, often) as there:
        await follows(there)
        await there.passes(2 * TIMING.silence_s)
        assert connections(there) == [1, 1]
        assert all(there.seen(n).online for n in (1, 2))


@pytest.mark.row("pitfall:P13")
@pytest.mark.row("personality:deaf")
async def test_one_that_hears_no_calls_is_cut_off_and_counted_at_its_last_limit(
    spoken: str,
) -> None:
    """It falls deaf while it charges: what it has then nobody can lower."""
    async with beside_a_good_one({"deaf": {"after_calls": 12}}, spoken, QUICK) as there:
        await until(lambda: there.amps(1) > 15 and there.amps(2) > 5)
        evse, station = there.evse(1), there.site.system.stations["CP1"]
        async with asyncio.timeout(60):
            for n in range(400):  # up and down, until it no longer follows
                if station.tally.counts["deaf"]:
                    break
                evse.trial_a = 10.0 if n % 2 else None
                await there.passes(10)
                if connections(there) == [1, 1]:  # what a new connection brings is another matter
                    most_a = there.seen(1).confirmed_limit_a
                    assert most_a is not None
                    assert there.amps(1) <= most_a + 0.5
        await until(lambda: connections(there) == [2, 1])
        await follows(there)
        assert station.tally.counts["deaf"] == 1


@pytest.mark.row("library:L1")
@pytest.mark.row("personality:bad-frames")
async def test_bad_frames_cost_a_charger_nothing(spoken: str) -> None:
    async with beside_a_good_one({"bad-frames": {"every_s": 2}}, spoken) as there:
        await follows(there)
        await until(lambda: there.site.counts().get("bad frame", 0) >= 6)
        await follows(there)
        assert connections(there) == [1, 1]


@pytest.mark.row("library:L9")
@pytest.mark.row("personality:odd-subprotocol")
@pytest.mark.parametrize("offers", ["none", "misspelt", "unknown"])
async def test_odd_subprotocols_are_steered_where_tolerated(spoken: str, offers: str) -> None:
    """With nothing it can be read from, the version is that of the settings."""
    version = Version.V16 if spoken == "1.6" else Version.V201
    odd: Entry = {"odd-subprotocol": offers}
    async with beside_a_good_one(odd, spoken, versions=(version,)) as there:
        await follows(there)
        assert connections(there) == [1, 1]
