"""Outlets kept for somebody (OCPP 1.6 §5.13, OCPP 2.0.1 part 2, H01-H04).

Reservations of the whole station are not offered; a new one for an outlet replaces nothing but
the one of the same id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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
    """At most one an outlet."""

    def __init__(self) -> None:
        self._by_outlet: dict[int, Reservation] = {}

    def of(self, evse_id: int) -> Reservation | None:
        """The reservation of an outlet."""
        return self._by_outlet.get(evse_id)

    def put(self, reservation: Reservation) -> bool:
        """Keep the outlet; whether it was free or held by the same id."""
        held = self.of(reservation.evse_id)
        if held is not None and held.id != reservation.id:
            return False
        self.take(reservation.id)
        self._by_outlet[reservation.evse_id] = reservation
        return True

    def take(self, reservation_id: int) -> Reservation | None:
        """End a reservation, used or cancelled."""
        for evse_id, held in self._by_outlet.items():
            if held.id == reservation_id:
                return self._by_outlet.pop(evse_id)
        return None

    def expired(self, now: datetime) -> list[Reservation]:
        """End those whose time is over."""
        if not self._by_outlet:
            return []
        over = [held for held in self._by_outlet.values() if held.expires_at <= now]
        return [held for held in over if self.take(held.id)]
