"""The core profile of 1.6: start and stop, reset, unlock, availability, configuration."""

from __future__ import annotations

from depot_sim.chargers.answers import ACCEPTED, Served, yes_or_no
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.events import EndReason, Transaction
from depot_sim.chargers.json_rpc import Json
from depot_sim.chargers.ocpp16 import keys, wording

_RESETS = {"Hard": EndReason.RESET, "Soft": EndReason.SOFT_RESET}


class Core16:
    """The messages every charge point has (§5.2-5.4, §5.8, §5.11-5.14, §5.18)."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet = cabinet
        self._station = cabinet.station
        self._now = cabinet.now
        self.served: Served = {
            "ChangeAvailability": self._change_availability,
            "ChangeConfiguration": lambda p: keys.change_configuration(cabinet.station, p),
            "ClearCache": self._clear_cache,
            "DataTransfer": lambda _: {"status": "UnknownVendorId"},
            "GetConfiguration": lambda p: keys.get_configuration(cabinet.station, p),
            "RemoteStartTransaction": self._remote_start,
            "RemoteStopTransaction": self._remote_stop,
            "Reset": self._reset,
            "UnlockConnector": self._unlock,
        }

    def _change_availability(self, payload: Json) -> Json:
        operative = payload["type"] == "Operative"
        status = self._station.set_operative(
            payload["connectorId"], self._now(), operative=operative
        )
        return {"status": status}

    def _clear_cache(self, _: Json) -> Json:
        self._station.tokens.cache.clear()
        return ACCEPTED

    def _remote_start(self, payload: Json) -> Json:
        """Without a connector the first free one with a vehicle is taken, else the first free."""
        station, id_tag = self._station, payload["idTag"]

        def begin(evse_id: int) -> Transaction | None:
            now = self._now()
            if station.settings.remote_needs_authorization:
                station.present(evse_id, id_tag, now)
                return None
            transaction = station.begin(evse_id, id_tag, now)
            if "chargingProfile" in payload:
                profile = wording.profile(payload["chargingProfile"], evse_id, now)
                station.set_profile(profile, now)
            return transaction

        accepted, _ = self._cabinet.start(payload.get("connectorId"), id_tag, begin)
        return yes_or_no(accepted)

    def _remote_stop(self, payload: Json) -> Json:
        outlet = self._station.outlet_of(str(payload["transactionId"]))
        if outlet is not None:
            self._station.end(outlet.id, EndReason.REMOTE, self._now())
        return yes_or_no(outlet is not None)

    def _reset(self, payload: Json) -> Json:
        self._cabinet.reset(_RESETS[payload["type"]])
        return ACCEPTED

    def _unlock(self, payload: Json) -> Json:
        """Unlocking ends the transaction; the cable stays where it is (§5.18)."""
        if payload["connectorId"] not in self._station.outlets:
            return {"status": "NotSupported"}
        self._station.end(payload["connectorId"], EndReason.UNLOCK, self._now())
        return {"status": "Unlocked"}
