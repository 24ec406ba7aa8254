"""Transactions, availability and unlocking of 2.0.1 (part 2, E, F, G and I)."""

from __future__ import annotations

from depot_sim.chargers.answers import Served, yes_or_no
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.events import EndReason, Transaction
from depot_sim.chargers.json_rpc import Json
from depot_sim.chargers.ocpp201 import wording


class Transactions201:
    """What the central system does to sessions and outlets."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet = cabinet
        self._station = cabinet.station
        self._now = cabinet.now
        self.served: Served = {
            "ChangeAvailability": self._change_availability,
            "CostUpdated": self._cost,
            "GetTransactionStatus": self._status,
            "RequestStartTransaction": self._start,
            "RequestStopTransaction": self._stop,
            "UnlockConnector": self._unlock,
        }

    def _start(self, payload: Json) -> Json:
        """Without an EVSE the first free one with a vehicle is taken, else the first free."""
        station, token = self._station, payload["idToken"]

        def begin(evse_id: int) -> Transaction | None:
            now, start_id = self._now(), payload["remoteStartId"]
            transaction = station.begin(evse_id, token["idToken"], now, start_id, token["type"])
            if transaction is not None and "chargingProfile" in payload:
                profile = {**payload["chargingProfile"], "transactionId": transaction.ref}
                station.set_profile(wording.profile(profile, evse_id, now), now)
            return transaction

        accepted, begun = self._cabinet.start(payload.get("evseId"), token["idToken"], begin)
        return {**yes_or_no(accepted), **({"transactionId": begun.ref} if begun else {})}

    def _stop(self, payload: Json) -> Json:
        outlet = self._station.outlet_of(payload["transactionId"])
        if outlet is not None:
            self._station.end(outlet.id, EndReason.REMOTE, self._now())
        return yes_or_no(outlet is not None)

    def _status(self, payload: Json) -> Json:
        """Without a transaction only the queue is told (E14.FR.06)."""
        ref = payload.get("transactionId")
        waiting = {"messagesInQueue": self._station.outbox.holds(ref)}
        if ref is None:
            return waiting
        return {"ongoingIndicator": self._station.outlet_of(ref) is not None, **waiting}

    def _cost(self, payload: Json) -> Json:
        outlet = self._station.outlet_of(payload["transactionId"])
        if outlet is not None and outlet.transaction is not None:
            outlet.transaction.cost = payload["totalCost"]
        return {}

    def _change_availability(self, payload: Json) -> Json:
        operative = payload["operationalStatus"] == "Operative"
        evse_id = payload.get("evse", {}).get("id", 0)
        return {"status": self._station.set_operative(evse_id, self._now(), operative=operative)}

    def _unlock(self, payload: Json) -> Json:
        outlet = self._station.outlets.get(payload["evseId"])
        if outlet is None or payload["connectorId"] != wording.CONNECTOR_ID:
            return {"status": "UnknownConnector"}
        busy = outlet.transaction is not None
        return {"status": "OngoingAuthorizedTransaction" if busy else "Unlocked"}
