"""What the central system asks of a 2.0.1 charging station, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from depot_sim.chargers import schedules
from depot_sim.chargers.acceptance import Refusal
from depot_sim.chargers.events import EndReason
from depot_sim.chargers.json_rpc import CallError, Json, timestamp
from depot_sim.chargers.ocpp201 import variables, wording
from depot_sim.chargers.ocpp201.schema import check_request
from depot_sim.chargers.station import Station
from depot_sim.chargers.triggers import trigger

_ACCEPTED: Json = {"status": "Accepted"}
_REJECTED: Json = {"status": "Rejected"}


class Answers201:
    """The CALLs a charging station serves. `reset` must restart it after the answer is out."""

    def __init__(
        self, station: Station, now: Callable[[], datetime], reset: Callable[[], None]
    ) -> None:
        self._station = station
        self._now = now
        self._reset_soon = reset
        self._served: dict[str, Callable[[Json], Json]] = {
            "ClearChargingProfile": self._clear_charging_profile,
            "GetCompositeSchedule": self._get_composite_schedule,
            "GetVariables": lambda p: variables.get_variables(station, p),
            "RequestStartTransaction": self._request_start,
            "RequestStopTransaction": self._request_stop,
            "Reset": self._reset,
            "SetChargingProfile": self._set_charging_profile,
            "SetVariables": lambda p: variables.set_variables(station, p),
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
        now, asked = self._now(), payload["chargingProfile"]
        if asked["chargingProfilePurpose"] not in wording.PURPOSES:
            return _refused(Refusal.INVALID_PROFILE)  # K01.FR.22: not the central system's to set
        reason = self._station.set_profile(wording.profile(asked, payload["evseId"], now), now)
        return _refused(reason) if reason else _ACCEPTED

    def _clear_charging_profile(self, payload: Json) -> Json:
        cleared = self._station.clear_profiles(wording.selection(payload), self._now())
        return _ACCEPTED if cleared else {"status": "Unknown"}

    def _get_composite_schedule(self, payload: Json) -> Json:
        """EVSE 0 (the whole station) is not served: Rejected."""
        outlet = self._station.outlets.get(payload["evseId"])
        if outlet is None:
            return _REJECTED
        now, duration_s = self._now(), payload["duration"]
        steps = self._station.composite(outlet.id, now, timedelta(seconds=duration_s))
        if steps is None:
            return _ACCEPTED
        unit = self._station.personality.unit_for(payload.get("chargingRateUnit"))
        schedule = {
            "evseId": outlet.id,
            "duration": duration_s,
            "scheduleStart": timestamp(now),
            "chargingRateUnit": unit.value,
            "chargingSchedulePeriod": schedules.written(steps, unit, outlet.evse.voltage_v),
        }
        return {**_ACCEPTED, "schedule": schedule}

    def _request_start(self, payload: Json) -> Json:
        now = self._now()
        evse_id = payload.get("evseId", min(self._station.outlets))
        transaction = self._station.begin(
            evse_id, payload["idToken"]["idToken"], now, payload["remoteStartId"]
        )
        if transaction is None:
            return _REJECTED
        if "chargingProfile" in payload:
            profile = {**payload["chargingProfile"], "transactionId": transaction.ref}
            self._station.set_profile(wording.profile(profile, evse_id, now), now)
        return {**_ACCEPTED, "transactionId": transaction.ref}

    def _request_stop(self, payload: Json) -> Json:
        outlet = self._station.outlet_of(payload["transactionId"])
        if outlet is None:
            return _REJECTED
        self._station.end(outlet.id, EndReason.REMOTE, self._now())
        return _ACCEPTED

    def _reset(self, _: Json) -> Json:
        """OnIdle is treated as Immediate: this station does not wait for its vehicles."""
        self._reset_soon()
        return _ACCEPTED

    def _trigger_message(self, payload: Json) -> Json:
        message, evse_id = payload["requestedMessage"], payload.get("evse", {}).get("id")
        return {"status": trigger(self._station, message, evse_id, self._now())}


def _refused(reason: Refusal) -> Json:
    return {**_REJECTED, "statusInfo": {"reasonCode": reason.value}}
