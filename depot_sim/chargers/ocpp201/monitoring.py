"""Monitoring of 2.0.1 (part 2, N02-N08).

This station's variables cannot be monitored, and it says so: every monitor is refused, nothing is
there to report or to clear.
"""

from __future__ import annotations

from depot_sim.chargers.answers import ACCEPTED, Served, yes_or_no
from depot_sim.chargers.json_rpc import Json
from depot_sim.chargers.ocpp201.device_model import DeviceModel

_SEVERITIES = range(10)


class Monitoring201:
    """Refusals in the right words."""

    def __init__(self, model: DeviceModel) -> None:
        self._model = model
        self.served: Served = {
            "ClearVariableMonitoring": self._clear,
            "GetMonitoringReport": lambda _: {"status": "EmptyResultSet"},
            "SetMonitoringBase": lambda _: ACCEPTED,
            "SetMonitoringLevel": lambda p: yes_or_no(p["severity"] in _SEVERITIES),
            "SetVariableMonitoring": self._set,
        }

    def _set(self, payload: Json) -> Json:
        return {"setMonitoringResult": [self._refusal(m) for m in payload["setMonitoringData"]]}

    def _refusal(self, asked: Json) -> Json:
        status, _ = self._model.find(asked["component"], asked["variable"])
        kept = ("type", "severity", "component", "variable")
        return {
            "status": "UnsupportedMonitorType" if status == "Accepted" else status,
            **{key: asked[key] for key in kept},
        }

    def _clear(self, payload: Json) -> Json:
        results = [{"status": "NotFound", "id": number} for number in payload["id"]]
        return {"clearMonitoringResult": results}
