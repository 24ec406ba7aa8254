"""Devices on MQTT of the site `d1`, and the broker they meet at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from contracts.mqtt_broker import BrokerTls
from contracts.time import Clock
from site_agent.devices.mqtt.broker import Access, SiteBroker
from site_agent.devices.mqtt.device import access
from site_agent.devices.mqtt.library import load_map

PASSWORDS = {"b1": "one", "b2": "two"}
OWN = load_map("gridyard.battery")


def names(device_id: str, **more: str) -> Mapping[str, str]:
    """What stands for a map's placeholders."""
    return {"site": "d1", "device": device_id, **more}


def batteries() -> list[Access]:
    """Two that speak our own scheme."""
    return [access(OWN, names(one), name=one, password=PASSWORDS[one]) for one in PASSWORDS]


def broker_of(
    folder: Path,
    clock: Clock,
    devices: Sequence[Access] | None = None,
    tls: BrokerTls | None = None,
) -> SiteBroker:
    return SiteBroker(devices or batteries(), folder=folder, clock=clock, tls=tls)
