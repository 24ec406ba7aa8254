"""Smart charging of 1.6 (§5.3, §5.7, §5.16)."""

from __future__ import annotations

from depot_sim.chargers.acceptance import Refusal
from depot_sim.chargers.answers import ACCEPTED, Served, yes_or_no
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.composites import composite
from depot_sim.chargers.json_rpc import Json
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
        place = payload["connectorId"]
        return composite(self._station, place, payload, self._now(), wording.placed)
