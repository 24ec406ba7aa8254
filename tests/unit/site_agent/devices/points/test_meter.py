from datetime import timedelta

import pytest

from contracts.errors import ConfigError
from contracts.reading import Quality
from contracts.testing import FakeClock
from site_agent.devices.points.meter import PointMeter
from support.live_nature import living
from support.point_source import HandSource

PHASES = ("l1", "l2", "l3")
FULL = (
    "active_power",
    *(f"active_power_{p}" for p in PHASES),
    *(f"current_{p}" for p in PHASES),
    "import_energy",
    "export_energy",
)


def values(meter: PointMeter, clock: FakeClock) -> list[float | None]:
    return [reading.value for reading in meter.state(clock.now()).current_a]


def a_meter(source: HandSource, clock: FakeClock, *, invert: bool = False) -> PointMeter:
    return PointMeter(source, name="meter", clock=clock, wake=lambda: None, invert=invert)


def test_a_meter_without_power_is_none() -> None:
    clock = FakeClock()
    with pytest.raises(ConfigError, match="active_power"):
        a_meter(HandSource(["frequency"], clock), clock)


def test_currents_take_the_direction_of_their_phase() -> None:
    clock = FakeClock()
    source = HandSource(FULL, clock)
    source.show(active_power=500.0, active_power_l1=1000.0, active_power_l2=-500.0)
    source.show(active_power_l3=0.0, current_l1=5.0, current_l2=2.5, current_l3=0.2)
    assert values(a_meter(source, clock), clock) == [5.0, -2.5, 0.2]


def test_an_inverted_meter_counts_export_positive() -> None:
    clock = FakeClock()
    source = HandSource(FULL, clock)
    source.show(active_power=1000.0, active_power_l1=1000.0, current_l1=5.0)
    source.show(import_energy=1.0, export_energy=2.0)
    state = a_meter(source, clock, invert=True).state(clock.now())
    assert state.power_w.value == -1000.0
    assert state.current_a[0].value == -5.0
    assert state.import_wh.value == 2.0


def test_the_total_decides_where_phases_have_no_power() -> None:
    clock = FakeClock()
    source = HandSource(["active_power", "current_l1"], clock)
    source.show(active_power=-200.0, current_l1=1.0)
    assert values(a_meter(source, clock), clock) == [-1.0, None, None]


def test_phases_without_a_current_have_it_from_power_and_voltage() -> None:
    clock = FakeClock()
    source = HandSource(["active_power", "active_power_l1", "active_power_l2", "voltage_l1"], clock)
    source.show(active_power=0.0, active_power_l1=2000.0, active_power_l2=-2300.0)
    source.show(voltage_l1=200.0)
    state = a_meter(source, clock).state(clock.now())
    assert [reading.value for reading in state.current_a] == [10.0, -10.0, None]
    assert state.current_a[0].quality is Quality.ESTIMATED


def test_a_current_that_is_shown_but_invalid_is_not_guessed() -> None:
    clock = FakeClock()
    source = HandSource(FULL, clock)
    source.show(active_power=1000.0, active_power_l1=1000.0, current_l1=None)
    assert a_meter(source, clock).state(clock.now()).current_a[0].quality is Quality.INVALID


@pytest.mark.row("truth:V6")
def test_a_meter_that_falls_silent_has_no_value() -> None:
    clock = FakeClock()
    source = HandSource(FULL, clock)
    source.show(active_power=1000.0)
    meter = a_meter(source, clock)
    now = clock.now()
    assert meter.state(now + timedelta(seconds=6)).power_w.quality is Quality.STALE
    assert meter.state(now + timedelta(seconds=31)).power_w.value is None


async def test_a_rise_of_a_current_wakes_the_loop_and_a_fall_does_not() -> None:
    clock = FakeClock()
    source = HandSource(FULL, clock)
    woken: list[object] = []
    meter = PointMeter(source, name="m", clock=clock, wake=lambda: woken.append(1))
    async with living(meter, clock):
        source.show(active_power=1.0, current_l1=1.0)
        await clock.advance(0.1)
        woken.clear()
        source.show(current_l1=8.0)
        await clock.advance(0.1)
        assert not woken
        source.show(current_l1=12.0)
        await clock.advance(0.1)
        assert len(woken) == 1
        source.show(current_l1=0.0)
        await clock.advance(0.1)
        assert len(woken) == 1
