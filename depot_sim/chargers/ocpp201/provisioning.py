"""Provisioning of 2.0.1 (part 2, B)."""

from __future__ import annotations

from depot_sim.chargers.answers import ACCEPTED, REJECTED, Served, yes_or_no
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.events import EndReason
from depot_sim.chargers.json_rpc import Json, timestamp
from depot_sim.chargers.ocpp201.device_model import DeviceModel, parts

_ITEMS_PER_REPORT = 10
_SLOTS = range(1, 4)
_OTHER_VERSIONS = {"OCPP12", "OCPP15", "OCPP16"}


class Provisioning201:
    """Variables, reports, network profiles and resets."""

    def __init__(self, cabinet: Cabinet, model: DeviceModel) -> None:
        self._cabinet = cabinet
        self._model = model
        self.served: Served = {
            "DataTransfer": lambda _: {"status": "UnknownVendorId"},
            "GetBaseReport": self._base_report,
            "GetReport": lambda p: self._told(p["requestId"], model.report(p)),
            "GetVariables": self._get,
            "Reset": self._reset,
            "SetNetworkProfile": self._network,
            "SetVariables": self._set,
        }

    def _get(self, payload: Json) -> Json:
        asked = payload["getVariableData"]
        return {"getVariableResult": [self._model.get(one) for one in asked]}

    def _set(self, payload: Json) -> Json:
        asked = payload["setVariableData"]
        return {"setVariableResult": [self._model.set(one) for one in asked]}

    def _base_report(self, payload: Json) -> Json:
        if payload["reportBase"] == "SummaryInventory":
            return {"status": "NotSupported"}
        configuration = payload["reportBase"] == "ConfigurationInventory"
        return self._told(
            payload["requestId"], self._model.base_report(configuration=configuration)
        )

    def _told(self, request_id: int, found: list[Json]) -> Json:
        """The report follows in parts."""
        for number, part, more in parts(found, _ITEMS_PER_REPORT):
            report = {
                "requestId": request_id,
                "generatedAt": timestamp(self._cabinet.now()),
                "seqNo": number,
                "tbc": more,
                "reportData": part,
            }
            self._cabinet.say("NotifyReport", report)
        return ACCEPTED if found else {"status": "EmptyResultSet"}

    def _network(self, payload: Json) -> Json:
        """Noted, not used: the link stays where the simulation's settings point (B09)."""
        data = payload["connectionData"]
        good = payload["configurationSlot"] in _SLOTS and data["ocppTransport"] == "JSON"
        weaker = data["securityProfile"] < self._cabinet.station.settings.security_profile
        return yes_or_no(good and not weaker and data.get("ocppVersion") not in _OTHER_VERSIONS)

    def _reset(self, payload: Json) -> Json:
        """An EVSE resets by ending its transaction; OnIdle waits for the vehicles (B11, B12)."""
        station, evse_id = self._cabinet.station, payload.get("evseId", 0)
        if evse_id and evse_id not in station.outlets:
            return REJECTED
        busy = any(o.transaction for o in station.outlets.values() if evse_id in (0, o.id))
        waits = payload["type"] == "OnIdle" and busy
        if evse_id:
            if not waits:
                station.end(evse_id, EndReason.RESET, self._cabinet.now())
        elif waits:
            self._cabinet.reset_when_idle(EndReason.RESET)
        else:
            self._cabinet.reset(EndReason.RESET)
        return {"status": "Scheduled"} if waits else ACCEPTED
