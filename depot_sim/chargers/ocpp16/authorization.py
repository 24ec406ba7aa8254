"""The local authorisation list and reservations of 1.6 (§5.1, §5.10, §5.13, §5.15)."""

from __future__ import annotations

from depot_sim.chargers.answers import Served, yes_or_no
from depot_sim.chargers.cabinet import Cabinet
from depot_sim.chargers.json_rpc import Json, instant
from depot_sim.chargers.local_list import Listed
from depot_sim.chargers.ocpp16 import wording
from depot_sim.chargers.reservations import Reservation


class Authorization16:
    """Who may charge here without asking, and who comes next."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._station = cabinet.station
        self._now = cabinet.now
        self.served: Served = {
            "CancelReservation": self._cancel,
            "GetLocalListVersion": self._version,
            "ReserveNow": self._reserve,
            "SendLocalList": self._send,
        }

    def _version(self, _: Json) -> Json:
        """-1 says that there is no list."""
        known = self._station.settings.local_list
        return {"listVersion": self._station.tokens.list.version if known else -1}

    def _send(self, payload: Json) -> Json:
        if not self._station.settings.local_list:
            return {"status": "NotSupported"}
        entries = [_entry(entry) for entry in payload.get("localAuthorizationList", [])]
        known, kind = self._station.tokens.list, payload["updateType"]
        return {"status": known.update(kind, payload["listVersion"], entries)}

    def _reserve(self, payload: Json) -> Json:
        """Connector 0 is Rejected, as `ReserveConnectorZeroSupported` says."""
        reservation = Reservation(
            id=payload["reservationId"],
            evse_id=payload["connectorId"],
            token=payload["idTag"],
            group=payload.get("parentIdTag"),
            expires_at=instant(payload["expiryDate"]),
        )
        return {"status": self._station.reservations.put(reservation, self._now())}

    def _cancel(self, payload: Json) -> Json:
        reservation_id = payload["reservationId"]
        return yes_or_no(self._station.reservations.cancel(reservation_id, self._now()))


def _entry(entry: Json) -> tuple[str, Listed | None]:
    info = entry.get("idTagInfo")
    return entry["idTag"], wording.listed(info) if info else None
