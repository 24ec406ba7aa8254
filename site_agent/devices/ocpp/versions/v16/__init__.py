"""OCPP 1.6J, edition 2, with the security whitepaper (edition 3)."""

from __future__ import annotations

from collections.abc import Mapping

from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.versions.alike import Alike
from site_agent.devices.ocpp.versions.common import Served
from site_agent.devices.ocpp.versions.v16.charging import Charging16, Configuration16
from site_agent.devices.ocpp.versions.v16.operation import Access16, Operation16
from site_agent.devices.ocpp.versions.v16.told import HANDLERS
from site_agent.devices.ocpp.versions.v16.upkeep import Upkeep16
from site_agent.devices.ocpp.wire.frames import Fault

_SPELLED: Mapping[Fault, str | None] = {
    Fault.FORMAT: "FormationViolation",
    Fault.FRAME: "FormationViolation",
    Fault.MISSING: "OccurenceConstraintViolation",  # sic, OCPP-J 1.6 §4.2.3
    Fault.MESSAGE_TYPE: None,  # "SHALL ignore", OCPP-J 1.6 §4.1.3
}


class Ocpp16(Served, Alike, Operation16, Configuration16, Charging16, Access16, Upkeep16):
    """`Dialect` of 1.6J."""

    version = Version.V16
    handlers = HANDLERS
    discharges = False
    requests = (
        "CancelReservation", "CertificateSigned", "ChangeAvailability", "ChangeConfiguration",
        "ClearCache", "ClearChargingProfile", "DataTransfer", "DeleteCertificate",
        "ExtendedTriggerMessage", "GetCompositeSchedule", "GetConfiguration", "GetDiagnostics",
        "GetInstalledCertificateIds", "GetLocalListVersion", "GetLog", "InstallCertificate",
        "RemoteStartTransaction", "RemoteStopTransaction", "ReserveNow", "Reset", "SendLocalList",
        "SetChargingProfile", "SignedUpdateFirmware", "TriggerMessage", "UnlockConnector",
        "UpdateFirmware",
    )  # fmt: skip

    def error_code(self, fault: Fault) -> str | None:
        """OCPP-J 1.6 §4.2.3."""
        return _SPELLED.get(fault, fault.value)
