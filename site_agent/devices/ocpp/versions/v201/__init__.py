"""OCPP 2.0.1, edition 2."""

from __future__ import annotations

from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.versions.alike import Alike
from site_agent.devices.ocpp.versions.common import Served
from site_agent.devices.ocpp.versions.v201.charging import Charging201, Configuration201
from site_agent.devices.ocpp.versions.v201.operation import Access201, Operation201
from site_agent.devices.ocpp.versions.v201.told import HANDLERS
from site_agent.devices.ocpp.versions.v201.upkeep import Upkeep201
from site_agent.devices.ocpp.wire.frames import Fault


class Ocpp201(Served, Alike, Operation201, Configuration201, Charging201, Access201, Upkeep201):
    """`Dialect` of 2.0.1."""

    version = Version.V201
    handlers = HANDLERS
    discharges = False
    requests: tuple[str, ...] = (
        "CancelReservation", "CertificateSigned", "ChangeAvailability", "ClearCache",
        "ClearChargingProfile", "DataTransfer", "DeleteCertificate", "GetBaseReport",
        "GetChargingProfiles", "GetCompositeSchedule", "GetInstalledCertificateIds",
        "GetLocalListVersion", "GetLog", "GetReport", "GetTransactionStatus", "GetVariables",
        "InstallCertificate", "RequestStartTransaction", "RequestStopTransaction", "ReserveNow",
        "Reset", "SendLocalList", "SetChargingProfile", "SetVariables", "TriggerMessage",
        "UnlockConnector", "UpdateFirmware",
    )  # fmt: skip

    def error_code(self, fault: Fault) -> str | None:
        """Part 4 §4.3."""
        return fault.value
