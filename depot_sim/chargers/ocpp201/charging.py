"""Smart charging of 2.0.1 (part 2, K)."""

from __future__ import annotations

from collections.abc import Iterable

from depot_sim.chargers import schedules
from depot_sim.chargers.acceptance import Refusal
from depot_sim.chargers.answers import ACCEPTED, REJECTED, Served
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.composites import composite
from depot_sim.chargers.json_rpc import Json, timestamp
from depot_sim.chargers.ocpp201 import iso15118, wording
from depot_sim.chargers.profiles import ChargingProfile, Purpose


class Charging201:
    """Profiles and what comes of them."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet = cabinet
        self._station = cabinet.station
        self._now = cabinet.now
        self.served: Served = {
            "ClearChargingProfile": self._clear,
            "GetChargingProfiles": self._get,
            "GetCompositeSchedule": self._composite,
            "SetChargingProfile": self._set,
        }

    def _set(self, payload: Json) -> Json:
        now, asked = self._now(), payload["chargingProfile"]
        if asked["chargingProfilePurpose"] not in wording.PURPOSES:
            return _refused(Refusal.INVALID_PROFILE)  # K01.FR.22: not the central system's to set
        profile = wording.profile(asked, payload["evseId"], now)
        reason = self._station.set_profile(profile, now)
        if reason:
            return _refused(reason)
        if profile.purpose is Purpose.TX:
            self._tell_vehicles_plan(profile)
        return ACCEPTED

    def _tell_vehicles_plan(self, profile: ChargingProfile) -> None:
        """K16: a vehicle that speaks ISO 15118 answers a schedule with its own, here the same."""
        outlet = self._station.outlets.get(profile.evse_id)
        if outlet is None or not iso15118.speaks(outlet.evse.vehicle):
            return
        (schedule,) = schedules.described(profile)["chargingSchedule"]
        plan = {
            "timeBase": timestamp(self._now()),
            "evseId": outlet.id,
            "chargingSchedule": schedule,
        }
        self._cabinet.say("NotifyEVChargingSchedule", plan)

    def _clear(self, payload: Json) -> Json:
        criteria = payload.get("chargingProfileCriteria", {})
        if criteria.get("chargingProfilePurpose", "TxProfile") not in wording.PURPOSES:
            return {"status": "Unknown"}
        cleared = self._station.clear_profiles(wording.selection(payload), self._now())
        return ACCEPTED if cleared else {"status": "Unknown"}

    def _composite(self, payload: Json) -> Json:
        place = payload["evseId"]
        return composite(self._station, place, payload, self._now(), wording.placed)

    def _get(self, payload: Json) -> Json:
        """K09: the selected profiles follow in ReportChargingProfiles, one message an EVSE."""
        wanted = wording.wanted(payload)
        by_outlet: dict[tuple[int, str], list[ChargingProfile]] = {}
        for profile in self._station.profiles:
            if wanted(profile):
                place = (profile.evse_id, wording.limit_source(profile))
                by_outlet.setdefault(place, []).append(profile)
        for left, ((evse_id, source), found) in zip(
            range(len(by_outlet) - 1, -1, -1), sorted(by_outlet.items()), strict=True
        ):
            report = _report(payload["requestId"], evse_id, source, found)
            self._cabinet.say("ReportChargingProfiles", {**report, "tbc": left > 0})
        return ACCEPTED if by_outlet else {"status": "NoProfiles"}


def _report(request_id: int, evse_id: int, source: str, found: Iterable[ChargingProfile]) -> Json:
    return {
        "requestId": request_id,
        "chargingLimitSource": source,
        "evseId": evse_id,
        "chargingProfile": [wording.profile_words(profile) for profile in found],
    }


def _refused(reason: Refusal) -> Json:
    return {**REJECTED, "statusInfo": {"reasonCode": reason.value}}
