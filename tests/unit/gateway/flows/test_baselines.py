from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.series import StepSeries
from contracts.site_link import points
from contracts.time import Interval
from gateway.domain.measure.presets import preset
from gateway.domain.program import BaselineMethod, DayType
from gateway.flows.dispatch.baselines import MAX_STEPS, Baselines

World = Any
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


async def run_on(world: World, days: Sequence[int], look_back: int = 30) -> tuple[Any, int]:
    """A 2-of-2 baseline of depot-1 with history on these past days only; and how much was read."""
    begun = world.clock.now()
    event = Interval.lasting(begun, 30 * MINUTE)
    for back in days:
        start = begun - back * DAY - 60 * MINUTE
        spans = Interval.lasting(start, timedelta(hours=3)).split(5 * MINUTE)
        past = StepSeries.of((piece, 1000.0 * back) for piece in spans)
        await world.telemetry.insert_history("depot-1", points.PCC_POWER_W, past, "synthetic")
    reads = 0
    series_of = world.telemetry.series_of

    async def counted(site_id: str, point: str, windows: Sequence[Interval]) -> StepSeries:
        nonlocal reads
        reads += len(windows)
        found: StepSeries = await series_of(site_id, point, windows)
        return found

    world.telemetry.series_of = counted
    method = BaselineMethod(
        y_days=2, x_days=2, min_days=2, day_type=DayType.ANY, look_back=look_back * DAY
    )
    baselines = Baselines(world.portfolio, world.telemetry, refresh=MINUTE, recent=MINUTE)
    program = replace(world.program, baseline=method)
    run = await baselines.run(world.portfolio.sites[0], program, event, event, ())
    return run, reads


async def test_the_last_days_are_enough_when_they_are_usable(world: World) -> None:
    run, reads = await run_on(world, [1, 2, 3, 20])
    assert run.series.mean(Interval.lasting(world.clock.now(), MINUTE)) == pytest.approx(1500.0)
    assert reads == 6  # five days and the adjustment window


async def test_all_of_the_look_back_is_read_when_they_are_not(world: World) -> None:
    run, reads = await run_on(world, [1, 20])
    assert run.series.mean(Interval.lasting(world.clock.now(), MINUTE)) == pytest.approx(10_500.0)
    assert len(run.days) == 20
    assert reads > 30


def test_a_very_long_event_is_cut_into_longer_intervals(world: World) -> None:
    baselines = Baselines(world.portfolio, world.telemetry, refresh=MINUTE, recent=MINUTE)
    start = world.clock.now()
    short = Interval.lasting(start, timedelta(hours=4))
    assert baselines.resolution(world.program, short) == 5 * MINUTE
    long = Interval.lasting(start, timedelta(days=10))
    resolution = baselines.resolution(world.program, long)
    assert resolution % (5 * MINUTE) == timedelta(0)
    assert len(list(long.split(resolution))) <= MAX_STEPS


async def test_a_control_group_is_read_from_the_store_without_sites_that_took_part(
    world: World,
) -> None:
    begun = world.clock.now()
    event = Interval.lasting(begun, 30 * MINUTE)
    around = Interval(start=begun - timedelta(hours=5), end=begun + timedelta(hours=1))
    loads = {"depot-1": 3_000.0, "east": 1_000.0, "west": 2_000.0, "north": 50_000.0}
    for name, load_w in loads.items():
        steps = StepSeries.of((piece, load_w) for piece in around.split(5 * MINUTE))
        await world.telemetry.insert_history(name, points.PCC_POWER_W, steps, "synthetic")
    group = replace(
        preset("control-group-type").method,
        min_days=2,
        control_sites=("depot-1", "east", "west", "north", "silent"),
    )
    baselines = Baselines(world.portfolio, world.telemetry, refresh=MINUTE, recent=MINUTE)
    run = await baselines.run(
        world.portfolio.sites[0],
        replace(world.program, baseline=group),
        event,
        event,
        (),
        events_of=lambda name: (event,) if name == "north" else (),
    )
    assert {one.name: one.reason for one in run.controls} == {
        "east": "",
        "west": "",
        "north": "it took part in an event",
        "silent": "no data",
    }
    assert run.adjustment.value == pytest.approx(2.0)
    assert [step.value for step in run.series] == pytest.approx([3_000.0] * 6)
