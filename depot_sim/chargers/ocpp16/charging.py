"""Smart charging of 1.6 (§5.3, §5.7, §5.16)."""

from __future__ import annotations

from datetime import timedelta

from depot_sim.chargers import schedules
from depot_sim.chargers.acceptance import Refusal
from depot_sim.chargers.answers import ACCEPTED, REJECTED, Served, yes_or_no
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.json_rpc import Json, timestamp
from depot_sim.chargers.ocpp16 import wording


class Charging16:
    """Profiles and what comes of them."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._station = cabinet.station
        self._now = cabinet.now
        self.served: Served = {
            "ClearChargingProfile": self._clear,
            "GetCompositeSchedule": self._composite,
            "SetChargingProfile": self._set,
        }

    def _set(self, payload: Json) -> Json:
        now = self._now()
        profile = wording.profile(payload["csChargingProfiles"], payload["connectorId"], now)
        reason = self._station.set_profile(profile, now)
        if reason is Refusal.UNSUPPORTED_PURPOSE:
            return {"status": "NotSupported"}
        return yes_or_no(reason is None)

    def _clear(self, payload: Json) -> Json:
        cleared = self._station.clear_profiles(wording.selection(payload), self._now())
        return ACCEPTED if cleared else {"status": "Unknown"}

    def _composite(self, payload: Json) -> Json:
        """Connector 0 (the whole charge point) is not served: Rejected."""
        outlet = self._station.outlets.get(payload["connectorId"])
        if outlet is None:
            return REJECTED
        now, duration_s = self._now(), schedules.seconds(payload["duration"])
        steps = self._station.composite(outlet.id, now, timedelta(seconds=duration_s))
        if steps is None:
            return ACCEPTED
        unit = self._station.personality.unit_for(payload.get("chargingRateUnit"))
        schedule = {
            "duration": duration_s,
            "startSchedule": timestamp(now),
            "chargingRateUnit": unit.value,
            "chargingSchedulePeriod": schedules.written(steps, unit, outlet.evse.voltage_v),
        }
        return {
            **ACCEPTED,
            "connectorId": outlet.id,
            "scheduleStart": timestamp(now),
            "chargingSchedule": schedule,
        }
