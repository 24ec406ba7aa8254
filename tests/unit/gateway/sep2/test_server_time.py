from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from contracts.errors import LinkDownError
from contracts.testing import FakeClock
from gateway.utility.sep2.server_time import ServerTime
from support.sep2_tree_server import Fleet, settings


class Watch:
    """A server clock that may be wrong by `ahead`, and ours."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.fleet = Fleet(1)
        self.transport = self.fleet.transport(settings(1))
        self.time = ServerTime(self.clock)
        self.ahead = timedelta(0)

    async def refresh(self) -> None:
        self.fleet.change("/tm", current_time=self.clock.now() + self.ahead)
        await self.time.refresh(self.transport, "/tm")

    @property
    def asked(self) -> int:
        return self.fleet.asked["/tm"]

    @property
    def now(self) -> datetime:
        now = self.time.now()
        assert now is not None
        return now


@pytest.mark.row("sep2:10", "csip:P3", "csip-test:CORE-005")
async def test_the_server_decides_what_time_it_is() -> None:
    watch = Watch()
    assert watch.time.now() is None
    assert not watch.time.synchronised
    with pytest.raises(RuntimeError):
        watch.time.monotonic_at(watch.clock.now())
    watch.ahead = timedelta(hours=5)
    await watch.refresh()
    assert watch.now == watch.clock.now() + timedelta(hours=5), "quality 7 is good enough"
    await watch.clock.advance(17)
    assert watch.now == watch.clock.now() + timedelta(hours=5)
    due = watch.time.monotonic_at(watch.now + timedelta(seconds=9))
    assert due == pytest.approx(watch.clock.monotonic() + 9)


async def test_a_step_of_our_wall_clock_moves_nothing() -> None:
    watch = Watch()
    await watch.refresh()
    before = watch.now
    watch.clock._start += timedelta(hours=3)  # the monotonic clock, as if set against the wall
    watch.clock._now += timedelta(hours=3)
    assert watch.now == before


@pytest.mark.row("sep2:10")
async def test_once_synchronised_the_time_is_asked_for_every_quarter_of_an_hour() -> None:
    watch = Watch()
    for _ in range(60):
        await watch.refresh()
        await watch.clock.advance(60)
    assert watch.asked == 4


async def test_a_longer_poll_rate_is_obeyed_and_a_shorter_one_is_not() -> None:
    watch = Watch()
    watch.fleet.change("/tm", poll_rate=timedelta(seconds=1))
    for _ in range(10):
        await watch.refresh()
        await watch.clock.advance(80)
    assert watch.asked == 1
    watch.fleet.change("/tm", poll_rate=timedelta(seconds=7200))
    await watch.clock.advance(200)
    await watch.refresh()
    for _ in range(70):
        await watch.refresh()
        await watch.clock.advance(100)
    assert watch.asked == 2


@pytest.mark.parametrize("status", [404, 400, 500])
async def test_until_then_more_and_more_seldom(status: int) -> None:
    watch = Watch()
    watch.fleet.status["/tm"] = status
    at: list[float] = []
    for _ in range(720):
        if watch.clock.monotonic() >= watch.time.due_at_s:
            at.append(watch.clock.monotonic())
        await watch.refresh()
        await watch.clock.advance(5)
    gaps = [b - a for a, b in pairwise(at)]
    assert 15 <= gaps[0] <= 35
    assert max(gaps) > 100
    assert watch.asked == len(at) <= 14
    assert watch.time.now() is None
    del watch.fleet.status["/tm"]
    await watch.clock.advance(900)
    await watch.refresh()
    assert watch.time.synchronised


async def test_a_server_that_cannot_be_reached_is_the_callers_matter() -> None:
    watch = Watch()
    watch.fleet.down = True
    with pytest.raises(LinkDownError):
        await watch.refresh()


@pytest.mark.row("sep2:10")
@pytest.mark.parametrize("back_s", [2, 30, 59])
async def test_a_small_correction_never_makes_time_run_backwards(back_s: int) -> None:
    watch = Watch()
    await watch.refresh()
    await watch.clock.advance(900)
    watch.ahead = -timedelta(seconds=back_s)
    shown = [watch.now]
    await watch.refresh()
    for _ in range(70):
        shown.append(watch.now)
        await watch.clock.advance(1)
    assert shown == sorted(shown)
    assert shown[0] == shown[back_s], "it stands still meanwhile"
    assert watch.now == watch.clock.now() + watch.ahead


@pytest.mark.parametrize("step_s", [-3600, -60, 61, 30])
async def test_other_corrections_hold_at_once(step_s: int) -> None:
    watch = Watch()
    await watch.refresh()
    await watch.clock.advance(900)
    watch.ahead = timedelta(seconds=step_s)
    await watch.refresh()
    assert watch.now == watch.clock.now() + watch.ahead


async def test_the_rest_of_a_second_is_no_news() -> None:
    watch = Watch()
    await watch.refresh()
    await watch.clock.advance(900)
    before = watch.now
    watch.ahead = timedelta(seconds=1)
    await watch.refresh()
    assert watch.now == before
