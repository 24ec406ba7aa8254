"""What the central system asks of a 1.6 charge point, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from depot_sim.chargers import schedules
from depot_sim.chargers.acceptance import Refusal
from depot_sim.chargers.events import EndReason
from depot_sim.chargers.json_rpc import CallError, Json, timestamp
from depot_sim.chargers.ocpp16 import keys, wording
from depot_sim.chargers.ocpp16.schema import check_request
from depot_sim.chargers.station import Station
from depot_sim.chargers.triggers import trigger

_ACCEPTED: Json = {"status": "Accepted"}
_REJECTED: Json = {"status": "Rejected"}


class Answers16:
    """The CALLs a charge point serves. `reset` must restart it after the answer is out."""

    def __init__(
        self, station: Station, now: Callable[[], datetime], reset: Callable[[], None]
    ) -> None:
        self._station = station
        self._now = now
        self._reset_soon = reset
        self._served: dict[str, Callable[[Json], Json]] = {
            "ChangeConfiguration": lambda p: keys.change_configuration(station, p),
            "ClearChargingProfile": self._clear_charging_profile,
            "GetCompositeSchedule": self._get_composite_schedule,
            "GetConfiguration": lambda p: keys.get_configuration(station, p),
            "RemoteStartTransaction": self._remote_start,
            "RemoteStopTransaction": self._remote_stop,
            "Reset": self._reset,
            "SetChargingProfile": self._set_charging_profile,
            "TriggerMessage": self._trigger_message,
        }

    def answer(self, action: str, payload: Json) -> Json:
        """Answer a CALL.

        Raises:
            CallError: not served, or the payload breaks the schema.
        """
        serve = self._served.get(action)
        if serve is None:
            raise CallError("NotImplemented", f"{action} is not served here")
        check_request(action, payload)
        return serve(payload)

    def _set_charging_profile(self, payload: Json) -> Json:
        now = self._now()
        profile = wording.profile(payload["csChargingProfiles"], payload["connectorId"], now)
        reason = self._station.set_profile(profile, now)
        if reason is Refusal.UNSUPPORTED_PURPOSE:
            return {"status": "NotSupported"}
        return _REJECTED if reason else _ACCEPTED

    def _clear_charging_profile(self, payload: Json) -> Json:
        cleared = self._station.clear_profiles(wording.selection(payload), self._now())
        return _ACCEPTED if cleared else {"status": "Unknown"}

    def _get_composite_schedule(self, payload: Json) -> Json:
        """Connector 0 (the whole charge point) is not served: Rejected."""
        outlet = self._station.outlets.get(payload["connectorId"])
        if outlet is None:
            return _REJECTED
        now, duration_s = self._now(), payload["duration"]
        steps = self._station.composite(outlet.id, now, timedelta(seconds=duration_s))
        if steps is None:
            return _ACCEPTED
        unit = self._station.personality.unit_for(payload.get("chargingRateUnit"))
        schedule = {
            "duration": duration_s,
            "startSchedule": timestamp(now),
            "chargingRateUnit": unit.value,
            "chargingSchedulePeriod": schedules.written(steps, unit, outlet.evse.voltage_v),
        }
        return {
            **_ACCEPTED,
            "connectorId": outlet.id,
            "scheduleStart": timestamp(now),
            "chargingSchedule": schedule,
        }

    def _remote_start(self, payload: Json) -> Json:
        now = self._now()
        connector_id = payload.get("connectorId", min(self._station.outlets))
        if not self._station.begin(connector_id, payload["idTag"], now):
            return _REJECTED
        if "chargingProfile" in payload:
            profile = wording.profile(payload["chargingProfile"], connector_id, now)
            self._station.set_profile(profile, now)
        return _ACCEPTED

    def _remote_stop(self, payload: Json) -> Json:
        outlet = self._station.outlet_of(str(payload["transactionId"]))
        if outlet is None:
            return _REJECTED
        self._station.end(outlet.id, EndReason.REMOTE, self._now())
        return _ACCEPTED

    def _reset(self, _: Json) -> Json:
        self._reset_soon()
        return _ACCEPTED

    def _trigger_message(self, payload: Json) -> Json:
        message, connector_id = payload["requestedMessage"], payload.get("connectorId")
        return {"status": trigger(self._station, message, connector_id, self._now())}
