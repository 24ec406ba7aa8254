from collections.abc import Callable
from datetime import timedelta

import pytest

from contracts.errors import ConfigError, PermanentError, TransientError
from contracts.testing import FakeClock
from site_agent.devices.points.battery import PointBattery
from site_agent.domain.device import BatterySetpoint, BatterySpec, Lapse
from support.live_nature import living
from support.point_source import HandControllable, HandSource

SPEC = BatterySpec(
    battery_id="b1",
    node="pcc",
    capacity_wh=100_000.0,
    max_charge_w=50_000.0,
    max_discharge_w=40_000.0,
    lapse=Lapse.DEVICE,
)
POINTS = ("active_power", "soc", "max_charge_power", "max_discharge_power", "online", "fault")


def a_battery(
    source: HandSource, clock: FakeClock, wake: Callable[[], None] = lambda: None
) -> PointBattery:
    return PointBattery(source, SPEC, clock=clock, wake=wake)


def ask(power_w: float) -> BatterySetpoint:
    return BatterySetpoint(battery_id="b1", power_w=power_w, cause="test")


def test_a_battery_must_show_power_and_charge() -> None:
    clock = FakeClock()
    with pytest.raises(ConfigError, match="soc"):
        a_battery(HandSource(["active_power"], clock), clock)


def test_it_is_online_while_it_answers_and_says_so_itself() -> None:
    clock = FakeClock()
    source = HandControllable(POINTS, clock)
    battery = a_battery(source, clock)
    assert not battery.state(clock.now()).online
    source.show(active_power=0.0, soc=50.0)
    assert not battery.state(clock.now()).online, "it has a word for it, but has not said it"
    source.show(online=1.0, fault=0.0)
    assert battery.state(clock.now()).online
    source.show(fault=1.0)
    assert not battery.state(clock.now()).online
    source.show(fault=0.0, online=0.0)
    assert not battery.state(clock.now()).online
    source.show(online=1.0)
    source.answers = False
    assert not battery.state(clock.now()).online


def test_it_tells_its_health_and_temperature_where_it_has_them() -> None:
    clock = FakeClock()
    source = HandControllable((*POINTS, "soh", "temperature"), clock)
    source.show(active_power=0.0, soc=50.0, soh=82.0, temperature=21.0)
    told = a_battery(source, clock).state(clock.now())
    silent = a_battery(HandControllable(POINTS, clock), clock).state(clock.now())
    assert told.health_pct is not None
    assert told.temperature_c is not None
    assert (told.health_pct.value, told.temperature_c.value) == (82.0, 21.0)
    assert silent.health_pct is not None
    assert silent.health_pct.value is None


async def test_setpoints_are_cut_to_what_it_names_now_and_whole_watts() -> None:
    clock = FakeClock()
    source = HandControllable(POINTS, clock)
    battery = a_battery(source, clock)
    async with living(battery, clock):
        await battery.set_power(ask(60_000.4))
        source.show(max_charge_power=20_000.0, max_discharge_power=90_000.0)
        await clock.advance(0.1)
        await battery.set_power(ask(60_000.0))
        await battery.set_power(ask(-60_000.0))
    assert [value for _, value in source.written] == [50_000.0, 20_000.0, -40_000.0]
    assert battery.spec.max_charge_w == 20_000.0


@pytest.mark.row("truth:L1")
async def test_a_setpoint_is_told_again_at_a_third_while_the_loop_asks() -> None:
    clock = FakeClock()
    source = HandControllable(POINTS, clock, lapse_s=30.0)
    battery = a_battery(source, clock)
    async with living(battery, clock):
        for _ in range(21):
            await battery.set_power(ask(1000.0))
            await clock.advance(1.0)
        assert source.written == [("power", 1000.0)] * 3
        source.written.clear()
        await clock.advance(60.0)
        assert not source.written, "the loop is silent: it lapses"


@pytest.mark.row("trap:P5")
async def test_one_that_does_not_lapse_is_let_go_when_the_loop_falls_silent() -> None:
    clock = FakeClock()
    source = HandControllable(POINTS, clock, lapse_s=None)
    battery = a_battery(source, clock)
    assert battery.spec.lapse is Lapse.NONE
    async with living(battery, clock):
        for _ in range(100):
            await battery.set_power(ask(1000.0))
            await clock.advance(1.0)
        assert source.written == [("power", 1000.0)], "its memory may wear out"
        source.refuse = TransientError("busy")
        await clock.advance(10.0)
        source.refuse = None
        await clock.advance(10.0)
        assert source.written == [("power", 1000.0), ("power", None)]


@pytest.mark.row("truth:L1")
async def test_obedience_is_judged_by_measured_power() -> None:
    clock = FakeClock()
    source = HandControllable(POINTS, clock, lapse_s=300.0)
    battery = a_battery(source, clock)
    async with living(battery, clock):
        for _ in range(20):
            await battery.set_power(ask(10_000.0))
            source.show(active_power=0.0)
            await clock.advance(1.0)
        assert not battery.obeys
        assert len(source.written) == 2, "told once more: somebody else may have written"
        source.show(active_power=10_500.0)
        await clock.advance(0.1)
        assert battery.obeys


async def test_one_reading_is_judged_once() -> None:
    clock = FakeClock()
    source = HandControllable(POINTS, clock, lapse_s=300.0)
    battery = a_battery(source, clock)
    async with living(battery, clock):
        await battery.set_power(ask(10_000.0))
        await clock.advance(20.0)
        source.show(active_power=0.0)
        for _ in range(10):
            source.board.put("soc", 50.0, clock.now())
            await clock.advance(0.1)
        assert battery.obeys


async def test_one_without_controls_refuses_setpoints() -> None:
    clock = FakeClock()
    battery = a_battery(HandSource(POINTS, clock), clock)
    with pytest.raises(PermanentError, match="no setpoints"):
        await battery.set_power(ask(0.0))


async def test_the_loop_is_woken_when_it_comes_goes_or_names_less_than_it_holds() -> None:
    clock = FakeClock()
    source = HandControllable(POINTS, clock)
    woken: list[object] = []
    battery = a_battery(source, clock, lambda: woken.append(1))
    async with living(battery, clock):
        source.show(active_power=0.0, soc=50.0, online=1.0, fault=0.0)
        await battery.set_power(ask(30_000.0))
        await clock.advance(0.1)
        woken.clear()
        source.show(active_power=30_000.0, max_charge_power=10_000.0)
        await clock.advance(0.1)
        assert len(woken) == 1
        await clock.advance(10.0)
        assert len(woken) == 2
        assert not battery.state(clock.now() + timedelta(seconds=1)).online


@pytest.mark.row("trap:P5")
async def test_an_agent_that_ends_in_order_ends_what_would_not_end_by_itself() -> None:
    clock = FakeClock()
    for lapse_s, written in ((None, [1000.0, None]), (30.0, [1000.0])):
        source = HandControllable(POINTS, clock, lapse_s=lapse_s)
        battery = a_battery(source, clock)
        await battery.set_power(ask(1000.0))
        await battery.close()
        assert [value for _, value in source.written] == written
        with pytest.raises(TransientError, match="the agent ends"):
            await battery.set_power(ask(1000.0))
    idle = HandControllable(POINTS, clock, lapse_s=None)
    await a_battery(idle, clock).close()
    assert not idle.written, "it was told nothing"
