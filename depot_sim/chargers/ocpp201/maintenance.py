"""Firmware and logs of 2.0.1 (part 2, L01 and N01), played; nothing is fetched or sent."""

from __future__ import annotations

from collections.abc import Callable

from depot_sim.chargers.answers import ACCEPTED, Served
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.certificates import read_chain
from depot_sim.chargers.events import BootWanted
from depot_sim.chargers.jobs import Job, update_steps, upload_steps
from depot_sim.chargers.json_rpc import Json, instant, instant_in


class Maintenance201:
    """Jobs played on the station's agenda."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet = cabinet
        self.served: Served = {"GetLog": self._get_log, "UpdateFirmware": self._update}
        self.triggers: dict[str, Callable[[], None]] = {
            "FirmwareStatusNotification": lambda: self._tell_update(asked=True),
            "LogStatusNotification": lambda: self._tell_log(asked=True),
        }

    def _update(self, payload: Json) -> Json:
        """The signature is not checked: there is no file. The certificate is, if there is one."""
        firmware, now = payload["firmware"], self._cabinet.now()
        certificate = firmware.get("signingCertificate")
        if certificate is not None:
            try:
                read_chain(certificate, now)
            except ValueError as error:
                self._cabinet.security_event("InvalidFirmwareSigningCertificate", str(error))
                return {"status": "InvalidCertificate"}
        begun = instant(firmware["retrieveDateTime"])
        install_at = instant_in(firmware, "installDateTime")
        signed = certificate is not None
        steps = update_steps(firmware["location"], now, begun, install_at, signed=signed)
        job = self._cabinet.updates
        return _begun(job.begin(steps, payload["requestId"], self._tell_update))

    def _tell_update(self, *, asked: bool = False) -> None:
        job = self._cabinet.updates
        if job.status == "Installed" and not asked:
            self._cabinet.installed()
            self._cabinet.station.outbox.put(BootWanted(at=self._cabinet.now()))
        self._cabinet.say("FirmwareStatusNotification", _told(job, asked=asked))

    def _get_log(self, payload: Json) -> Json:
        location = payload["log"]["remoteLocation"]
        steps = upload_steps(location, self._cabinet.now(), "UploadFailure")
        job = self._cabinet.uploads
        answer = _begun(job.begin(steps, payload["requestId"], self._tell_log))
        return {**answer, "filename": f"{self._cabinet.nameplate.id}-{payload['logType']}.txt"}

    def _tell_log(self, *, asked: bool = False) -> None:
        self._cabinet.say("LogStatusNotification", _told(self._cabinet.uploads, asked=asked))


def _begun(cancelled: bool) -> Json:
    return {"status": "AcceptedCanceled"} if cancelled else ACCEPTED


def _told(job: Job, *, asked: bool) -> Json:
    """Idle goes without a request (L01.FR.20, N01)."""
    status = job.reported if asked else job.status
    told: Json = {"status": status}
    if job.request_id is not None and status != "Idle":
        told["requestId"] = job.request_id
    return told
