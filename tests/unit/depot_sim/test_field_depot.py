"""A depot with the field's hardware, without its sockets: grid, outage, parts with meters."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.config import loads
from contracts.errors import ConfigError
from contracts.testing import FakeClock
from depot_sim.config import DepotSettings
from depot_sim.depot import Depot
from depot_sim.faults import FaultKind
from depot_sim.modbus.pdu import Table
from depot_sim.mqtt.battery import MqttBattery
from depot_sim.physics.sky import RealSky
from depot_sim.sunspec.battery import SunSpecBattery
from depot_sim.sunspec.inverter import SunSpecInverter

BATTERY = "{id: bess, capacity_wh: 50000, max_charge_w: 20000, max_discharge_w: 20000"


def depot(**more: Any) -> tuple[Depot, FakeClock]:
    clock = FakeClock()
    battery = {
        "id": "bess",
        "kind": "sunspec",
        "capacity_wh": 50_000,
        "max_charge_w": 20_000,
        "max_discharge_w": 20_000,
    }
    values = {
        "site_id": "north",
        "building": {"base_w": 9_000, "swing_w": 0},
        "batteries": [battery, battery | {"id": "sh", "kind": "sungrow"}],
        "pv": [{"id": "pv", "rated_w": 10_000, "clearness": 0.5, "swing": 0}],
        "modbus_chargers": [{"id": "ac-1"}, {"id": "ac-2"}],
        "contacts": [{"id": "io"}],
    }
    return Depot(DepotSettings.model_validate(values | more), clock), clock


async def passes(hardware: Depot, clock: FakeClock, seconds: float) -> None:
    for _ in range(round(seconds / 0.5)):
        await clock.advance(0.5)
        hardware.step(0.5)


async def test_an_outage_takes_everything_and_gives_it_back_in_turn() -> None:
    hardware, clock = depot()
    await passes(hardware, clock, 2)
    assert hardware.plant.power_w == pytest.approx(9_000 - 5_000)
    hardware.fail("grid", FaultKind.OUTAGE, 30)
    await passes(hardware, clock, 1)
    assert hardware.plant.phases_w == (0.0, 0.0, 0.0)
    assert hardware.plant.phases_v == (0.0, 0.0, 0.0)
    assert hardware.plant.frequency_hz == 0.0
    dark: list[Any] = [hardware.meter, hardware.pv["pv"], *hardware.modbus_chargers.values()]
    assert not any(device.powered for device in dark)
    imported_wh = hardware.plant.import_wh
    await passes(hardware, clock, 31)
    assert hardware.plant.phases_v[0] == 230.0
    assert not hardware.meter.powered
    await passes(hardware, clock, 2)
    assert hardware.meter.powered
    chargers = hardware.modbus_chargers
    assert [charger.powered for charger in chargers.values()] == [False, False]
    await passes(hardware, clock, 2)
    assert [charger.powered for charger in chargers.values()] == [True, False]
    assert hardware.plant.power_w == pytest.approx(9_000)
    assert hardware.plant.import_wh > imported_wh
    await passes(hardware, clock, 60)
    assert hardware.plant.power_w == pytest.approx(4_000)


async def test_an_outage_without_end_ends_when_told_so() -> None:
    hardware, clock = depot()
    hardware.fail("grid", FaultKind.OUTAGE, None)
    await passes(hardware, clock, 600)
    assert hardware.plant.power_w == 0.0
    hardware.fail("grid", FaultKind.OUTAGE, 0)
    await passes(hardware, clock, 70)
    assert hardware.plant.power_w == pytest.approx(4_000)


async def test_a_battery_may_island() -> None:
    hardware, clock = depot(
        batteries=[
            {
                "id": "bess",
                "kind": "sunspec",
                "islands": True,
                "capacity_wh": 50_000,
                "max_charge_w": 20_000,
                "max_discharge_w": 6_000,
            }
        ]
    )
    hardware.fail("grid", FaultKind.OUTAGE, 60)
    await passes(hardware, clock, 10)
    bess = hardware.batteries["bess"]
    assert sum(bess.phases_w) == pytest.approx(-6_000)
    assert hardware.plant.power_w == 0.0
    await passes(hardware, clock, 60)
    assert sum(bess.phases_w) == 0.0


ISLAND = {
    "id": "bess",
    "kind": "sunspec",
    "islands": True,
    "capacity_wh": 50_000,
    "max_charge_w": 20_000,
    "max_discharge_w": 20_000,
}


async def test_an_island_feeds_what_is_backed_up() -> None:
    hardware, clock = depot(batteries=[ISLAND], grid={"backed_up": ["pv"]})
    hardware.fail("grid", FaultKind.OUTAGE, 60)
    await passes(hardware, clock, 10)
    assert sum(hardware.batteries["bess"].phases_w) == pytest.approx(-4_000), "9 kW less 5 of PV"
    assert hardware.plant.power_w == 0.0
    await passes(hardware, clock, 60)
    assert hardware.plant.power_w == pytest.approx(4_000)


async def test_an_island_that_cannot_bear_its_load_collapses() -> None:
    hardware, clock = depot(
        batteries=[{**ISLAND, "max_discharge_w": 3_000}],
        grid={"backed_up": ["pv"], "pv_s": 5},
    )
    hardware.fail("grid", FaultKind.OUTAGE, 60)
    await passes(hardware, clock, 30)
    assert sum(hardware.pv["pv"].phases_w) == 0.0
    assert sum(hardware.batteries["bess"].phases_w) == 0.0
    await passes(hardware, clock, 30 + 10)
    assert hardware.plant.power_w == pytest.approx(4_000)


async def test_the_grid_sags_and_its_frequency_falls() -> None:
    hardware, clock = depot(grid={"impedance_ohm": 0.1}, pv=[])
    await passes(hardware, clock, 1)
    assert hardware.plant.phases_v[0] == pytest.approx(230 - 0.1 * 9_000 * 0.36 / 230)
    hardware.fail("grid", FaultKind.FREQUENCY, 5, -0.4)
    hardware.fail("grid", FaultKind.VOLTAGE, 5)
    await passes(hardware, clock, 1)
    assert hardware.plant.frequency_hz == pytest.approx(49.6)
    assert hardware.plant.phases_v[1] < 206
    await passes(hardware, clock, 5)
    assert hardware.plant.frequency_hz == 50.0
    with pytest.raises(ValueError, match="no fault freeze here"):
        hardware.fail("grid", FaultKind.FREEZE, 1)


async def test_parts_have_meters_of_their_own() -> None:
    hardware, clock = depot(
        building={"base_w": 9_000, "swing_w": 0, "power_factor": 0.9},
        meters=[
            {"id": "m-pv", "kind": "sdm630", "of": "pv"},
            {"id": "m-building", "kind": "em540", "of": "building"},
        ],
    )
    await passes(hardware, clock, 36)
    building, roof = (hardware._points.shown(part)() for part in ("building", "pv"))
    assert building.power_w == pytest.approx(9_000)
    assert building.power_factor == pytest.approx(0.9)
    assert building.import_wh == pytest.approx(90)
    assert roof.power_w == pytest.approx(-5_000)
    assert roof.export_wh == pytest.approx(50)
    assert roof.power_factor == -1.0
    assert 0.3 < hardware.plant.power_factor < 0.9


async def test_a_lying_meter_counts_its_lies() -> None:
    hardware, clock = depot(pv=[])
    await passes(hardware, clock, 10)
    hardware.fail("pcc", FaultKind.SIGN_FLIPPED, 36)
    await passes(hardware, clock, 46)
    shown = hardware.meter._metering.shows()
    assert shown.power_w == pytest.approx(9_000)
    assert shown.export_wh == pytest.approx(90, abs=2)
    assert hardware.plant.export_wh == 0.0


def test_the_sun_needs_a_place() -> None:
    place = {"latitude_deg": 52.5, "longitude_deg": 13.4, "begin": "2026-06-21T11:00:00Z"}
    hardware, _ = depot(place=place, pv=[{"id": "pv", "rated_w": 1e4, "sky": "sun", "cover": 0}])
    sky = hardware.pv["pv"].pv.sky
    assert isinstance(sky, RealSky)
    assert sky.share(0.0) > 0.8
    assert sky.share(12 * 3600.0) == 0.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("meter: {bus: b, unit_id: 2}", "pcc: no bus 'b'"),
        ("buses: [{id: b}]\nmeter: {bus: b, port: 7}", "a device on a bus has no port"),
        ("meter: {kind: em540, rated_a: 3, framing: ascii}", "framing"),
        ("meters: [{id: m, kind: em540, of: nobody}]", "m: nothing called 'nobody'"),
        ("pv: [{id: p, rated_w: 1, sky: sun}]", "sky: sun needs a place"),
        ("pv: [{id: p, rated_w: 1, kind: acme}]", "acme"),
        (f"batteries: [{BATTERY}, kind: sunspec, control: '124', islands: true}}]", "124"),
        (f"batteries: [{BATTERY}, kind: sungrow, lowest_pct: 60, highest_pct: 50}}]", "below"),
        ("contacts: [{id: io, count: 2, closes: [{at_s: 1, contact: 2}]}]", "there are 2"),
        ("contacts: [{id: grid}]", "used twice: grid"),
        ("grid: {backed_up: [nobody]}", "no charger or PV called 'nobody'"),
        ("faults: [{at_s: 1, device: grid, kind: freeze}]", "knows frequency, outage, voltage"),
        ("faults: [{at_s: 1, device: pcc, kind: late-timer}]", "'pcc' knows"),
    ],
)
def test_a_mistake_in_the_field_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        loads(f"site_id: a\n{text}", DepotSettings, name="depot.yaml")


async def test_devices_see_the_grid_and_sleepers_see_none() -> None:
    night = {"latitude_deg": 52.5, "longitude_deg": 13.4, "begin": "2026-06-21T23:00:00Z"}
    roof = {"id": "pv", "rated_w": 10_000, "sky": "sun"}
    hardware, clock = depot(place=night, pv=[roof])
    hardware.fail("grid", FaultKind.FREQUENCY, None, -0.4)
    await passes(hardware, clock, 1)
    bess, pv = hardware.batteries["bess"], hardware.pv["pv"]
    assert isinstance(bess, SunSpecBattery)
    assert isinstance(pv, SunSpecInverter)
    for device in (bess, pv):
        device.read(Table.HOLDING, 40_000, 1)
    assert bess._image.get(701, "Hz") == pytest.approx(49.6)
    assert bess._image.get(701, "VL2") == 230.0
    assert (pv._image.get(103, "Hz"), pv._image.get(103, "PhVphA")) == (0.0, 0.0)
    assert pv._image.get(103, "St") == 2
    assert pv._image.implemented(103, "Hz")


async def test_what_has_no_simulated_supply_loses_its_network_in_an_outage() -> None:
    tank = {
        "id": "tank",
        "kind": "mqtt",
        "capacity_wh": 50_000,
        "max_charge_w": 20_000,
        "max_discharge_w": 20_000,
    }
    hardware, clock = depot(batteries=[tank])
    hardware.fail("grid", FaultKind.OUTAGE, 10)
    battery = hardware.batteries["tank"]
    assert isinstance(battery, MqttBattery)
    assert battery.faults.remaining_s(FaultKind.DROP) == pytest.approx(13)
    await passes(hardware, clock, 5)
    assert hardware.plant.power_w == 0.0
