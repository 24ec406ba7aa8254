"""Firmware, diagnostics and the security whitepaper (OCPP 1.6 §5.9, §5.19; whitepaper ed. 3)."""

from __future__ import annotations

from site_agent.devices.ocpp.versions import common
from site_agent.devices.ocpp.versions.words import (
    CertificateHash,
    Firmware,
    LeafUse,
    LogKind,
    LogUpload,
    Retries,
    RootUse,
    UnsupportedError,
)
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.devices.ocpp.wire.outbox import Request

_ROOTS = {
    RootUse.CENTRAL_SYSTEM: "CentralSystemRootCertificate",
    RootUse.MANUFACTURER: "ManufacturerRootCertificate",
}


class Upkeep16:
    """Firmware, logs and certificates."""

    def update_firmware(
        self, request_id: int, firmware: Firmware, retries: Retries = common.NO_RETRIES
    ) -> Request:
        """UpdateFirmware (§5.19), or SignedUpdateFirmware when it is signed (L01)."""
        tries = common.retries(retries)
        if firmware.signature is None:
            payload = {
                "location": firmware.location,
                "retrieveDate": fields.stamp(firmware.retrieve_at),
                **tries,
            }
            return Request(action="UpdateFirmware", payload=payload)
        signed = {"requestId": request_id, "firmware": common.firmware(firmware), **tries}
        return Request(action="SignedUpdateFirmware", payload=signed)

    def upload_log(
        self, request_id: int, log: LogUpload, retries: Retries = common.NO_RETRIES
    ) -> Request:
        """GetDiagnostics (§5.9), or GetLog for the security log (N01)."""
        if log.kind is LogKind.SECURITY:
            return common.get_log(request_id, log, retries)
        payload = common.given(
            location=log.location,
            startTime=common.stamp_or_none(log.since),
            stopTime=common.stamp_or_none(log.until),
        )
        return Request(action="GetDiagnostics", payload={**payload, **common.retries(retries)})

    def install_certificate(self, use: RootUse, pem: str) -> Request:
        """InstallCertificate (M05)."""
        payload = {"certificateType": _root(use), "certificate": pem}
        return Request(action="InstallCertificate", payload=payload)

    def ask_certificates(self, use: RootUse) -> Request:
        """GetInstalledCertificateIds (M03)."""
        payload = {"certificateType": _root(use)}
        return Request(action="GetInstalledCertificateIds", payload=payload)

    def certificates(self, answer: Json) -> list[CertificateHash]:
        """The hashes in the answer."""
        return common.hashes(fields.parts(answer, "certificateHashData"))

    def certificate_signed(self, chain_pem: str, use: LeafUse = LeafUse.STATION) -> Request:
        """CertificateSigned (A02)."""
        if use is not LeafUse.STATION:
            raise UnsupportedError("1.6 knows a station's own certificate only")
        return Request(action="CertificateSigned", payload={"certificateChain": chain_pem})


def _root(use: RootUse) -> str:
    if use not in _ROOTS:
        raise UnsupportedError(f"1.6 knows no {use.value}")
    return _ROOTS[use]
