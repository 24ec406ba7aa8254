"""One device's lane: newest wins, silence is noticed, failures rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from contracts.errors import PermanentError, ProtocolError, TransientError
from contracts.testing import FakeClock
from site_agent.flows.control.lane import Lane


class Device:
    def __init__(self) -> None:
        self.told: list[float] = []
        self.error: Exception | None = None
        self.answers = asyncio.Event()
        self.answers.set()

    async def set_limit(self, limit_a: float) -> None:
        self.told.append(limit_a)
        await self.answers.wait()
        if self.error is not None:
            raise self.error


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def device() -> Device:
    return Device()


@asynccontextmanager
async def running(device: Device, clock: FakeClock) -> AsyncIterator[Lane[float]]:
    lane = Lane[float]("a", device.set_limit, clock=clock)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(lane.run())
        yield lane
        task.cancel()


async def test_what_is_accepted_is_remembered(device: Device, clock: FakeClock) -> None:
    async with running(device, clock) as lane:
        assert lane.ask(10.0)
        await lane.answered()
        assert lane.accepted == 10.0
        assert lane.accepted_s == clock.monotonic()
        assert not lane.silent
        assert device.told == [10.0]


async def test_a_busy_lane_takes_nothing_more(device: Device, clock: FakeClock) -> None:
    async with running(device, clock) as lane:
        device.answers.clear()
        assert lane.ask(10.0)
        await clock.advance(0.5)
        assert not lane.ask(6.0)
        assert not lane.silent
        await clock.advance(2.0)
        assert lane.silent
        device.answers.set()
        await lane.answered()
        assert not lane.silent
        assert lane.accepted == 10.0
        assert device.told == [10.0]


async def test_an_answer_that_never_comes_is_given_up(device: Device, clock: FakeClock) -> None:
    async with running(device, clock) as lane:
        device.answers.clear()
        lane.ask(10.0)
        await clock.advance(30.1)
        assert lane.failure == "no answer within 30 s"
        assert lane.accepted is None


@pytest.mark.parametrize("error", [TransientError("offline"), ProtocolError("nonsense")])
async def test_failures_rest_longer_each_time(
    device: Device, clock: FakeClock, error: Exception
) -> None:
    async with running(device, clock) as lane:
        device.error = error
        waits = []
        for _ in range(6):
            waited = 0
            while not lane.ask(10.0):
                await clock.advance(1)
                waited += 1
            await lane.answered()
            waits.append(waited)
        assert waits == [0, 1, 2, 4, 8, 10]
        assert lane.silent
        device.error = None
        await clock.advance(10)
        assert lane.ask(10.0)
        await lane.answered()
        assert (lane.failure, lane.silent) == (None, False)


async def test_a_refusal_rests_a_minute(device: Device, clock: FakeClock) -> None:
    async with running(device, clock) as lane:
        device.error = PermanentError("no profiles")
        lane.ask(10.0)
        await lane.answered()
        assert lane.failure == "no profiles"
        await clock.advance(59)
        assert not lane.ask(10.0)
        await clock.advance(1)
        assert lane.ask(10.0)


async def test_what_was_accepted_before_a_failure_stands(device: Device, clock: FakeClock) -> None:
    async with running(device, clock) as lane:
        lane.ask(10.0)
        await lane.answered()
        device.error = TransientError("offline")
        lane.ask(6.0)
        await lane.answered()
        assert lane.accepted == 10.0


async def test_a_mistake_of_ours_is_not_hidden(clock: FakeClock, device: Device) -> None:
    device.error = KeyError("ours")
    lane = Lane[float]("a", device.set_limit, clock=clock)
    lane.ask(10.0)
    with pytest.raises(BaseExceptionGroup) as raised:
        await lane.run()
    assert raised.group_contains(KeyError)
