"""Every profile that comes with the agent reads its capture right, over a real socket."""

from pathlib import Path

import pytest

from contracts.clock import SystemClock
from site_agent.devices.commissioning.capture import load
from site_agent.devices.commissioning.replay import serving
from site_agent.devices.profiles.library import catalog
from site_agent.devices.profiles.source import ProfileSource
from support.live_source import read_all
from support.modbus_link import linked

CAPTURES = Path(__file__).parents[3] / "captures"
READS: dict[str, dict[str, float | None]] = {
    "abb.b23": {
        "active_power": 0.54,
        "active_power_l1": 0.54,
        "active_power_l2": 0.0,
        "active_power_l3": 0.0,
        "current_l1": 5.12,
        "current_l2": 0.0,
        "current_l3": 0.25,
        "voltage_l1": 230.4,
        "voltage_l2": 229.8,
        "voltage_l3": 231.1,
        "reactive_power": -12.0,
        "frequency": 49.98,
        "power_factor": 0.435,
        "import_energy": 12_345_670.0,
        "export_energy": None,
    },
    "alfen.ng9xx": {
        "plugged": 1.0,
        "charging": 1.0,
        "fault": 0.0,
        "online": 1.0,
        "active_power": 11_040.0,
        "current_l1": 15.9,
        "current_l2": 16.1,
        "current_l3": 16.0,
        "current_limit": 16.0,
        "import_energy": 345_678.0,
    },
    "carlo-gavazzi.em24": {
        "active_power": 1210.0,
        "active_power_l1": 2300.0,
        "active_power_l2": -1140.0,
        "active_power_l3": 50.0,
        "current_l1": 10.04,
        "current_l2": 5.01,
        "current_l3": 0.25,
        "voltage_l1": 230.1,
        "voltage_l2": 229.6,
        "voltage_l3": 231.0,
        "frequency": 49.9,
        "import_energy": 12_345_600.0,
        "export_energy": 78_900.0,
    },
    "carlo-gavazzi.em540": {
        "active_power": -446.6,
        "active_power_l1": -47.6,
        "active_power_l2": -341.8,
        "active_power_l3": -57.2,
        "current_l1": 1.031,
        "current_l2": 2.68,
        "current_l3": 0.259,
        "voltage_l1": 232.7,
        "voltage_l2": 232.7,
        "voltage_l3": 233.5,
        "reactive_power": 709.6,
        "frequency": 49.977,
        "import_energy": 1159.0,
    },
    "eastron.sdm230": {
        "active_power": 4551.53,
        "current_l1": 19.76,
        "voltage_l1": 230.4,
        "frequency": 49.98,
        "import_energy": 10_909_282.0,
        "export_energy": 12_500.0,
    },
    "eastron.sdm630": {
        "active_power": 1560.0,
        "active_power_l1": 2300.0,
        "active_power_l2": -1140.0,
        "active_power_l3": 400.0,
        "current_l1": 10.0,
        "current_l2": 5.0,
        "current_l3": 2.0,
        "voltage_l1": 231.0,
        "voltage_l2": 229.5,
        "voltage_l3": 230.2,
        "reactive_power": -120.0,
        "frequency": 50.01,
        "import_energy": 1_234_500.0,
        "export_energy": 67_800.0,
    },
    "huawei.sun2000": {
        "active_power": -42_500.0,
        "reactive_power": 1500.0,
        "fault": 0.0,
        "frequency": 50.01,
        "temperature": 41.2,
        "export_energy": 1_234_560.0,
    },
    "keba.p30": {
        "plugged": 1.0,
        "charging": 1.0,
        "fault": 0.0,
        "active_power": 11_040.0,
        "current_l1": 15.9,
        "current_l2": 16.1,
        "current_l3": 16.0,
        "import_energy": 345_678.0,
    },
    "sma.tripower": {
        "active_power": -2423.0,
        "frequency": 49.99,
        "export_energy": 14_762_629.0,
    },
    "sungrow.sg": {
        "active_power": -21_000.0,
        "fault": 0.0,
        "voltage_l1": 230.1,
        "voltage_l2": 230.2,
        "voltage_l3": 230.3,
        "export_energy": 98_765_000.0,
    },
    "sungrow.sh": {
        "active_power": -3400.0,
        "soc": 65.5,
        "soh": 98.0,
        "temperature": 25.3,
        "dc_voltage": 512.3,
        "export_energy": 4_321_000.0,
    },
    "victron.multi": {
        "active_power": -3590.0,
        "active_power_l1": -1200.0,
        "active_power_l2": -1180.0,
        "active_power_l3": -1210.0,
        "voltage_l1": 230.1,
        "voltage_l2": 230.5,
        "voltage_l3": 229.8,
        "soc": 76.0,
    },
}


def test_every_profile_has_its_capture_here() -> None:
    assert sorted(READS) == sorted(catalog())
    assert sorted(path.stem for path in CAPTURES.glob("*.json")) == sorted(catalog())


@pytest.mark.row("trap:P6")
@pytest.mark.parametrize("name", sorted(READS))
async def test_a_profile_reads_its_capture(name: str) -> None:
    profile, clock = catalog()[name], SystemClock()
    extents: list[int] = []
    async with (
        serving(load(CAPTURES / f"{name}.json"), asked=lambda *what: extents.append(what[3])) as (
            _,
            port,
        ),
        linked(port, timeout_s=5.0) as link,
    ):
        source = ProfileSource(profile, link, name=name, clock=clock, wake=lambda: None)
        readings = await read_all(source, clock)
    found = {point: reading.value for point, reading in readings.items()}
    assert found == pytest.approx(READS[name], abs=0.06, rel=1e-6)
    assert max(extents) <= profile.transport.max_block
