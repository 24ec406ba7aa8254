"""Settings of devices on M-Bus, CAN and DLMS/COSEM."""

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.config import loads
from contracts.errors import ConfigError
from site_agent.config import SiteSettings
from site_agent.config.buses import CanSettings, DlmsSettings, MBusSettings

MBUS = {"kind": "mbus", "host": "192.0.2.9", "port": 10001, "address": 5}


@pytest.mark.parametrize(
    "change",
    [
        {"serial": {"device": "/dev/ttyUSB0"}},  # in two places
        {"host": None},
        {"port": None},
        {"secondary": "12345678"},  # two addresses
        {"address": None},
        {"address": 253},
        {"address": 255},
        {"address": None, "secondary": "1234"},
        {"records": {"active_power": {"dib": "4", "vib": "2A"}}},
        {"records": {"active_power": {"dib": "04" * 12, "vib": "2A"}}},
        {"baud": 2400},
    ],
)
def test_no_such_meter_on_an_m_bus(change: dict[str, object]) -> None:
    MBusSettings.model_validate(MBUS)
    with pytest.raises(ValidationError):
        MBusSettings.model_validate(MBUS | change)


@pytest.mark.parametrize(
    "can",
    [
        {"dbc": "x.dbc"},  # without a map
        {"signals": {"soc": {"signals": ["A.b"]}}},  # without a file
        {"faults": [{"signals": ["A.b"], "equals": 1}]},
        {"dbc": "x.dbc", "signals": {"soc": {"signals": []}}},
        {"dbc": "x.dbc", "signals": {"soc": {"signals": ["no dot"]}}},
        {"interface": "../x"},
        {"max_age_s": 600},
    ],
)
def test_no_such_battery_management(can: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CanSettings.model_validate(can)


@pytest.mark.parametrize("obis", ["1.8.0", "1-0:1.8", "1-0:1.8.0.255"])
def test_no_such_obis_code(obis: str) -> None:
    with pytest.raises(ValidationError):
        DlmsSettings.model_validate(
            {"kind": "dlms", "host": "192.0.2.9", "obis": {"import_energy": obis}}
        )


def test_a_password_is_not_shown() -> None:
    dlms = {"kind": "dlms", "host": "192.0.2.9", "password": "do-not-tell"}
    settings = TypeAdapter(DlmsSettings).validate_python(dlms)
    assert "do-not-tell" not in repr(settings)


SITE = """
site_id: depot-1
data: ./data
contract_limit_w: 150000
max_building_w: 30000
circuit: {limit_a: 250}
meter: {kind: mbus, host: 192.0.2.9, port: 10001, secondary: "12345678"}
batteries:
  - id: bess-1
    kind: sunspec
    host: 192.0.2.20
    capacity_wh: 60000
    max_charge_w: 30000
    max_discharge_w: 30000
    bms: {channel: can0, keep_alive: true}
sensors:
  - {id: workshop, kind: mbus, serial: {device: /dev/ttyUSB0}, address: 7}
  - {id: kitchen, kind: dlms, host: 192.0.2.31, password: "12345678"}
  - {id: cells, kind: can, channel: can1}
"""


def test_a_site_with_all_of_them() -> None:
    site = loads(SITE, SiteSettings, name="site.yaml")
    assert site.meter.kind == "mbus"
    assert site.batteries[0].bms == CanSettings(channel="can0", keep_alive=True)
    assert [one.kind for one in site.sensors] == ["mbus", "dlms", "can"]


def test_ids_are_used_once() -> None:
    with pytest.raises(ConfigError, match="kitchen"):
        loads(SITE.replace("id: cells", "id: kitchen"), SiteSettings, name="site.yaml")
