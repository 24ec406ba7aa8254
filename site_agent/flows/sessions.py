"""Who is plugged in where: from the identity a charger reports to what the vehicle needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from contracts.time import as_utc
from site_agent.domain.device import ChargerState
from site_agent.domain.fleet.agreed import FleetVehicle, need_of
from site_agent.domain.fleet.identity import Identity, Presented, Roster
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.ports import KeyValues

STAYS_KEY = "sessions/stays"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The site's vehicles by their id, who is who, and the policy for all others."""

    vehicles: Mapping[str, FleetVehicle]
    roster: Roster
    stranger: FleetVehicle

    def identify(self, presented: Presented, evse_id: str) -> Identity:
        """Who it is, as `Roster.identify`."""
        return self.roster.identify(presented, evse_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stay:
    """One vehicle at one EVSE, from plug to plug."""

    since: datetime
    identity: Identity


class Sessions:
    """`flows.observer.NeedSource`, from the fleet table.

    Remembers when each vehicle came (departures may count from then), also over a restart: call
    `load` first, and `save` now and then.
    """

    def __init__(self, fleet: Fleet, memory: KeyValues) -> None:
        self._fleet = fleet
        self._memory = memory
        self._stays: dict[str, _Stay] = {}
        self._saved = ""

    async def load(self) -> None:
        """Take up what an earlier run has saved."""
        found = json.loads(await self._memory.get(STAYS_KEY) or "{}")
        self._stays = {evse_id: self._restored(evse_id, stay) for evse_id, stay in found.items()}
        self._saved = self._text()

    async def save(self) -> None:
        """Store the stays if they have changed."""
        text = self._text()
        if text != self._saved:
            await self._memory.put(STAYS_KEY, text)
            self._saved = text

    def _text(self) -> str:
        return json.dumps(
            {
                evse_id: {"since": stay.since.isoformat(), **asdict(stay.identity.presented)}
                for evse_id, stay in self._stays.items()
            }
        )

    def _restored(self, evse_id: str, stay: dict[str, str | None]) -> _Stay:
        """The settings may have changed since: who it is, is judged anew."""
        since = as_utc(datetime.fromisoformat(stay.pop("since") or ""))
        return _Stay(since=since, identity=self._fleet.identify(Presented(**stay), evse_id))

    def needs(self, chargers: Sequence[ChargerState], now: datetime) -> tuple[VehicleNeed, ...]:
        """The need of every plugged-in vehicle."""
        return tuple(
            self._need(charger, self._stay(charger, now), now)
            for charger in chargers
            if self._present(charger)
        )

    def _present(self, charger: ChargerState) -> bool:
        if charger.plugged or charger.transaction_id is not None:
            return True
        if charger.online:
            self._stays.pop(charger.spec.evse_id, None)
        return False

    def _stay(self, charger: ChargerState, now: datetime) -> _Stay:
        """This stay. What is told later belongs to it, and what was told holds until the end.

        It is another stay once a card or the vehicle itself contradicts, unless the vehicle is
        known to be the same.
        """
        evse_id, told = charger.spec.evse_id, _told(charger)
        before = self._stays.get(evse_id)
        if before is None:
            stay = _Stay(since=now, identity=self._fleet.identify(told, evse_id))
        else:
            stay = self._continued(before, told, evse_id, now)
        self._stays[evse_id] = stay
        return stay

    def _continued(self, before: _Stay, told: Presented, evse_id: str, now: datetime) -> _Stay:
        known = before.identity.presented
        if known.contradicts(told):
            identity = self._fleet.identify(told, evse_id)
            same = identity.vehicle is not None and identity.vehicle == before.identity.vehicle
            return _Stay(since=before.since if same else now, identity=identity)
        joined = known.joined(told)
        if joined == known:
            return before
        return _Stay(since=before.since, identity=self._fleet.identify(joined, evse_id))

    def _need(self, charger: ChargerState, stay: _Stay, now: datetime) -> VehicleNeed:
        vehicle = self._fleet.vehicles.get(stay.identity.vehicle or "")
        if vehicle is not None:
            return need_of(vehicle, charger, stay.since, now)
        return need_of(self._fleet.stranger, charger, stay.since, now, known=False)


def _told(charger: ChargerState) -> Presented:
    """What the charger tells now; one without an identity of its own may still tell a tag."""
    if charger.identity is not None:
        return charger.identity.presented
    return Presented(token=charger.id_tag)
