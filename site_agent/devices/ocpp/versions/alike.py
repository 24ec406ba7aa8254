"""Messages that every version words alike, to the letter."""

from __future__ import annotations

from site_agent.devices.ocpp.versions.common import given
from site_agent.devices.ocpp.versions.words import CertificateHash
from site_agent.devices.ocpp.wire.outbox import Request


class Alike:
    """The part of a `Dialect` that no version spells its own way."""

    def clear_cache(self) -> Request:
        """ClearCache (1.6 §5.4, 2.0.1 C11)."""
        return Request(action="ClearCache", payload={})

    def ask_list_version(self) -> Request:
        """GetLocalListVersion (1.6 §5.10, 2.0.1 D02)."""
        return Request(action="GetLocalListVersion", payload={})

    def cancel_reservation(self, reservation_id: int) -> Request:
        """CancelReservation (1.6 §5.1, 2.0.1 H02)."""
        return Request(action="CancelReservation", payload={"reservationId": reservation_id})

    def data_transfer(
        self, vendor_id: str, message_id: str | None = None, data: str | None = None
    ) -> Request:
        """DataTransfer (1.6 §5.6, 2.0.1 P01)."""
        payload = given(vendorId=vendor_id, messageId=message_id, data=data)
        return Request(action="DataTransfer", payload=payload)

    def delete_certificate(self, which: CertificateHash) -> Request:
        """DeleteCertificate (M04 of the 1.6 security whitepaper and of 2.0.1)."""
        data = {
            "hashAlgorithm": which.algorithm,
            "issuerNameHash": which.issuer_name_hash,
            "issuerKeyHash": which.issuer_key_hash,
            "serialNumber": which.serial_number,
        }
        return Request(action="DeleteCertificate", payload={"certificateHashData": data})
