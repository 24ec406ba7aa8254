"""OCPP 2.1, edition 1: 2.0.1 with more words, and vehicles that feed back."""

from __future__ import annotations

from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.versions.v21.charging import Charging21, Configuration21
from site_agent.devices.ocpp.versions.v21.told import HANDLERS
from site_agent.devices.ocpp.versions.v201 import Ocpp201
from site_agent.devices.ocpp.wire.frames import Fault


class Ocpp21(Charging21, Configuration21, Ocpp201):
    """`Dialect` of 2.1."""

    version = Version.V21
    discharges = True
    handlers = HANDLERS
    requests = (*Ocpp201.requests, "NotifyAllowedEnergyTransfer", "UsePriorityCharging")

    def error_code(self, fault: Fault) -> str | None:
        """Part 4 §4.3; a SEND (type 6, only used for streams we never open) gets no answer."""
        return None if fault is Fault.MESSAGE_TYPE else super().error_code(fault)
