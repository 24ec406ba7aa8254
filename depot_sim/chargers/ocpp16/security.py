"""Certificates of 1.6 (security white paper, A02, M03-M05)."""

from __future__ import annotations

from collections.abc import Callable

from depot_sim.chargers.answers import ACCEPTED, REJECTED, Served
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.json_rpc import Json


class Security16:
    """Installing, deleting, listing, and a certificate of its own."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet = cabinet
        store = cabinet.certificates
        self.served: Served = {
            "CertificateSigned": self._signed,
            "DeleteCertificate": lambda p: {"status": store.delete(p["certificateHashData"])},
            "GetInstalledCertificateIds": self._installed,
            "InstallCertificate": self._install,
        }
        self.triggers: dict[str, Callable[[], None]] = {"SignChargePointCertificate": self._sign}

    def _install(self, payload: Json) -> Json:
        kind, pem = payload["certificateType"], payload["certificate"]
        return {"status": self._cabinet.certificates.install(kind, pem, self._cabinet.now())}

    def _installed(self, payload: Json) -> Json:
        held = self._cabinet.certificates.of({payload["certificateType"]})
        if not held:
            return {"status": "NotFound"}
        return {**ACCEPTED, "certificateHashData": [identity for _, identity in held]}

    def _sign(self) -> None:
        name = self._cabinet.nameplate
        self._cabinet.say(
            "SignCertificate", {"csr": self._cabinet.key.request(name.id, name.vendor)}
        )

    def _signed(self, payload: Json) -> Json:
        try:
            self._cabinet.key.accept(payload["certificateChain"], self._cabinet.now())
        except ValueError as error:
            self._cabinet.security_event("InvalidChargePointCertificate", str(error))
            return REJECTED
        return ACCEPTED
