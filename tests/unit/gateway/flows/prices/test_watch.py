"""When sources are asked, what is kept, and what is said to be missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest

from contracts.errors import ConfigError, GridyardError, LinkDownError, ProtocolError
from gateway.domain.price.timeline import PriceTimeline
from gateway.flows.prices.watch import PriceWatch
from gateway.ports import BusyError
from support.price_bench import MORNING, Bench

pytestmark = pytest.mark.row("portfolio:U8")
MINUTE_S = 60.0
TOMORROW_ENDS = datetime(2026, 11, 28, 23, 0, tzinfo=UTC)


@asynccontextmanager
async def running(watch: PriceWatch) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watch.run())
        yield
        task.cancel()


async def test_today_is_read_at_once_and_tomorrow_when_it_is_due() -> None:
    bench = Bench()
    (source,) = bench.sources
    async with running(bench.watch):
        await bench.clock.advance(1.0)
        (state,) = bench.watch.states()
        assert (state.stale, state.until, state.failure) == (False, source.known_until, "")
        source.known_until = TOMORROW_ENDS
        await bench.clock.advance(3.75 * 3600)
        (state,) = bench.watch.states()
        assert (state.stale, state.until) == (False, TOMORROW_ENDS)
    asked = [at for at, window in source.asked if window.end == TOMORROW_ENDS]
    assert asked[0] == datetime(2026, 11, 27, 11, 45, tzinfo=UTC)


async def test_a_late_publication_is_asked_for_every_five_minutes_and_missed() -> None:
    bench = Bench()
    (source,) = bench.sources
    async with running(bench.watch):
        await bench.clock.advance(4 * 3600)
        (state,) = bench.watch.states()
        assert state.stale
        assert [gap.end for gap in state.missing] == [TOMORROW_ENDS]
        before = len(source.asked)
        await bench.clock.advance(10 * MINUTE_S)
        assert len(source.asked) - before == 4  # two days, twice
        source.known_until = TOMORROW_ENDS
        await bench.clock.advance(5 * MINUTE_S)
        assert not bench.watch.states()[0].stale


async def test_what_is_known_is_looked_at_again_some_hours_later_and_corrected() -> None:
    bench = Bench()
    (source,) = bench.sources
    source.known_until = TOMORROW_ENDS
    heard: list[int] = []
    bench.watch.on_change(lambda: heard.append(1))
    async with running(bench.watch):
        await bench.clock.advance(4 * 3600)
        writes, told = bench.memory.writes, len(heard)
        await bench.clock.advance(3600)
        assert (bench.memory.writes, len(heard)) == (writes, told)  # nothing new: nothing written
        source.price = Decimal("0.20")
        await bench.clock.advance(4 * 3600)
        assert len(heard) > told
    prices = bench.watch.prices("nl")
    assert prices is not None
    assert {one.per_kwh for one in prices} == {Decimal("0.20")}


@pytest.mark.parametrize(
    ("error", "within_s"),
    [
        (LinkDownError("not reached"), 10),
        (BusyError("HTTP 429", 120.0), 120),
        (BusyError("HTTP 503", 0.0), 10),
        (ProtocolError("no XML"), 900),
        (ConfigError("no token"), 900),
    ],
    ids=["down", "busy", "unavailable", "nonsense", "refused"],
)
async def test_after_a_failure_it_is_asked_again_in_its_time(
    error: GridyardError, within_s: float
) -> None:
    bench = Bench()
    (source,) = bench.sources
    source.error = error
    async with running(bench.watch):
        await bench.clock.advance(within_s - 1)
        assert len(source.asked) == 1
        (state,) = bench.watch.states()
        assert (state.failure, state.heard_at, state.stale) == (str(error), None, True)
        source.error = None
        await bench.clock.advance(2)
        (state,) = bench.watch.states()
        assert (state.failure, state.stale) == ("", False)


async def test_failures_are_met_with_growing_patience() -> None:
    bench = Bench()
    (source,) = bench.sources
    source.error = LinkDownError("not reached")
    async with running(bench.watch):
        await bench.clock.advance(3600)
    assert 8 <= len(source.asked) <= 12


async def test_prices_from_before_a_restart_hold_while_the_source_is_down() -> None:
    bench = Bench()
    (source,) = bench.sources
    async with running(bench.watch):
        await bench.clock.advance(1)
    again = bench.make_watch()
    await again.restore()
    source.error = LinkDownError("not reached")
    async with running(again):
        await bench.clock.advance(3600)
        (state,) = again.states()
        assert (state.stale, state.failure) == (False, "not reached")
    assert again.prices("nl") == bench.watch.prices("nl")


async def test_old_days_are_forgotten() -> None:
    bench = Bench()
    (source,) = bench.sources
    source.known_until = MORNING + timedelta(days=30)
    async with running(bench.watch):
        for _ in range(12):
            await bench.clock.advance(24 * 3600)
    prices = bench.watch.prices("nl")
    assert prices is not None
    assert bench.clock.now() - prices.steps[0].start < timedelta(days=10)


async def test_a_source_that_may_change_at_any_time_is_asked_all_the_time() -> None:
    bench = Bench()
    (source,) = bench.sources
    source.published_at, source.known_until = time(0), TOMORROW_ENDS
    async with running(bench.watch):
        await bench.clock.advance(10.5 * MINUTE_S)
    assert len(source.asked) == 6  # today and tomorrow, three times


async def test_what_was_stored_of_a_source_that_is_gone_is_not_shown() -> None:
    bench = Bench()
    bench.memory.kept["gone"] = PriceTimeline(area="X", currency="EUR")
    await bench.watch.restore()
    assert bench.watch.prices("gone") is None
