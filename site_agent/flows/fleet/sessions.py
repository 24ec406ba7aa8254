"""Who is plugged in where: from the identity a charger reports to what the vehicle needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from contracts.time import as_utc
from site_agent.domain.device import ChargerState
from site_agent.domain.fleet.agreed import FleetVehicle, need_of
from site_agent.domain.fleet.identity import Identity, Presented, Roster
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.fleet.stay import ExpectedStay
from site_agent.flows.fleet.expecting import Expecting, Whereabouts
from site_agent.ports import KeyValues

STAYS_KEY = "sessions/stays"
LEFT_KEY = "sessions/left"
PlugWanted = Callable[[VehicleNeed], datetime | None]


def not_wanted(_: VehicleNeed) -> None:
    """Every vehicle has a plug."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The site's vehicles by their id, who is who, and the policy for all others.

    The mappings may be live views (`flows.fleet.roster`): call `Sessions.renew` when they change.
    """

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
    reported: datetime | None = None
    """When the state of charge that telematics told last was measured."""
    before_report_wh: float = 0.0
    """What had been charged when that was heard of."""


class Sessions:
    """`flows.control.observer.NeedSource`, from the fleet table.

    Remembers when each vehicle came (departures may count from then), also over a restart: call
    `load` first, and `save` now and then.
    """

    def __init__(self, fleet: Fleet, memory: KeyValues) -> None:
        self._fleet = fleet
        self._memory = memory
        self._stays: dict[str, _Stay] = {}
        self._left: dict[str, datetime] = {}
        self._rated_w: dict[str, float] = {}
        self._expecting = Expecting()
        self._saved = ("", "")
        self.plug_wanted: PlugWanted = not_wanted
        """When a vehicle's plug is wanted for another."""

    async def load(self) -> None:
        """Take up what an earlier run has saved."""
        found = json.loads(await self._memory.get(STAYS_KEY) or "{}")
        self._stays = {evse_id: self._restored(evse_id, stay) for evse_id, stay in found.items()}
        left = json.loads(await self._memory.get(LEFT_KEY) or "{}")
        self._left = {name: as_utc(datetime.fromisoformat(at)) for name, at in left.items()}
        self._saved = (self._text(), self._left_text())

    async def save(self) -> None:
        """Store the stays, and who left when, if they have changed."""
        texts = (self._text(), self._left_text())
        for key, text, saved in zip((STAYS_KEY, LEFT_KEY), texts, self._saved, strict=True):
            if text != saved:
                await self._memory.put(key, text)
        self._saved = texts

    def renew(self) -> None:
        """The fleet has changed: who is at each plug is judged anew."""
        for evse_id, stay in self._stays.items():
            identity = self._fleet.identify(stay.identity.presented, evse_id)
            self._stays[evse_id] = replace(stay, identity=identity)

    def _left_text(self) -> str:
        known = ((name, at) for name, at in self._left.items() if name in self._fleet.vehicles)
        return json.dumps({name: at.isoformat() for name, at in known})

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
        found = [
            self._need(charger, self._stay(charger, now), now)
            for charger in chargers
            if self._present(charger, now)
        ]
        return tuple(replace(need, wanted_at=self.plug_wanted(need)) for need in found)

    def expected(self, now: datetime) -> tuple[ExpectedStay, ...]:
        """Who is expected within `AHEAD`, by time; those that stand here: after they have left."""
        return tuple(sorted(self._expected(now), key=lambda stay: (stay.arrives, stay.vehicle_id)))

    def _expected(self, now: datetime) -> Iterator[ExpectedStay]:
        here = {stay.identity.vehicle: stay.since for stay in self._stays.values()}
        usual_w = min(self._rated_w.values(), default=0.0)
        for name, vehicle in self._fleet.vehicles.items():
            where = Whereabouts(here=name in here, since=here.get(name, self._left.get(name)))
            evse_w = self._rated_w.get(vehicle.bay or "", usual_w)
            if evse_w > 0:
                yield from self._expecting.stays(vehicle, where, evse_w, now)

    def arrived_at(self, evse_id: str) -> datetime | None:
        """Since when the vehicle at an EVSE has been there; None: nobody is."""
        stay = self._stays.get(evse_id)
        return None if stay is None else stay.since

    def _present(self, charger: ChargerState, now: datetime) -> bool:
        spec = charger.spec
        self._rated_w[spec.evse_id] = spec.max_current_a * spec.voltage_v * len(spec.phases)
        if charger.plugged or charger.transaction_id is not None:
            return True
        if charger.online:
            gone = self._stays.pop(spec.evse_id, None)
            if gone is not None and gone.identity.vehicle is not None:
                self._left[gone.identity.vehicle] = now
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
        if vehicle is None:
            return need_of(self._fleet.stranger, charger, stay.since, now, known=False)
        if vehicle.soc is not None and vehicle.soc.at != stay.reported:
            charged_wh = charger.energy_wh.value or 0.0
            stay = replace(stay, reported=vehicle.soc.at, before_report_wh=charged_wh)
            self._stays[charger.spec.evse_id] = stay
        before_wh = stay.before_report_wh
        return need_of(vehicle, charger, stay.since, now, before_report_wh=before_wh)


def _told(charger: ChargerState) -> Presented:
    """What the charger tells now; one without an identity of its own may still tell a tag."""
    if charger.identity is not None:
        return charger.identity.presented
    return Presented(token=charger.id_tag)
