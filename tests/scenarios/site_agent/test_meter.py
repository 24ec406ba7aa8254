"""A meter that is dead, stands still or lies: the site stays inside its limits, whatever happens.

The loop runs around a depot of small physics on a simulated clock; what really flows is compared
with the contract at every step of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from contracts.testing import FakeClock
from site_agent.domain.trust.belief import Distrust
from support.control import Site, fake_chargers, fake_pv, site
from support.depot import FakeCharger, Vehicle, unplug
from support.site import NOON, model

Case = dict[str, Any]
CASES: list[Case] = yaml.safe_load(Path(__file__).with_name("meter.yaml").read_text())
CONTRACT_W, BUILDING_W, RISE_W = 120_000.0, 20_000.0, 15_000.0
STATIC_W = 0.99 * CONTRACT_W - 50_000.0 + 0.02 * CONTRACT_W
"""... and what limits may stay above it unmoved."""
FULL_W = 0.95 * CONTRACT_W
FUSE_A = 180.0
COMING, GOING = 5, 3
DISTRUSTED_FOR = timedelta(seconds=60)
"""At least; a meter that is late is right again once nothing has moved for so long."""
_BUILT_IN = {"resolution_w", "register_wh", "no_registers"}
"""What a meter is like from the beginning."""


@dataclass
class Story:
    """A depot with a faulty meter; `caught` is when and by what."""

    depot: Site
    chargers: Sequence[FakeCharger]
    began: datetime = NOON
    caught: list[tuple[datetime, Distrust]] = field(default_factory=list)

    async def pass_time(self, seconds: int) -> None:
        clock = self.depot.clock
        for _ in range(seconds):
            await clock.advance(1)
            cycle = self.depot.loop.latest
            assert cycle is not None
            distrust = cycle.snapshot.belief.distrust
            if distrust is not None and not self.caught:
                self.caught.append((clock.now(), distrust))

    def break_meter(self, fault: Case) -> None:
        self.began = self.depot.clock.now()
        for name, value in fault.items():
            if name == "dead":
                self.depot.depot.meter_works = False
            else:
                assert hasattr(self.depot.depot.meter, name)
                setattr(self.depot.depot.meter, name, value)

    def plug(self, chargers: Sequence[FakeCharger]) -> None:
        for charger in chargers:
            charger.vehicle = Vehicle(capacity_wh=500_000)


async def depot(*, plugged: int) -> Story:
    clock = FakeClock(NOON)
    chargers = fake_chargers(clock, 8)
    for n, charger in enumerate(chargers):
        charger.vehicle = Vehicle(capacity_wh=500_000) if n < plugged else None
        charger.shift_samples(n * 0.6)
    inverter = fake_pv(clock, rated_w=30_000)
    of = model(
        [c.spec for c in chargers],
        root_a=FUSE_A,
        contract_w=CONTRACT_W,
        max_building_w=50_000,
        pv_specs=[inverter.spec],
    )
    made = await site(clock, chargers, pv=[inverter], of=of, building_w=BUILDING_W)
    return Story(made, chargers)


async def tell(story: str, fault: Case) -> Story:
    plugged = {"arrive": 8 - COMING, "evening": 0}.get(story, 8)
    told = await depot(plugged=plugged)
    told.break_meter({name: fault[name] for name in _BUILT_IN & fault.keys()})
    async with told.depot.running():
        await told.pass_time(60)
        told.break_meter(fault)
        await told.pass_time(120 if story == "evening" else 5)
        match story:
            case "arrive":
                told.plug(told.chargers[-COMING:])
            case "leave":
                for charger in told.chargers[:GOING]:
                    unplug(charger)
            case "building":
                told.depot.depot.building_w += RISE_W
            case "steady":
                pass
            case _:
                told.began = told.depot.clock.now()
                for charger in told.chargers:
                    told.plug([charger])
                    await told.pass_time(3)
        await told.pass_time(90)
    return told


@pytest.mark.row("truth:V1", "truth:V2", "truth:V3")
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
async def test_a_faulty_meter(case: Case) -> None:
    told = await tell(case["story"], case["fault"])
    physics, now = told.depot.depot, told.depot.clock.now()
    over_s = physics.over_s(CONTRACT_W, told.began)
    assert over_s <= case.get("over_s", 0)
    most_w = CONTRACT_W + (RISE_W if case.get("over_s") else 0.0)
    assert physics.peak_w(told.began, now) <= most_w
    looked_at = now
    if "check" in case:
        ((_, distrust),) = told.caught
        assert distrust.check.value == case["check"]
        assert (distrust.at - told.began).total_seconds() <= case["within_s"]
        looked_at = min(now, distrust.at + DISTRUSTED_FOR)
    else:
        assert told.caught == []
    drawn_w = physics.mean_w(looked_at - timedelta(seconds=10), looked_at) - physics.building_w
    if "check" in case or "dead" in case["fault"]:
        assert drawn_w <= STATIC_W
    else:
        assert drawn_w + physics.building_w > FULL_W


@pytest.mark.row("truth:V3")
async def test_trust_returns_after_a_minute_and_is_lost_again() -> None:
    told = await depot(plugged=8)
    async with told.depot.running():
        await told.pass_time(60)
        told.break_meter({"scale": 0.1})
        await told.pass_time(20)
        assert told.caught
        told.break_meter({"scale": 1.0})
        await told.pass_time(50)
        assert told.depot.depot.pcc_w < FULL_W
        await told.pass_time(60)
        assert told.depot.depot.pcc_w > FULL_W
        first = told.caught.pop()
        told.break_meter({"scale": 0.1})
        await told.pass_time(20)
    (second,) = told.caught
    assert second[1].at > first[1].at
    assert told.depot.depot.over_s(CONTRACT_W, NOON) == 0


async def test_one_wrong_reading_is_passed_over() -> None:
    told = await depot(plugged=8)
    async with told.depot.running():
        await told.pass_time(60)
        for scale in (0.0, 10.0, -1.0):
            told.break_meter({"scale": scale})
            await told.pass_time(1)
            told.break_meter({"scale": 1.0})
            await told.pass_time(30)
    assert told.caught == []
    assert told.depot.depot.over_s(CONTRACT_W, NOON) == 0
    assert told.depot.depot.pcc_w > 0.9 * CONTRACT_W
