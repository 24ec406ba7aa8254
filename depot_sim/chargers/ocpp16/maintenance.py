"""Firmware, diagnostics and logs of 1.6 (§5.9, §5.19; security white paper, L01 and N01)."""

from __future__ import annotations

from collections.abc import Callable

from depot_sim.chargers.answers import ACCEPTED, Served
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.certificates import read_chain
from depot_sim.chargers.events import BootWanted
from depot_sim.chargers.jobs import Job, update_steps, upload_steps
from depot_sim.chargers.json_rpc import Json, instant, instant_in


class Maintenance16:
    """Jobs played on the station's agenda; nothing is fetched or sent."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet = cabinet
        self._now = cabinet.now
        self._diagnostics = Job(cabinet.station.agenda)
        self.served: Served = {
            "GetDiagnostics": self._get_diagnostics,
            "GetLog": self._get_log,
            "SignedUpdateFirmware": self._signed_update,
            "UpdateFirmware": self._update,
        }
        self.triggers: dict[str, Callable[[], None]] = {
            "DiagnosticsStatusNotification": lambda: self._tell_diagnostics(asked=True),
            "FirmwareStatusNotification": lambda: self._tell_update(asked=True),
            "LogStatusNotification": lambda: self._tell_log(asked=True),
        }

    def _update(self, payload: Json) -> Json:
        begun = instant(payload["retrieveDate"])
        steps = update_steps(payload["location"], self._now(), begun, None, signed=False)
        self._cabinet.updates.begin(steps, None, self._tell_update)
        return {}

    def _signed_update(self, payload: Json) -> Json:
        """The signature is not checked: there is no file. The certificate is."""
        firmware, now = payload["firmware"], self._now()
        try:
            read_chain(firmware["signingCertificate"], now)
        except ValueError as error:
            self._cabinet.security_event("InvalidFirmwareSigningCertificate", str(error))
            return {"status": "InvalidCertificate"}
        steps = update_steps(
            firmware["location"],
            now,
            instant(firmware["retrieveDateTime"]),
            instant_in(firmware, "installDateTime"),
            signed=True,
        )
        updates = self._cabinet.updates
        cancelled = updates.begin(steps, payload["requestId"], self._tell_update)
        return {"status": "AcceptedCanceled"} if cancelled else ACCEPTED

    def _tell_update(self, *, asked: bool = False) -> None:
        """In the form in which the update was asked for."""
        job = self._cabinet.updates
        told: Json = {"status": job.reported if asked else job.status}
        if job.status == "Installed" and not asked:
            self._cabinet.installed()
            self._cabinet.station.outbox.put(BootWanted(at=self._now()))
        if job.request_id is None:
            self._cabinet.say("FirmwareStatusNotification", told)
        else:
            signed = {**told, "requestId": job.request_id}
            self._cabinet.say("SignedFirmwareStatusNotification", signed)

    def _get_diagnostics(self, payload: Json) -> Json:
        steps = upload_steps(payload["location"], self._now(), "UploadFailed")
        self._diagnostics.begin(steps, None, self._tell_diagnostics)
        return {"fileName": f"{self._cabinet.nameplate.id}-diagnostics.txt"}

    def _tell_diagnostics(self, *, asked: bool = False) -> None:
        job = self._diagnostics
        status = job.reported if asked else job.status
        self._cabinet.say("DiagnosticsStatusNotification", {"status": status})

    def _get_log(self, payload: Json) -> Json:
        steps = upload_steps(payload["log"]["remoteLocation"], self._now(), "UploadFailure")
        job = self._cabinet.uploads
        cancelled = job.begin(steps, payload["requestId"], self._tell_log)
        name = f"{self._cabinet.nameplate.id}-{payload['logType']}.txt"
        return {"status": "AcceptedCanceled" if cancelled else "Accepted", "filename": name}

    def _tell_log(self, *, asked: bool = False) -> None:
        job = self._cabinet.uploads
        told: Json = {"status": job.reported if asked else job.status}
        if job.request_id is not None:
            told["requestId"] = job.request_id
        self._cabinet.say("LogStatusNotification", told)
