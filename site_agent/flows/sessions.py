"""Who is plugged in where: from the identity a charger reports to what the vehicle needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.time import as_utc
from site_agent.domain.device import ChargerState
from site_agent.domain.fleet import FleetVehicle, need_of
from site_agent.domain.vehicle import VehicleNeed
from site_agent.ports import KeyValues

ARRIVALS_KEY = "sessions/arrivals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The site's vehicles by id tag (lower case), and the policy for all others."""

    by_tag: Mapping[str, FleetVehicle]
    stranger: FleetVehicle

    def vehicle(self, id_tag: str | None) -> FleetVehicle | None:
        """The vehicle this tag belongs to. OCPP id tags are case insensitive."""
        return None if id_tag is None else self.by_tag.get(id_tag.lower())


@dataclass(frozen=True, slots=True)
class _Arrival:
    at: datetime
    id_tag: str | None


class Sessions:
    """`flows.observer.NeedSource`, from the fleet table.

    Remembers when each vehicle came (departures may count from then), also over a restart: call
    `load` first, and `save` now and then.
    """

    def __init__(self, fleet: Fleet, memory: KeyValues) -> None:
        self._fleet = fleet
        self._memory = memory
        self._arrivals: dict[str, _Arrival] = {}
        self._saved: dict[str, _Arrival] = {}

    async def load(self) -> None:
        """Take up what an earlier run has saved."""
        found = json.loads(await self._memory.get(ARRIVALS_KEY) or "{}")
        self._arrivals = {
            evse_id: _Arrival(as_utc(datetime.fromisoformat(at)), id_tag)
            for evse_id, (at, id_tag) in found.items()
        }
        self._saved = dict(self._arrivals)

    async def save(self) -> None:
        """Store the arrivals if they have changed."""
        arrivals = dict(self._arrivals)
        if arrivals == self._saved:
            return
        await self._memory.put(
            ARRIVALS_KEY,
            json.dumps({evse: (one.at.isoformat(), one.id_tag) for evse, one in arrivals.items()}),
        )
        self._saved = arrivals

    def needs(self, chargers: Sequence[ChargerState], now: datetime) -> tuple[VehicleNeed, ...]:
        """The need of every plugged-in vehicle."""
        return tuple(
            self._need(charger, self._arrival(charger, now), now)
            for charger in chargers
            if self._present(charger)
        )

    def _present(self, charger: ChargerState) -> bool:
        if charger.plugged or charger.transaction_id is not None:
            return True
        if charger.online:
            self._arrivals.pop(charger.spec.evse_id, None)
        return False

    def _arrival(self, charger: ChargerState, now: datetime) -> _Arrival:
        """This stay. A tag shown later belongs to it, also once its transaction has ended."""
        name = charger.spec.evse_id
        before = self._arrivals.get(name)
        changed = before is not None and before.id_tag not in (None, charger.id_tag)
        if before is None or (changed and charger.id_tag is not None):
            self._arrivals[name] = _Arrival(now, charger.id_tag)
        elif before.id_tag is None and charger.id_tag is not None:
            self._arrivals[name] = _Arrival(before.at, charger.id_tag)
        return self._arrivals[name]

    def _need(self, charger: ChargerState, stay: _Arrival, now: datetime) -> VehicleNeed:
        vehicle = self._fleet.vehicle(stay.id_tag)
        if vehicle is not None:
            return need_of(vehicle, charger, stay.at, now)
        return need_of(self._fleet.stranger, charger, stay.at, now, known=False)
