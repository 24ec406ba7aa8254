"""Local list, cache, reservations and customer information of 2.0.1 (part 2, C, D, H and N09)."""

from __future__ import annotations

from depot_sim.chargers.answers import ACCEPTED, Served, yes_or_no
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.json_rpc import Json, instant, timestamp
from depot_sim.chargers.local_list import Listed
from depot_sim.chargers.ocpp201 import wording
from depot_sim.chargers.reservations import Reservation


class Authorization201:
    """Who may charge here without asking, who comes next, and what is known of them."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet = cabinet
        self._station = cabinet.station
        self._now = cabinet.now
        self.served: Served = {
            "CancelReservation": self._cancel,
            "ClearCache": self._clear_cache,
            "CustomerInformation": self._customer,
            "GetLocalListVersion": lambda _: {"versionNumber": self._station.tokens.list.version},
            "ReserveNow": self._reserve,
            "SendLocalList": self._send,
        }

    def _send(self, payload: Json) -> Json:
        if not self._station.settings.local_list:
            return {"status": "Failed"}
        entries = [_entry(entry) for entry in payload.get("localAuthorizationList", [])]
        known, kind = self._station.tokens.list, payload["updateType"]
        return {"status": known.update(kind, payload["versionNumber"], entries)}

    def _clear_cache(self, _: Json) -> Json:
        self._station.tokens.cache.clear()
        return ACCEPTED

    def _reserve(self, payload: Json) -> Json:
        """Without an EVSE: Rejected, as `ReservationCtrlr.NonEvseSpecific` says."""
        reservation = Reservation(
            id=payload["id"],
            evse_id=payload.get("evseId", 0),
            token=payload["idToken"]["idToken"],
            group=payload.get("groupIdToken", {}).get("idToken"),
            expires_at=instant(payload["expiryDateTime"]),
        )
        return {"status": self._station.reservations.put(reservation, self._now())}

    def _cancel(self, payload: Json) -> Json:
        reservation_id = payload["reservationId"]
        return yes_or_no(self._station.reservations.cancel(reservation_id, self._now()))

    def _customer(self, payload: Json) -> Json:
        """All a station knows of a customer is a token in its cache and its list."""
        if not any(key in payload for key in _CUSTOMER):
            return {"status": "Invalid"}
        tokens, token = self._station.tokens, payload.get("idToken", {}).get("idToken", "")
        known = tokens.list.get(token) or tokens.cache.get(token)
        if payload["report"]:
            accepted = "accepted" if known and known.accepted else "refused"
            self._tell(payload["requestId"], f"{token}: {accepted}" if known else "")
        if payload["clear"]:
            tokens.cache.forget(token)
        return ACCEPTED

    def _tell(self, request_id: int, data: str) -> None:
        notice = {
            "data": data[:512],
            "seqNo": 0,
            "generatedAt": timestamp(self._now()),
            "requestId": request_id,
        }
        self._cabinet.say("NotifyCustomerInformation", notice)


_CUSTOMER = ("idToken", "customerCertificate", "customerIdentifier")


def _entry(entry: Json) -> tuple[str, Listed | None]:
    info = entry.get("idTokenInfo")
    return entry["idToken"]["idToken"], wording.listed(info) if info else None
