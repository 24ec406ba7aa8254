"""Polls keep to their grid, whatever they cost, and survive whatever a device answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import GridyardError, LinkDownError, PermanentError, ProtocolError
from contracts.testing import FakeClock
from site_agent.devices.polling import Poller, next_deadline


@given(
    last_s=st.floats(0, 1e6),
    period_s=st.floats(0.05, 60),
    passed_s=st.floats(0, 1e4),
)
def test_the_next_deadline_lies_on_the_grid_and_ahead(
    last_s: float, period_s: float, passed_s: float
) -> None:
    now_s = last_s + passed_s
    due_s = next_deadline(last_s, period_s, now_s)
    assert due_s > now_s or due_s == pytest.approx(now_s, abs=1e-6)
    assert due_s - now_s <= period_s + 1e-6
    periods = (due_s - last_s) / period_s
    assert periods == pytest.approx(round(periods), abs=1e-3)


class _Device:
    """Costs `cost_s` a poll and fails with whatever is in `failures`."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.cost_s: list[float] = []
        self.failures: list[GridyardError | None] = []
        self.polled_at: list[float] = []
        self.wakes = 0
        self.poller = Poller("meter", self.poll, period_s=1.0, clock=clock, wake=self.wake)

    async def poll(self) -> None:
        self.polled_at.append(self.clock.monotonic())
        if self.cost_s:
            await self.clock.sleep(self.cost_s.pop(0))
        if self.failures and (failure := self.failures.pop(0)):
            raise failure

    def wake(self) -> None:
        self.wakes += 1


@asynccontextmanager
async def _running(device: _Device) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(device.poller.run())
        yield
        running.cancel()


async def test_a_slow_poll_skips_and_never_bursts() -> None:
    device = _Device(FakeClock())
    device.cost_s = [0.2, 3.4, 0.2]
    async with _running(device):
        await device.clock.advance(7)
    assert device.polled_at == [0.0, 1.0, 5.0, 6.0, 7.0]


@pytest.mark.parametrize("error", [LinkDownError, ProtocolError, PermanentError])
async def test_a_failing_device_is_polled_on_and_wakes_the_loop_when_that_changes(
    error: type[GridyardError],
) -> None:
    device = _Device(FakeClock())
    device.failures = [None, error("x"), error("x"), None]
    async with _running(device):
        await device.clock.advance(0)
        assert (device.poller.answers, device.wakes) == (True, 1)
        await device.clock.advance(2)
        assert (device.poller.answers, device.wakes) == (False, 2)
        await device.clock.advance(1)
        assert (device.poller.answers, device.wakes) == (True, 3)


async def test_our_own_mistakes_are_not_swallowed() -> None:
    device = _Device(FakeClock())

    async def broken() -> None:
        raise KeyError("ours")

    poller = Poller("meter", broken, period_s=1.0, clock=device.clock, wake=device.wake)
    with pytest.raises(KeyError):
        await poller.run()
