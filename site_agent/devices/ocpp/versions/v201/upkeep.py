"""Firmware, logs and certificates (OCPP 2.0.1 part 2, blocks A, L, M, N)."""

from __future__ import annotations

from site_agent.devices.ocpp.versions import common
from site_agent.devices.ocpp.versions.words import (
    CertificateHash,
    Firmware,
    LeafUse,
    LogUpload,
    Retries,
    RootUse,
)
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.devices.ocpp.wire.outbox import Request


class Upkeep201:
    """Firmware, logs and certificates."""

    def update_firmware(
        self, request_id: int, firmware: Firmware, retries: Retries = common.NO_RETRIES
    ) -> Request:
        """UpdateFirmware (L01, L02)."""
        payload = {
            "requestId": request_id,
            "firmware": common.firmware(firmware),
            **common.retries(retries),
        }
        return Request(action="UpdateFirmware", payload=payload)

    def upload_log(
        self, request_id: int, log: LogUpload, retries: Retries = common.NO_RETRIES
    ) -> Request:
        """GetLog (N01)."""
        return common.get_log(request_id, log, retries)

    def install_certificate(self, use: RootUse, pem: str) -> Request:
        """InstallCertificate (M05)."""
        payload = {"certificateType": use.value, "certificate": pem}
        return Request(action="InstallCertificate", payload=payload)

    def ask_certificates(self, use: RootUse) -> Request:
        """GetInstalledCertificateIds (M03)."""
        payload = {"certificateType": [use.value]}
        return Request(action="GetInstalledCertificateIds", payload=payload)

    def certificates(self, answer: Json) -> list[CertificateHash]:
        """The hashes in the answer, without those of chains below them."""
        chains = fields.parts(answer, "certificateHashDataChain")
        return common.hashes([fields.part(chain, "certificateHashData") for chain in chains])

    def certificate_signed(self, chain_pem: str, use: LeafUse = LeafUse.STATION) -> Request:
        """CertificateSigned (A02)."""
        payload = {"certificateChain": chain_pem, "certificateType": use.value}
        return Request(action="CertificateSigned", payload=payload)
