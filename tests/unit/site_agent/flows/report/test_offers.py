"""When an offer is made, when it is told, and what of it counts now."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.site_link.codec import decode_row, encode_row
from contracts.site_link.messages import FlexibilityOffer
from contracts.testing import FakeClock
from site_agent.domain.decide.control import DEFAULT_POLICY, decide
from site_agent.domain.forecast.forecast import Forecast
from site_agent.domain.horizon import Horizon
from site_agent.domain.site import SiteSnapshot
from site_agent.flows.control.control_loop import Cycle
from site_agent.flows.report.offers import KEPT, RETOLD, Offers
from site_agent.flows.report.outlook import Outlook, Sources
from site_agent.flows.report.prospects import standstill
from site_agent.flows.report.telemetry import measurements
from site_agent.store.memory import MemoryOutbox
from support.control import site
from support.site import (
    NOON,
    W_PER_A,
    battery,
    charger,
    envelope,
    instruction,
    meter,
    model,
    need,
    pv,
    snapshot,
)
from support.waiting import until


def depot(wh: float = 20_000.0, hours: float = 5.0) -> SiteSnapshot:
    return snapshot(
        chargers=[charger(drawn_a=32.0, limit_a=32.0)], needs=[need(wh=wh, hours=hours)]
    )


def cycle(of: SiteSnapshot, minutes: float = 0.0) -> Cycle:
    at = NOON + timedelta(minutes=minutes)
    later = replace(of, at=at, pcc=meter(of.pcc.power_w.value, at))
    return Cycle(snapshot=later, decision=decide(later, envelope(of.model)))


class Bench:
    def __init__(self) -> None:
        self.outbox = MemoryOutbox()
        self.cycle: Cycle | None = cycle(depot())
        self.taken = True
        self.offers = Offers(
            latest=lambda: self.cycle,
            look=standstill,
            outbox=self.outbox,
            taken=lambda: self.taken,
            clock=FakeClock(),
            policy=DEFAULT_POLICY,
        )

    def told(self) -> list[FlexibilityOffer]:
        rows = [numbered.row for numbered in self.outbox.rows]
        return [row for row in rows if isinstance(row, FlexibilityOffer)]


async def test_an_offer_is_told_once_and_again_when_it_has_moved_or_is_old() -> None:
    bench = Bench()
    await bench.offers.refresh()
    await bench.offers.refresh()
    assert len(bench.told()) == 1
    bench.cycle = cycle(depot(wh=80_000), 1)
    await bench.offers.refresh()
    assert len(bench.told()) == 2
    bench.cycle = cycle(depot(wh=80_000), 1 + RETOLD / timedelta(minutes=1))
    await bench.offers.refresh()
    assert len(bench.told()) == 3


async def test_a_gateway_that_takes_none_is_told_none_but_the_site_knows_it() -> None:
    bench = Bench()
    bench.taken = False
    await bench.offers.refresh()
    assert bench.told() == []
    assert bench.offers.newest is not None
    bench.taken = True
    await bench.offers.refresh()
    assert len(bench.told()) == 1


async def test_what_was_proved_counts_while_it_is_fresh() -> None:
    bench = Bench()
    assert bench.offers.proved(NOON) == 1.0
    both = [need("a", wh=22_000, hours=2), need("b", wh=22_000, hours=2)]
    chargers = [charger(one.evse_id, drawn_a=32.0, limit_a=32.0) for one in both]
    of = model([c.spec for c in chargers], contract_w=35_000)
    bench.cycle = cycle(snapshot(chargers=chargers, needs=both, of=of, building_w=5_000))
    await bench.offers.refresh()
    assert 0 <= bench.offers.proved(NOON) < 1.0
    assert bench.offers.proved(NOON + KEPT + timedelta(seconds=1)) == 1.0


async def test_without_a_meter_there_is_none() -> None:
    bench = Bench()
    await bench.offers.refresh()
    bench.cycle = Cycle(
        snapshot=replace(depot(), pcc=meter(None)),
        decision=decide(snapshot(), envelope(depot().model)),
    )
    await bench.offers.refresh()
    assert bench.offers.newest is None


async def test_every_offer_can_travel() -> None:
    bench = Bench()
    await bench.offers.refresh()
    (row,) = bench.told()
    assert decode_row(1, encode_row(row)).row == row
    assert len(encode_row(row)) < 60_000


async def test_each_class_of_devices_has_a_part_and_pv_what_it_is_expected_to_make() -> None:
    bench = Bench()
    inverters = [pv(-8_000.0, rated_w=30_000.0), pv(0.0, rated_w=10_000.0, takes_limits=False)]
    of = snapshot(
        chargers=[charger(drawn_a=32.0, limit_a=32.0)],
        needs=[need(wh=20_000.0, hours=5.0)],
        batteries=[battery(soc_pct=60.0)],
        pv_states=inverters,
    )
    sun = Horizon.around(NOON, timedelta(hours=24)).filled(12_000.0)
    bench.offers = Offers(
        latest=lambda: cycle(of),
        look=lambda seen: replace(standstill(seen), pv_w=sun),
        outbox=bench.outbox,
        taken=lambda: True,
        clock=FakeClock(),
        policy=DEFAULT_POLICY,
    )
    await bench.offers.refresh()
    slot = bench.told()[0].slots[0]
    evse, storage, sunny = slot.parts
    assert [p.device_class for p in slot.parts] == ["evse", "storage", "pv"]
    assert evse.expected_w > 0
    assert storage.down_w > 0
    assert slot.down_w - 1 <= evse.down_w + storage.down_w <= slot.down_w
    assert storage.up_w == slot.up_w
    assert (sunny.expected_w, sunny.curtail_w) == (-12_000.0, 9_000.0)
    assert (sunny.down_w, sunny.up_w) == (0.0, 0.0)


def test_the_number_of_the_hour_is_what_of_it_was_proved() -> None:
    def said(proved: float) -> float | None:
        rows = measurements(cycle(depot()), DEFAULT_POLICY, proved)
        return next(row.value for row in rows if row.point == "flex_down_w")

    assert said(1.0) == pytest.approx(32 * W_PER_A)
    assert said(0.25) == pytest.approx(8 * W_PER_A)


async def test_events_that_are_known_bound_the_hours_they_are_for() -> None:
    bench = await site(FakeClock(), [])
    await bench.instructions.receive(
        instruction(30_000.0, start=NOON + timedelta(hours=1), step=timedelta(hours=2))
    )
    ahead = Outlook(bench.model, bench.instructions)(cycle(depot()))
    assert ahead.import_w[3] == bench.model.contract_limit_w
    assert list(ahead.import_w[4:12]) == [30_000.0] * 8
    assert "event e1" in ahead.causes[4]
    assert ahead.import_w[12] == bench.model.contract_limit_w


def forecast(w: float, high_w: float, days: int = 20) -> Forecast:
    horizon = Horizon.around(NOON, timedelta(hours=24))
    return Forecast(
        horizon=horizon,
        p10=horizon.filled(0.0),
        p50=horizon.filled(w),
        p90=horizon.filled(high_w),
        method="test",
        trained_days=days,
        why="",
    )


async def test_a_forecast_is_moved_by_what_is_measured_now() -> None:
    bench, seen = await site(FakeClock(), []), cycle(depot())
    sources = Sources(
        load=lambda _: forecast(30_000, 40_000), pv=lambda _: forecast(0, 0), stays=lambda _: ()
    )
    ahead = Outlook(bench.model, bench.instructions, sources)(seen)
    assert ahead.building_w[0] == pytest.approx(10_000)
    assert ahead.building_w[4] == pytest.approx(20_000)
    assert ahead.building_w[8] == pytest.approx(30_000)
    assert ahead.building_high_w[8] == pytest.approx(40_000)
    guess = replace(sources, load=lambda _: forecast(30_000, 40_000, days=0))
    assert Outlook(bench.model, bench.instructions, guess)(seen).building_w[8] == 10_000


async def test_a_gateway_that_comes_is_told_soon() -> None:
    bench = Bench()
    bench.taken = False
    clock = FakeClock()
    bench.offers = Offers(
        latest=lambda: bench.cycle,
        look=standstill,
        outbox=bench.outbox,
        taken=lambda: bench.taken,
        clock=clock,
        policy=DEFAULT_POLICY,
    )
    task = asyncio.create_task(bench.offers.run())
    await until(lambda: bench.offers.newest is not None)
    assert bench.told() == []
    bench.taken = True
    await clock.advance(6)
    await until(lambda: len(bench.told()) == 1)
    task.cancel()
