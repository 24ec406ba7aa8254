import asyncio
from datetime import timedelta

import pytest

from contracts.reading import Quality
from contracts.testing import FakeClock
from site_agent.devices.freshness import Freshness
from site_agent.devices.points.board import PointBoard


def test_a_board_refuses_points_nobody_knows() -> None:
    with pytest.raises(ValueError, match="wattage"):
        PointBoard(["wattage"], FakeClock().now())


@pytest.mark.row("truth:V6")
def test_who_asks_gets_a_fresh_value_or_none() -> None:
    clock = FakeClock()
    at = clock.now()
    ages = {"soc": Freshness(stale_after=timedelta(seconds=20), lost_after=timedelta(seconds=60))}
    board = PointBoard(["soc", "active_power"], at, ages)
    assert board.fresh("soc", at) is None, "nothing was told yet: no made-up 0"
    board.put("soc", 0.0, at)
    board.put("active_power", 0.0, at)
    later = at + timedelta(seconds=10)
    assert board.fresh("soc", later) == 0.0
    assert board.fresh("active_power", later) is None
    assert board.reading("active_power", later).quality is Quality.STALE
    assert board.reading("active_power", at + timedelta(seconds=40)).value is None
    assert board.fresh("frequency", at) is None, "it has no such point"


@pytest.mark.parametrize("nonsense", [None, float("nan"), float("inf"), -0.1, 100.1])
def test_nonsense_is_invalid_and_never_the_value_before(nonsense: float | None) -> None:
    at = FakeClock().now()
    board = PointBoard(["soc"], at)
    board.put("soc", 50.0, at)
    board.put("soc", nonsense, at + timedelta(seconds=1))
    reading = board.reading("soc", at + timedelta(seconds=1))
    assert (reading.value, reading.quality) == (None, Quality.INVALID)


def test_a_late_reading_does_not_count() -> None:
    at = FakeClock().now()
    board = PointBoard(["soc"], at)
    board.put("soc", 50.0, at + timedelta(seconds=1))
    board.put("soc", 10.0, at)
    assert board.fresh("soc", at + timedelta(seconds=1)) == 50.0


def test_a_clock_that_is_set_back_does_not_freeze_a_meter() -> None:
    before = FakeClock().now()
    board = PointBoard(["active_power"], before)
    board.put("active_power", 50.0, before)
    now = before - timedelta(hours=1)
    assert board.fresh("active_power", now) is None, "it may be of an hour ago, for all we know"
    board.put("active_power", 70.0, now)
    assert board.fresh("active_power", now) == 70.0


async def test_what_is_put_together_is_heard_together() -> None:
    at = FakeClock().now()
    board = PointBoard(["soc", "soh"], at)
    heard: list[tuple[float | None, float | None]] = []

    async def hear() -> None:
        await board.news()
        heard.append((board.fresh("soc", at), board.fresh("soh", at)))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(hear())
        await asyncio.sleep(0)
        board.put("soc", 1.0, at)
        board.put("soh", 2.0, at)
    assert heard == [(1.0, 2.0)]


async def test_a_device_that_says_farewell_is_gone_at_once() -> None:
    at = FakeClock().now()
    board = PointBoard(["soc"], at)
    board.put("soc", 50.0, at)
    told = await board.news()
    board.lose(at)
    assert await board.news(told) > told
    assert board.reading("soc", at).quality is Quality.OFFLINE
