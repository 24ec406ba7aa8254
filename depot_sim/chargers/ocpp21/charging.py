"""Smart charging of 2.1: setpoints, dynamic profiles, what the vehicle may do (part 2, K and Q)."""

from __future__ import annotations

from dataclasses import replace

from depot_sim.chargers import schedules
from depot_sim.chargers.answers import REJECTED, Served, yes_or_no
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.json_rpc import Json


class Charging21:
    """What 2.1 adds to the messages of 2.0.1."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._station = cabinet.station
        self._now = cabinet.now
        self.served: Served = {
            "NotifyAllowedEnergyTransfer": self._allowed,
            "UpdateDynamicSchedule": self._update,
            "UsePriorityCharging": self._prioritise,
        }

    def _allowed(self, payload: Json) -> Json:
        return yes_or_no(self._station.outlet_of(payload["transactionId"]) is not None)

    def _prioritise(self, payload: Json) -> Json:
        """There are no priority charging profiles here (K21.FR.04)."""
        known = self._station.outlet_of(payload["transactionId"]) is not None
        return {"status": "NoProfile"} if known else REJECTED

    def _update(self, payload: Json) -> Json:
        """A dynamic profile has one period, and this is its new content (K28)."""
        wanted = payload["chargingProfileId"]
        found = next((p for p in self._station.profiles if p.id == wanted and p.dynamic), None)
        if found is None:
            return REJECTED
        period = schedules.updated(found.periods[0], payload["scheduleUpdate"], found.unit)
        changed = replace(found, periods=(period,), received_at=self._now())
        return yes_or_no(self._station.set_profile(changed, self._now()) is None)
