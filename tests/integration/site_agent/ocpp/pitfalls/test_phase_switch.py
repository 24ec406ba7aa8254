"""A charger that goes from three phases to one in the middle of a session, and takes more there."""

from __future__ import annotations

from datetime import datetime

import pytest

from depot_sim.chargers.personality import Entry
from site_agent.devices.ocpp.limits.profiles import (
    ChargingProfile,
    Form,
    Kind,
    Period,
    Purpose,
    RateUnit,
)
from support.leaping_clock import leaping
from support.ocpp_yard import Yard, yard
from support.waiting import until

FUSE_A, ONE_PHASE_A = 30.0, 20.0
LEARNT_WITHIN_S = 30.0
"""A sample (5 s), its being believed, a cut of the other charger and that one's reaction."""
SWITCH = ChargingProfile(
    profile_id=99,
    form=Form(
        purpose=Purpose.STATION_MAX,
        kind=Kind.RELATIVE,
        unit=RateUnit.AMPERE,
        stack_level=0,
        connector=0,
    ),
    periods=(Period(start_s=0, limit=32.0, phases=1),),
)
"""A stranger's, which allows the rating, but on one phase."""


@pytest.mark.row("pitfall:P2")
@pytest.mark.row("personality:phase-switch")
@leaping
async def test_the_worst_phase_holds_once_a_switch_in_a_session_is_learnt(spoken: str) -> None:
    """Limits of 15 A each become 20 A on one phase at the first: the second one makes room."""
    switching: list[Entry] = [{"phase-switch": ONE_PHASE_A}]
    async with yard(
        switching, ["good"], version=spoken, fuse_a=FUSE_A, charger={"max_current_a": 16.0}
    ) as there:
        await until(lambda: there.seen(1).phases_used == 3)
        await there.lasts(lambda: min(there.amps(1), there.amps(2)) > 13)
        session = there.seen(1).transaction_id
        there.worst_a = 0.0
        await switch(there)
        await until(lambda: there.amps(1) > ONE_PHASE_A - 0.5)
        begun = there.clock.now()
        await there.passes(120)
        assert there.worst_a > FUSE_A + 1  # nobody could know
        assert (last_over(there, begun) - begun).total_seconds() < LEARNT_WITHIN_S
        assert there.amps(1) > ONE_PHASE_A - 0.5  # it goes on, on the same phase
        assert there.amps(2) > 5
        assert there.seen(1).phases_used == 1
        assert there.seen(1).transaction_id == session
        there.worst_a = 0.0
        await there.passes(120)
        assert there.worst_a <= FUSE_A


async def switch(there: Yard) -> None:
    station = there.site.system.stations["CP1"]
    link = station.link
    assert link is not None
    answer = await station.command(link.dialect.set_profile(SWITCH))
    assert link.dialect.accepted(answer)


def last_over(there: Yard, since: datetime) -> datetime:
    return max((at for at, worst_a in there.currents if worst_a > FUSE_A), default=since)
