import pytest

from contracts.errors import PermanentError
from contracts.testing import FakeClock
from site_agent.devices.points.pv import PointPv
from site_agent.domain.device import Lapse, PvSetpoint, PvSpec
from support.live_nature import living
from support.point_source import HandControllable, HandSource

SPEC = PvSpec(pv_id="pv", node="pcc", rated_w=50_000.0, lapse=Lapse.DEVICE)


def ask(limit_w: float | None) -> PvSetpoint:
    return PvSetpoint(pv_id="pv", limit_w=limit_w, cause="test")


async def test_it_is_curtailed_in_whole_watts_and_released() -> None:
    clock = FakeClock()
    source = HandControllable(["active_power"], clock)
    inverter = PointPv(source, SPEC, clock=clock, wake=lambda: None)
    await inverter.set_limit(ask(1000.9))
    await inverter.set_limit(ask(None))
    assert source.written == [("power_limit", 1000.0), ("power_limit", None)]


async def test_one_without_controls_takes_no_limits_but_may_be_released() -> None:
    clock = FakeClock()
    source = HandSource(["active_power"], clock)
    inverter = PointPv(source, SPEC, clock=clock, wake=lambda: None)
    source.show(active_power=-500.0)
    state = inverter.state(clock.now())
    assert (state.online, state.takes_limits, state.power_w.value) == (True, False, -500.0)
    assert inverter.spec.lapse is Lapse.NONE
    await inverter.set_limit(ask(None))
    with pytest.raises(PermanentError):
        await inverter.set_limit(ask(100.0))


@pytest.mark.row("truth:L1")
async def test_more_than_the_limit_is_disobedience_less_is_none() -> None:
    clock = FakeClock()
    source = HandControllable(["active_power"], clock, lapse_s=300.0)
    inverter = PointPv(source, SPEC, clock=clock, wake=lambda: None)
    async with living(inverter, clock):
        for _ in range(20):
            await inverter.set_limit(ask(10_000.0))
            source.show(active_power=-1000.0)
            await clock.advance(1.0)
        assert inverter.state(clock.now()).obeys
        for _ in range(20):
            source.show(active_power=-20_000.0)
            await clock.advance(1.0)
        assert not inverter.state(clock.now()).obeys


@pytest.mark.row("trap:P5")
async def test_one_that_does_not_lapse_is_released_when_the_loop_falls_silent() -> None:
    clock = FakeClock()
    source = HandControllable(["active_power"], clock, lapse_s=None)
    inverter = PointPv(source, SPEC, clock=clock, wake=lambda: None)
    async with living(inverter, clock):
        await inverter.set_limit(ask(10_000.0))
        await clock.advance(30.0)
    assert source.written == [("power_limit", 10_000.0), ("power_limit", None)]
