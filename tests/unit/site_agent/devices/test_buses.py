"""From settings to sources of M-Bus, CAN and DLMS devices."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from contracts.clock import SystemClock
from contracts.errors import ConfigError
from site_agent.config.buses import CanSettings, DlmsSettings, MBusSettings
from site_agent.config.devices import SunSpecBatterySettings
from site_agent.devices.bms import BatteryWithBms
from site_agent.devices.buses import BusSources
from site_agent.devices.registry import make_battery
from site_agent.devices.workshop import Workshop

DBC = """VERSION ""

BO_ 100 Pack: 8 BMS
 SG_ charge : 0|8@1+ (0.5,0) [0|100] "pct" X
 SG_ state : 8|8@1+ (1,0) [0|255] "" X
 SG_ amps_in : 16|16@1+ (1,0) [0|1000] "A" X
 SG_ amps_out : 32|16@1+ (1,0) [0|1000] "A" X
"""


def nothing() -> None:
    """Nobody is woken."""


@pytest.fixture
def sources() -> BusSources:
    return BusSources(SystemClock(), nothing)


def mbus(**more: object) -> MBusSettings:
    here = {"kind": "mbus", "host": "192.0.2.9", "port": 10001, "address": 5}
    return MBusSettings.model_validate(here | more)


def dlms(**more: object) -> DlmsSettings:
    return DlmsSettings.model_validate({"kind": "dlms", "host": "192.0.2.9", **more})


async def test_what_each_kind_shows(sources: BusSources) -> None:
    assert {"active_power", "import_energy"} <= {*sources.source("m", mbus()).board.points}
    assert {"active_power", "voltage_l3"} <= {*sources.source("d", dlms()).board.points}
    told = {*sources.source("c", CanSettings()).board.points}
    assert {"soc", "max_charge_power", "max_discharge_power", "fault"} <= told


async def test_what_is_said_by_hand(sources: BusSources, tmp_path: Path) -> None:
    meter = mbus(
        shows=["active_power", "current_l1"],
        records={"frequency": {"dib": "02", "vib": "FF52", "scale": 0.1}},
    )
    shown = sources.source("m", meter).board.points
    assert shown == ("active_power", "current_l1", "frequency")
    counter = dlms(obis={"import_energy": "1-0:1.8.0", "import_power": "1-0:1.7.0"})
    assert sources.source("d", counter).board.points == ("import_energy", "active_power")
    database = tmp_path / "pack.dbc"
    database.write_text(DBC)
    battery = CanSettings.model_validate(
        {
            "dbc": database,
            "signals": {
                "soc": {"signals": ["Pack.charge"]},
                "charge_current": {"signals": ["Pack.amps_in"]},
                "discharge_current": {"signals": ["Pack.amps_out"]},
            },
            "faults": [{"signals": ["Pack.state"], "differs": 0}],
        }
    )
    told = sources.source("c", battery).board.points
    assert told == ("soc", "fault", "max_charge_power", "max_discharge_power")


@pytest.mark.parametrize(
    "wrong",
    [
        mbus(shows=["happiness"]),
        mbus(records={"happiness": {"dib": "02", "vib": "FF52"}}),
        dlms(obis={"happiness": "1-0:1.8.0"}),
        CanSettings(dbc=Path("/no/such.dbc"), signals={}),
        CanSettings(interface="telepathy"),
    ],
)
def test_what_there_is_not(sources: BusSources, wrong: MBusSettings) -> None:
    with pytest.raises(ConfigError):
        sources.source("x", wrong)


def test_meters_of_one_bus_agree_how_it_is_spoken_to(sources: BusSources) -> None:
    sources.source("one", mbus())
    sources.source("two", mbus(address=6))
    with pytest.raises(ConfigError, match="do not agree"):
        sources.source("three", mbus(address=7, timeout_s=5))
    line = {"host": None, "port": None}
    sources.source("four", mbus(**line, serial={"device": "/dev/ttyS0"}))
    with pytest.raises(ConfigError, match="do not agree"):
        sources.source("five", mbus(**line, serial={"device": "/dev/ttyS0", "baud": 9600}))


@pytest.mark.parametrize(
    ("missing", "extra", "settings"),
    [
        ("meterbus", "mbus", mbus()),
        ("can", "can", CanSettings()),
        ("cantools", "can", CanSettings()),
        ("dlms_cosem", "dlms", dlms()),
    ],
)
def test_a_missing_package_is_told_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch,
    sources: BusSources,
    missing: str,
    extra: str,
    settings: MBusSettings,
) -> None:
    for name in [*sys.modules]:
        if name.split(".")[0] == missing or name.startswith(f"site_agent.devices.{extra}."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ConfigError, match=rf'pip install "gridyard\[{extra}\]"'):
        sources.source("x", settings)


async def test_a_battery_under_its_own_management() -> None:
    shop = Workshop("depot-1", SystemClock(), nothing)
    plain = {
        "id": "bess-1",
        "kind": "sunspec",
        "host": "192.0.2.20",
        "capacity_wh": 60_000,
        "max_charge_w": 30_000,
        "max_discharge_w": 30_000,
    }
    settings = SunSpecBatterySettings.model_validate(plain | {"bms": {"channel": "can1"}})
    battery = make_battery(shop, settings)
    assert isinstance(battery, BatteryWithBms)
    assert battery.spec.battery_id == "bess-1"
    assert not isinstance(
        make_battery(shop, SunSpecBatterySettings.model_validate(plain)), BatteryWithBms
    )
