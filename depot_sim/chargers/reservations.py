"""Outlets kept for somebody (OCPP 1.6 §5.13, OCPP 2.0.1 part 2, H01-H04).

Reservations of the whole station are not offered; a new one for an outlet replaces nothing but
the one of the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from depot_sim.chargers.events import ReservationOver
from depot_sim.chargers.outbox import Outbox
from depot_sim.chargers.outlet import Outlet


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """One outlet kept for a token or its group, until `expires_at`."""

    id: int
    evse_id: int
    token: str
    group: str | None
    expires_at: datetime

    def admits(self, token: str, group: str | None) -> bool:
        """Whether it is for this token."""
        return token == self.token or (group is not None and group == self.group)


class Reservations:
    """At most one an outlet. `changed` is called whenever one has come or gone."""

    def __init__(
        self,
        outlets: Mapping[int, Outlet],
        outbox: Outbox,
        changed: Callable[[datetime], None],
    ) -> None:
        self._outlets = outlets
        self._outbox = outbox
        self._changed = changed
        self._by_outlet: dict[int, Reservation] = {}

    def of(self, evse_id: int) -> Reservation | None:
        """The reservation of an outlet."""
        return self._by_outlet.get(evse_id)

    def admits(self, evse_id: int, token: str, group: str | None) -> bool:
        """Whether an outlet is kept for nobody else than this token."""
        held = self.of(evse_id)
        return held is None or held.admits(token, group)

    def put(self, reservation: Reservation, now: datetime) -> str:
        """Keep an outlet for somebody; the status to answer."""
        outlet = self._outlets.get(reservation.evse_id)
        if outlet is None or reservation.expires_at <= now:
            return "Rejected"
        if not outlet.operative:
            return "Unavailable"
        held = self.of(outlet.id)
        if outlet.evse.vehicle is not None or (held is not None and held.id != reservation.id):
            return "Occupied"
        self._drop(reservation.id)
        self._by_outlet[outlet.id] = reservation
        self._changed(now)
        return "Accepted"

    def cancel(self, reservation_id: int, now: datetime) -> bool:
        """End a reservation; whether there was one."""
        found = self._drop(reservation_id)
        if found:
            self._changed(now)
        return found

    def use(self, evse_id: int, now: datetime) -> int | None:
        """A transaction begins at the outlet: end its reservation; the id if there was one."""
        held = self._by_outlet.pop(evse_id, None)
        if held is None:
            return None
        self._changed(now)
        return held.id

    def expire(self, now: datetime) -> None:
        """End those whose time is over, and tell it."""
        over = [held for held in self._by_outlet.values() if held.expires_at <= now]
        for held in over:
            self._outbox.put(ReservationOver(at=now, reservation_id=held.id, reason="Expired"))
            self.cancel(held.id, now)

    def _drop(self, reservation_id: int) -> bool:
        for evse_id, held in self._by_outlet.items():
            if held.id == reservation_id:
                del self._by_outlet[evse_id]
                return True
        return False
