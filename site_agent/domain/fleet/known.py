"""The whole fleet as it is known now: put together from its vehicles, if they fit together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from contracts.errors import PermanentError
from site_agent.domain.fleet.access import Access
from site_agent.domain.fleet.agreed import FleetVehicle
from site_agent.domain.fleet.facts import Facts, Values
from site_agent.domain.fleet.identity import Credential, Key, Kind, hinted

MOST_VEHICLES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a datum that was told."""

    pointer: str
    """Where: a JSON pointer (RFC 6901) into the vehicle, "" for the whole."""
    detail: str


class InvalidFactsError(PermanentError):
    """A vehicle cannot be as it was told."""

    def __init__(self, vehicle_id: str, faults: Collection[Fault]) -> None:
        words = "; ".join(f"{one.pointer or '/'}: {one.detail}" for one in faults)
        super().__init__(f"vehicle {vehicle_id!r}: {words}")
        self.vehicle_id = vehicle_id
        self.faults = tuple(faults)


class ConflictError(PermanentError):
    """What was told cannot stand beside what is known already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownVehicle:
    """One vehicle, and what it is known by."""

    vehicle: FleetVehicle
    credentials: tuple[tuple[Key, Credential], ...] = ()


Read = Callable[[str, Values, Facts], KnownVehicle]
"""From a vehicle's id and data to what it is; raises `InvalidFactsError`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What the settings say of the fleet, and how data are read."""

    base: Mapping[str, Values]
    """The settings' vehicles, by id."""
    access: Access
    stranger: FleetVehicle
    evses: Collection[str]
    read: Read


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetBook:
    """Every vehicle by its id, every credential, every bay."""

    vehicles: Mapping[str, FleetVehicle]
    credentials: Mapping[Key, Credential]
    bays: Mapping[str, str]


def fleet_book(known: Iterable[KnownVehicle], settled: Access, evses: Collection[str]) -> FleetBook:
    """The fleet of these vehicles; `settled`: the settings' drivers, blocked cards and rules.

    Raises:
        ConflictError: a card, contract, address, VIN or bay would be of two, a bay is no EVSE of
            this site, or there are too many vehicles.
    """
    vehicles = {one.vehicle.vehicle_id: one for one in known}
    if len(vehicles) > MOST_VEHICLES:
        raise ConflictError(f"more than {MOST_VEHICLES} vehicles")
    others = [(key, one) for key, one in settled.roster.credentials.items() if one.vehicle is None]
    credentials = [*others, *(pair for one in vehicles.values() for pair in one.credentials)]
    for (kind, text), count in Counter(key for key, _ in credentials).items():
        if count > 1:
            shown = hinted(text) if kind is Kind.TAG else text
            raise ConflictError(f"{kind} {shown} would be of two holders")
    return FleetBook(
        vehicles={name: one.vehicle for name, one in vehicles.items()},
        credentials=dict(credentials),
        bays=_bays([one.vehicle for one in vehicles.values()], settled, evses),
    )


def _bays(
    vehicles: Iterable[FleetVehicle], settled: Access, evses: Collection[str]
) -> Mapping[str, str]:
    """The settings' bays, except of those vehicles that have another one now."""
    own = [(one.bay, one.vehicle_id) for one in vehicles if one.bay is not None]
    for bay, _ in own:
        if bay not in evses:
            raise ConflictError(f"bay {bay!r}: no EVSE of this site has this id")
    for bay, count in Counter(bay for bay, _ in own).items():
        if count > 1:
            names = ", ".join(sorted(name for place, name in own if place == bay))
            raise ConflictError(f"bay {bay!r} would be of {names}")
    moved = {name for _, name in own}
    kept = {bay: name for bay, name in settled.roster.bays.items() if name not in moved}
    return kept | dict(own)
