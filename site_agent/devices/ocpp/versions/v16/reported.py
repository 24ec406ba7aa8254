"""What 1.6 chargers report beside charging (§4.4, §4.5 and the security whitepaper)."""

from __future__ import annotations

from collections.abc import Mapping

from site_agent.devices.ocpp.known import desk
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.versions import common
from site_agent.devices.ocpp.versions.hearing import Handler, Hearer
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json

_CSR_LENGTH = 5500


async def _sign_certificate(station: Hearer, payload: Json) -> Json:
    """Handed to the certificate desk; without one: Rejected (A02)."""
    fields.text(payload, "csr", _CSR_LENGTH)
    return await desk.answer(
        station.desk, station.config.charge_point_id, Version.V16, "SignCertificate", payload,
        otherwise={"status": "Rejected"},
    )  # fmt: skip


HANDLERS: Mapping[str, Handler] = {
    "DiagnosticsStatusNotification": common.transfer("diagnostics"),
    "FirmwareStatusNotification": common.transfer("firmware"),
    "LogStatusNotification": common.transfer("log"),
    "SecurityEventNotification": common.security_event,
    "SignCertificate": _sign_certificate,
    "SignedFirmwareStatusNotification": common.transfer("firmware"),
}
