"""Certificates of 2.0.1 (part 2, A02, M03-M06)."""

from __future__ import annotations

from collections.abc import Callable

from depot_sim.chargers.answers import ACCEPTED, REJECTED, Served
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.json_rpc import Json
from depot_sim.chargers.ocpp201.iso15118 import RESPONDER

_KINDS = {
    "CSMSRootCertificate",
    "MORootCertificate",
    "ManufacturerRootCertificate",
    "V2GCertificateChain",
    "V2GRootCertificate",
}


class Security201:
    """Installing, deleting, listing, and certificates of its own."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet = cabinet
        store = cabinet.certificates
        self.served: Served = {
            "CertificateSigned": self._signed,
            "DeleteCertificate": lambda p: {"status": store.delete(p["certificateHashData"])},
            "GetInstalledCertificateIds": self._installed,
            "InstallCertificate": self._install,
        }
        self.triggers: dict[str, Callable[[], None]] = {
            "SignChargingStationCertificate": lambda: self._sign("ChargingStationCertificate"),
            "SignV2GCertificate": lambda: self._sign("V2GCertificate"),
            "SignCombinedCertificate": lambda: self._sign(None),
        }

    def _install(self, payload: Json) -> Json:
        kind, pem = payload["certificateType"], payload["certificate"]
        return {"status": self._cabinet.certificates.install(kind, pem, self._cabinet.now())}

    def _installed(self, payload: Json) -> Json:
        held = self._cabinet.certificates.of(payload.get("certificateType", _KINDS))
        if not held:
            return {"status": "NotFound"}
        chains = [{"certificateType": kind, "certificateHashData": data} for kind, data in held]
        return {**ACCEPTED, "certificateHashDataChain": chains}

    def _sign(self, kind: str | None) -> None:
        name = self._cabinet.nameplate
        asked: Json = {"csr": self._cabinet.key.request(name.id, name.vendor)}
        if kind is not None:
            asked["certificateType"] = kind
        self._cabinet.say("SignCertificate", asked)

    def _signed(self, payload: Json) -> Json:
        """A V2G certificate is held, and its status asked for (M06)."""
        try:
            identity = self._cabinet.key.accept(payload["certificateChain"], self._cabinet.now())
        except ValueError as error:
            self._cabinet.security_event("InvalidChargingStationCertificate", str(error))
            return REJECTED
        if payload.get("certificateType") == "V2GCertificate":
            self._cabinet.certificates.hold("V2GCertificateChain", identity)
            asked = {**identity, "responderURL": RESPONDER}
            self._cabinet.say("GetCertificateStatus", {"ocspRequestData": asked})
        return ACCEPTED
