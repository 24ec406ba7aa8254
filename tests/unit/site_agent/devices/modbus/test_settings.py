"""Where the settings of a Modbus device lead, and what they may not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from contracts.clock import SystemClock
from contracts.config import loads
from contracts.errors import ConfigError
from site_agent.config.devices import ModbusSettings
from site_agent.devices.modbus.settings import (
    Framing,
    LinkSettings,
    SerialLine,
    TlsFiles,
    link_settings,
)
from site_agent.devices.workshop import Workshop

TLS = "tls: {ca: ca.pem, cert: c.pem, key: c.key}"


def read(text: str) -> ModbusSettings:
    return loads(text, ModbusSettings, name="site.yaml")


def test_each_wire() -> None:
    assert link_settings(read("host: 10.0.0.7")) == LinkSettings(host="10.0.0.7", port=502)
    over_tcp = link_settings(read("{host: gw, port: 4196, framing: rtu, pace_s: 0.02}"))
    assert over_tcp == LinkSettings(host="gw", port=4196, framing=Framing.RTU, pace_s=0.02)
    secure = link_settings(read(f"{{host: gw, timeout_s: 2.5, {TLS}}}"))
    files = TlsFiles(ca=Path("ca.pem"), cert=Path("c.pem"), key=Path("c.key"))
    assert secure == LinkSettings(host="gw", port=802, tls=files, timeout_s=2.5)
    line = link_settings(read("serial: {device: /dev/ttyUSB0, baud: 9600, stop_bits: 2}"))
    assert line == LinkSettings(serial=SerialLine(device="/dev/ttyUSB0", baud=9600, stop_bits=2))
    assert line.is_bus
    assert line.where == "/dev/ttyUSB0"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("unit: 3", "either host or serial"),
        ("{host: a, serial: {device: /dev/ttyS0}}", "either host or serial"),
        ("{serial: {device: /dev/ttyS0}, port: 502}", "belong to a host"),
        (f"{{serial: {{device: /dev/ttyS0}}, {TLS}}}", "belong to a host"),
        (f"{{host: a, framing: rtu, {TLS}}}", "framing tcp"),
        ("{host: a, tls: {ca: ca.pem}}", "tls.cert"),
        ("serial: {device: 'socket://10.0.0.7:1'}", "serial.device"),
        ("serial: {device: 'spy:///dev/ttyS0?file=/etc/passwd'}", "serial.device"),
        ("serial: {device: /dev/ttyS0, baud: 1}", "serial.baud"),
        ("serial: {device: /dev/ttyS0, parity: M}", "serial.parity"),
        ("{host: a, timeout_s: 1e9}", "timeout_s"),
        ("{host: a, port: 70000}", "port"),
        ("{host: a, hots: b}", "hots"),
    ],
)
def test_what_is_refused_is_named(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        read(text)


@pytest.mark.row("trap:S14")
def test_devices_at_one_place_share_one_link() -> None:
    shop = Workshop("depot-1", SystemClock(), lambda: None)
    first = shop.link(read("{host: gw, port: 4196, framing: rtu, unit: 1}"))
    assert shop.link(read("{host: gw, port: 4196, framing: rtu, unit: 2}")) is first
    assert shop.link(read("{host: gw, unit: 2}")) is not first
    with pytest.raises(ConfigError, match="gw:4196: its devices do not agree"):
        shop.link(read("{host: gw, port: 4196, unit: 2}"))
    assert len(shop.links) == 2
