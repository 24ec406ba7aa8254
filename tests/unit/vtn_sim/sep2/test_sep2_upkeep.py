"""What the judge says of a client's upkeep: DER information, readings, the pace of its polls."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from contracts.sep2.resources import (
    DateTimeInterval,
    DERCapability,
    DERSettings,
    DERStatus,
    MirrorMeterReading,
    MirrorUsagePoint,
    Reading,
    ReadingType,
    Scaled,
)
from contracts.testing import FakeClock
from contracts.time import Interval
from support.sep2_world import World, lfdi_of
from vtn_sim.judge import Outcome
from vtn_sim.sep2.devices import Told
from vtn_sim.sep2.exchanges import Poll
from vtn_sim.sep2.mirrors import Sample
from vtn_sim.sep2.upkeep import UpkeepRules, covered, judge_device, judge_pace

NOW = FakeClock().now()


# --- upkeep --------------------------------------------------------------------------------------

RULES = UpkeepRules(
    status_rate=timedelta(seconds=60),
    post_rate=timedelta(minutes=5),
    settle=timedelta(seconds=10),
    tolerance=0.25,
    min_coverage=0.95,
)


def outcomes(world: World, now: datetime, rules: UpkeepRules = RULES) -> dict[str, Outcome]:
    device = world.utility.devices.get("one")
    verdict = judge_device(device, world.utility.mirrors.all(), rules, now)
    return {one.name: one.outcome for one in verdict.checks}


def test_der_information_is_waited_for(world: World) -> None:
    assert set(outcomes(world, NOW).values()) == {Outcome.PENDING}


@pytest.mark.parametrize(("age_s", "wanted"), [(84, Outcome.PASS), (86, Outcome.FAIL)])
def test_a_status_gets_old(world: World, age_s: int, wanted: Outcome) -> None:
    told = Told(resource=DERStatus(reading_time=NOW), at=NOW)
    world.utility.devices.get("one").told[1, "DERStatus"] = told
    assert outcomes(world, NOW + timedelta(seconds=age_s))["DERStatus"] is wanted


@pytest.mark.parametrize(("watts", "wanted"), [(1000, Outcome.PASS), (1001, Outcome.FAIL)])
def test_a_setting_is_not_above_its_rating(world: World, watts: int, wanted: Outcome) -> None:
    told = world.utility.devices.get("one").told
    capability = DERCapability(modes_supported=1, rtg_max_w=Scaled.of(1000), type=81)
    told[1, "DERCapability"] = Told(resource=capability, at=NOW)
    settings = DERSettings(set_grad_w=0, set_max_w=Scaled.of(watts), updated_time=NOW)
    told[1, "DERSettings"] = Told(resource=settings, at=NOW)
    assert outcomes(world, NOW)["settings"] is wanted


async def post_readings(
    world: World, starts: list[int], length_s: int = 300, every: float = 300.0
) -> None:
    """One reading after the other, each when it is over."""
    mup = MirrorUsagePoint(mrid="AA" * 16, device_lfdi=lfdi_of(1), role_flags=3, status=1)
    location = world.post(world.utility.hrefs.mirrors, mup)
    for start in starts:
        await world.clock.advance(every)
        period = DateTimeInterval(
            start=NOW + timedelta(seconds=start), duration=timedelta(seconds=length_s)
        )
        reading = MirrorMeterReading(
            mrid="BB" * 16,
            description="W",
            reading_type=ReadingType(uom=38),
            reading=Reading(value=1, time_period=period),
        )
        assert world.answer("POST", location, reading).status in (201, 204)


@pytest.mark.parametrize(
    ("starts", "bad"),
    [
        ([0, 300, 600], None),
        ([7, 307, 607], "aligned"),
        ([0, 300, 900, 1200], "complete"),
    ],
)
async def test_readings(world: World, starts: list[int], bad: str | None) -> None:
    await post_readings(world, starts)
    seen = outcomes(world, world.clock.now())
    for what in ("aligned", "complete", "in time"):
        wanted = Outcome.FAIL if what == bad else Outcome.PASS
        assert seen[f"readings of W {what}"] is wanted


async def test_readings_that_stop(world: World) -> None:
    await post_readings(world, [0, 300])
    await world.clock.advance(386)
    assert outcomes(world, world.clock.now())["readings of W in time"] is Outcome.FAIL


def test_overlaps_are_covered_once() -> None:
    samples = [
        Sample(
            start=NOW + timedelta(seconds=start),
            duration=timedelta(seconds=10),
            value=0.0,
            quality_flags=0,
            received_at=NOW,
        )
        for start in (0, 5, 20)
    ]
    window = Interval(start=NOW, end=NOW + timedelta(seconds=30))
    assert covered(samples, window) == 25.0


def pace(seconds: list[float], hints: list[float] | None = None, until: float = 0.0) -> Outcome:
    rate = timedelta(seconds=60)
    polls = {
        ("DERProgramList", "/p"): [
            Poll(at=NOW + timedelta(seconds=at), rate=rate) for at in seconds
        ],
        ("DERControlList", "/c"): [Poll(at=NOW, rate=None)],
    }
    told = {"/p": [NOW + timedelta(seconds=at) for at in hints]} if hints is not None else {}
    now = NOW + timedelta(seconds=until or seconds[-1])
    verdict = judge_pace("agg", polls, told, RULES, now)
    assert [one.name for one in verdict.checks] == ["pace of DERProgramList /p"]
    return verdict.outcome


@pytest.mark.parametrize(
    ("seconds", "hints", "until", "wanted"),
    [
        ([0, 60, 121], None, 150, Outcome.PASS),
        ([0, 60, 150], None, 150, Outcome.FAIL),
        ([0, 60], None, 150, Outcome.FAIL),
        ([0, 10, 20, 30], None, 30, Outcome.FAIL),
        ([0, 10, 20, 30], [5, 15, 25], 30, Outcome.PASS),
        ([0, 3000], [], 3000, Outcome.PASS),
        ([0, 1, 61, 121], None, 121, Outcome.PASS),
    ],
)
def test_the_pace_of_polls(
    seconds: list[float], hints: list[float] | None, until: float, wanted: Outcome
) -> None:
    assert pace(seconds, hints, until) is wanted
