"""Profiles that tests write: a small one that is right, to be broken or extended."""

from __future__ import annotations

from site_agent.devices.profiles.document import read
from site_agent.devices.profiles.schema import Profile

METER = """\
profile: 1
id: acme.meter
name: Acme meter
nature: meter
source: ["Acme, manual"]
groups:
  fast: {every: 0.1, max_age: 1}
points:
  active_power: {address: 0, type: int32}
"""
BATTERY = """\
profile: 1
id: acme.battery
name: Acme battery
nature: battery
source: ["Acme, manual"]
groups:
  fast: {every: 0.05, max_age: 1}
points:
  active_power: {address: 0, type: int32}
  soc: {address: 2, type: uint16}
controls:
  power:
    write:
      - {address: 12, type: uint16, put: lapse}
      - {address: 10, type: int32, put: value}
    release: [{address: 10, type: int32, put: 0}]
lapse: {seconds: 30, to: "0 W"}
"""
CHARGER = """\
profile: 1
id: acme.charger
name: Acme charger
nature: charger
source: ["Acme, manual"]
groups:
  fast: {every: 0.05, max_age: 2}
points:
  plugged: {address: 0, type: uint16, map: {0: 0, 1: 1, 2: 1}}
  charging: {address: 0, type: uint16, map: {2: 1}, otherwise: 0}
  active_power: {address: 1, type: int32}
  current_l1: {address: 3, type: uint16, scale: 0.1}
  import_energy: {address: 4, type: uint32}
controls:
  current_limit:
    at_rest: [0, 6]
    write:
      - {address: 11, type: uint16, put: fail_safe}
      - {address: 12, type: uint16, put: lapse}
      - {address: 10, type: uint16, scale: 0.1, put: value}
    release: [{address: 10, type: uint16, scale: 0.1, put: fail_safe}]
lapse: {seconds: 30, to: "its fail-safe current"}
"""


SENSOR = """\
profile: 1
id: acme.contacts
name: Acme contacts
nature: sensor
source: ["Acme, manual"]
groups:
  fast: {every: 0.1, max_age: 1}
points:
  contact: {address: 3, type: bool, table: coil}
  online: {address: 5, type: bool, table: discrete}
  fault: {address: 6, type: bool, table: discrete}
"""


def profile(text: str, *more: str) -> Profile:
    """A profile of this text with more lines at its end."""
    return read("\n".join((text, *more)), Profile, name="acme.yaml")
