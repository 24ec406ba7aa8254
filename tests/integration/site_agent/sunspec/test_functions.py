"""Autonomous functions on real sockets: adopted, changed, taken back, refused, and survived."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from contracts.errors import TransientError
from contracts.inverter import (
    Curve,
    CurveKind,
    FixedPowerFactor,
    FixedVar,
    FrequencyDroop,
    InverterFunction,
    Point,
    Reference,
)
from contracts.time import Clock
from depot_sim.modbus.listener import Address, Listener
from depot_sim.physics.battery import Battery
from depot_sim.physics.drift import Drift
from depot_sim.physics.pv import Pv
from depot_sim.physics.sky import DriftingSky
from depot_sim.sunspec.battery import SunSpecBattery as BatteryHardware
from depot_sim.sunspec.functions import Functions
from depot_sim.sunspec.inverter import SunSpecInverter as OldHardware
from depot_sim.sunspec.inverter700 import SunSpecInverter700 as Hardware
from site_agent.devices.sunspec.functions import MEMORY_KEY, SunSpecFunctions
from site_agent.store.memory import MemoryKeyValues
from support.fast_clock import FastClock
from support.modbus_link import linked

TRIPS = {"lv_trip", "hv_trip", "lf_trip", "hf_trip"}
OWN_VOLT_VAR = [(92.0, 30.0), (98.0, 0.0), (102.0, 0.0), (108.0, -30.0)]
LEASE_S = 300.0


def curve(kind: CurveKind, *points: tuple[float, float], **options: object) -> Curve:
    made = tuple(Point(x=x, y=y) for x, y in points)
    return Curve(kind=kind, points=made, **options)  # type: ignore[arg-type]  # a test's shorthand


VOLT_VAR = curve(
    CurveKind.VOLT_VAR, (90, 44), (97, 0), (103, 0), (110, -44),
    reference=Reference.MAX_W, response_s=7.0,
)  # fmt: skip
VOLT_WATT = curve(CurveKind.VOLT_WATT, (105, 100), (109, 0))
WATT_VAR = curve(CurveKind.WATT_VAR, (0, 0), (100, -20), reference=Reference.MAX_VAR)
LV_TRIP = curve(CurveKind.LV_MUST_TRIP, (0.5, 45), (11, 88))
HF_TRIP = curve(CurveKind.HF_MUST_TRIP, (0.2, 51.8), (200, 51.3))
DROOP = FrequencyDroop(
    over_dead_band_hz=0.02,
    under_dead_band_hz=0.03,
    over_slope=0.04,
    under_slope=0.06,
    response_s=2.0,
)
PF = FixedPowerFactor(power_factor=0.95, absorbs_var=True, while_="injecting")
PF_ABSORBING = replace(PF, while_="absorbing")
VAR = FixedVar(percent=-25.0, reference=Reference.MAX_VAR)


class LeapingHardwareTime(FastClock):
    """Also the inverter's time, which a test may let leap for it alone."""

    def __init__(self) -> None:
        super().__init__(10.0)
        self.ahead_s = 0.0

    def elapsed(self) -> float:
        return self.monotonic() + self.ahead_s


@pytest.fixture
def clock() -> LeapingHardwareTime:
    return LeapingHardwareTime()


@pytest.fixture
def memory() -> MemoryKeyValues:
    return MemoryKeyValues()


def inverter(clock: LeapingHardwareTime, port: int = 0) -> Hardware:
    pv = Pv(
        rated_w=50e3, sky=DriftingSky(clearness=0.8, swing=0.0, drift=Drift.seeded("sky", 300.0))
    )
    return Hardware(id="roof", listener=Listener(port=port), pv=pv, elapsed=clock.elapsed)


@asynccontextmanager
async def agent(
    address: Address, memory: MemoryKeyValues, clock: Clock
) -> AsyncIterator[SunSpecFunctions]:
    """One life of the agent's side; what it keeps is in `memory`."""
    async with linked(address.port, timeout_s=2.0, clock=clock) as link:
        yield SunSpecFunctions(
            link, 1, device_id="roof", memory=memory, clock=clock, lease_s=LEASE_S
        )


def image(functions: Functions, model_id: int) -> dict[str, float]:
    """Everything that lasts in a model, timers and requests left out."""
    passing = ("Rvrt", "Adpt")
    found = functions.image
    names = [n for n in found.names(model_id) if not any(word in n for word in passing)]
    active = [n for n in names if n[:3] not in ("Crv", "Ctl") or n[4:6] == "1."]
    return {name: found.get(model_id, name) for name in active}


@pytest.mark.parametrize(
    ("asked", "enabled", "model_id"),
    [
        pytest.param([VOLT_VAR], {"volt_var"}, 705, id="volt-var"),
        pytest.param([VOLT_WATT], {"volt_watt"}, 706, id="volt-watt"),
        pytest.param([LV_TRIP], set(), 707, id="low voltage trip"),
        pytest.param([HF_TRIP], set(), 710, id="high frequency trip"),
        pytest.param([DROOP], {"frequency_droop"}, 711, id="droop"),
        pytest.param([WATT_VAR], {"watt_var"}, 712, id="watt-var"),
        pytest.param([PF], {"PFWInj"}, 704, id="power factor"),
        pytest.param([VAR], {"VarSet"}, 704, id="var"),
    ],
)
async def test_a_function_comes_and_goes(
    clock: LeapingHardwareTime,
    memory: MemoryKeyValues,
    asked: list[InverterFunction],
    enabled: set[str],
    model_id: int,
) -> None:
    hardware = inverter(clock)
    before = image(hardware.functions, model_id)
    async with hardware.serving() as address, agent(address, memory, clock) as functions:
        assert await functions.hold(asked) == {}
        assert hardware.functions.enabled == TRIPS | enabled
        assert image(hardware.functions, model_id) != before
        assert await functions.hold(asked) == {}
        assert await functions.hold([]) == {}
    left = image(hardware.functions, model_id)
    beyond = {name for name in left if name not in before or left[name] != before[name]}
    assert all(".Pt." in name for name in beyond), "only points that are not active may remain"
    assert hardware.functions.enabled == TRIPS
    assert await memory.get(MEMORY_KEY + "roof") == "{}"


async def test_a_curve_is_adopted_once_and_then_only_its_timer_renewed(
    clock: LeapingHardwareTime, memory: MemoryKeyValues
) -> None:
    hardware = inverter(clock)
    async with hardware.serving() as address, agent(address, memory, clock) as functions:
        await functions.hold([VOLT_VAR])
        assert hardware.functions.curve(705) == [(90, 44), (97, 0), (103, 0), (110, -44)]
        assert hardware.functions.image.get(705, "Crv.1.DeptRef") == 0
        assert hardware.functions.image.get(705, "Crv.1.RspTms") == 7
        assert hardware.functions.adoptions == 1
        clock.ahead_s += LEASE_S * 0.6
        await functions.hold([VOLT_VAR])
        clock.ahead_s += LEASE_S * 0.6
        hardware.functions.step()
        assert hardware.functions.curve(705)[0] == (90, 44)
        assert hardware.functions.adoptions == 1
        steeper = replace(VOLT_VAR, points=(Point(x=95, y=44), Point(x=105, y=-44)))
        await functions.hold([steeper])
        assert hardware.functions.curve(705) == [(95, 44), (105, -44)]
        await functions.hold([])
        assert hardware.functions.curve(705) == OWN_VOLT_VAR


async def test_modes_of_reactive_power_take_turns(
    clock: LeapingHardwareTime, memory: MemoryKeyValues
) -> None:
    hardware = inverter(clock)
    hardware.functions.image.put(704, "PFWInjEna", 1)
    hardware.functions.image.put(704, "PFWInj.PF", 0.98)
    async with hardware.serving() as address, agent(address, memory, clock) as functions:
        await functions.hold([VOLT_VAR, VOLT_WATT])
        assert hardware.functions.enabled == TRIPS | {"volt_var", "volt_watt"}
        await functions.hold([VAR, VOLT_WATT])
        assert hardware.functions.enabled == TRIPS | {"VarSet", "volt_watt"}
        await functions.hold([PF])
        assert hardware.functions.enabled == TRIPS | {"PFWInj"}
        assert hardware.functions.image.get(704, "PFWInj.PF") == 0.95
        await functions.hold([])
    assert hardware.functions.enabled == TRIPS | {"PFWInj"}
    assert hardware.functions.image.get(704, "PFWInj.PF") == 0.98


async def test_what_it_refuses_is_named_and_leaves_the_rest_alone(
    clock: LeapingHardwareTime, memory: MemoryKeyValues
) -> None:
    hardware = inverter(clock)
    hardware.functions.image.put(704, "PFWInjEna", 1)
    falling = replace(VOLT_VAR, points=(Point(x=105, y=0), Point(x=95, y=44)))
    async with hardware.serving() as address, agent(address, memory, clock) as functions:
        refused = await functions.hold([falling, VOLT_WATT])
        assert refused == {"volt_var": "model 705: it failed to adopt the curve"}
        assert hardware.functions.enabled == TRIPS | {"PFWInj", "volt_watt"}
        assert hardware.functions.curve(705) == OWN_VOLT_VAR
        assert await functions.hold([falling, VOLT_WATT]) == refused
        assert await functions.hold([VOLT_VAR]) == {}
        assert hardware.functions.enabled == TRIPS | {"volt_var"}


async def test_more_than_an_inverter_can_hold_is_refused_before_anything_is_written(
    clock: LeapingHardwareTime, memory: MemoryKeyValues
) -> None:
    high = replace(VOLT_VAR, points=(Point(x=900, y=1),))
    async with inverter(clock).serving() as address, agent(address, memory, clock) as functions:
        assert (await functions.hold([high]))["volt_var"].startswith("Crv.1.Pt.1.V cannot be")


async def test_an_old_inverter_knows_no_functions(
    clock: LeapingHardwareTime, memory: MemoryKeyValues
) -> None:
    pv = Pv(
        rated_w=50e3, sky=DriftingSky(clearness=0.8, swing=0.0, drift=Drift.seeded("sky", 300.0))
    )
    old = OldHardware(id="roof", listener=Listener(), pv=pv, elapsed=clock.elapsed)
    async with old.serving() as address, agent(address, memory, clock) as functions:
        refused = await functions.hold([VOLT_VAR, PF])
        assert refused == {
            "volt_var": "no model 705",
            "power_factor_injecting": "no model 704.PFWInj",
        }
        assert await functions.hold([]) == {}


async def test_an_endless_adoption_is_worth_another_try(
    clock: LeapingHardwareTime, memory: MemoryKeyValues
) -> None:
    hardware = inverter(clock)
    hardware.functions.adopts_after_s = 1e6
    async with hardware.serving() as address, agent(address, memory, clock) as functions:
        with pytest.raises(TransientError, match="model 705: not adopted within 30 s"):
            await functions.hold([VOLT_VAR, PF_ABSORBING])
        assert "PFWAbs" in hardware.functions.enabled, "the others do not wait for it"
        hardware.functions.adopts_after_s = 0.0
        assert await functions.hold([VOLT_VAR]) == {}
    assert hardware.functions.enabled == TRIPS | {"volt_var"}


async def test_a_restarted_inverter_gets_its_functions_again(
    clock: LeapingHardwareTime, memory: MemoryKeyValues
) -> None:
    first = inverter(clock)
    async with first.serving() as address, agent(address, memory, clock) as functions:
        await functions.hold([VOLT_VAR])
    second = inverter(clock, address.port)
    async with second.serving(), agent(address, memory, clock) as functions:
        assert second.functions.enabled == TRIPS
        assert await functions.hold([VOLT_VAR]) == {}
        assert second.functions.enabled == TRIPS | {"volt_var"}
        assert second.functions.curve(705)[0] == (90, 44)


async def test_a_killed_agent_takes_back_in_its_next_life_what_it_had_set(
    clock: LeapingHardwareTime, memory: MemoryKeyValues
) -> None:
    hardware = inverter(clock)
    everything: list[InverterFunction] = [VOLT_VAR, VOLT_WATT, LV_TRIP, HF_TRIP, DROOP]
    async with hardware.serving() as address:
        async with agent(address, memory, clock) as functions:
            assert await functions.hold(everything) == {}
        assert hardware.functions.enabled == TRIPS | {"volt_var", "volt_watt", "frequency_droop"}
        assert hardware.functions.curve(707, within="MustTrip.") == [(45, 0.5), (88, 11)]
        assert hardware.functions.curve(707, within="MayTrip.") == [(50, 1), (70, 1)]
        async with agent(address, memory, clock) as functions:
            assert await functions.hold([]) == {}
        assert hardware.functions.enabled == TRIPS
        assert hardware.functions.curve(705) == OWN_VOLT_VAR
        assert hardware.functions.curve(707, within="MustTrip.") == [(70, 2), (88, 21)]
        assert hardware.functions.image.get(711, "Ctl.1.KOf") == 0.05


async def test_an_agent_that_stays_dead_is_outlived_by_the_inverters_own_timers(
    clock: LeapingHardwareTime, memory: MemoryKeyValues
) -> None:
    hardware = inverter(clock)
    hardware.functions.image.put(706, "Ena", 1)
    async with hardware.serving() as address:
        async with agent(address, memory, clock) as functions:
            await functions.hold([PF, VOLT_WATT, DROOP])
        clock.ahead_s += LEASE_S
        hardware.functions.step()
        assert "PFWInj" not in hardware.functions.enabled
        assert hardware.functions.image.get(704, "PFWInj.PF") == 1.0
        assert hardware.functions.curve(706) == [(106, 100), (110, 20)], "as it was before"
        assert hardware.functions.image.get(711, "Ctl.1.DbOf") == 10, "it was off: does nothing"
        async with agent(address, memory, clock) as functions:
            await functions.hold([])
        assert hardware.functions.enabled == TRIPS | {"volt_watt"}
        assert hardware.functions.image.get(711, "Ctl.1.DbOf") == 0.036


async def test_an_inverter_off_by_itself_falls_back_to_a_flat_curve(
    clock: LeapingHardwareTime, memory: MemoryKeyValues
) -> None:
    hardware = inverter(clock)
    async with hardware.serving() as address:
        async with agent(address, memory, clock) as functions:
            await functions.hold([VOLT_VAR])
        clock.ahead_s += LEASE_S
        hardware.functions.step()
        assert hardware.functions.curve(705) == [(1, 0), (200, 0)]


async def test_a_battery_does_the_same_beside_its_setpoint(
    clock: LeapingHardwareTime, memory: MemoryKeyValues
) -> None:
    state = Battery(capacity_wh=200e3, max_charge_w=90e3, max_discharge_w=100e3, soc_pct=61.5)
    hardware = BatteryHardware(
        id="roof", listener=Listener(), battery=state, elapsed=clock.elapsed, functions=True
    )
    assert hardware.functions is not None
    async with hardware.serving() as address, agent(address, memory, clock) as functions:
        assert await functions.hold([PF, PF_ABSORBING, LV_TRIP]) == {}
        assert hardware.functions.enabled == TRIPS | {"PFWInj", "PFWAbs"}
        await functions.hold([PF_ABSORBING])
        assert hardware.functions.enabled == TRIPS | {"PFWAbs"}
