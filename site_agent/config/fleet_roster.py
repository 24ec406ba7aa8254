"""From the settings to the live fleet, and from told data to a vehicle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from pydantic import ValidationError

from site_agent.config.fleet import StrangerSettings, vehicle_credentials
from site_agent.config.fleet_vehicle import VehicleFacts, VehicleSettings
from site_agent.domain.fleet.agreed import FleetVehicle
from site_agent.domain.fleet.facts import Facts, Values
from site_agent.domain.fleet.known import Fault, InvalidFactsError, KnownVehicle


def base_values(fleet: Sequence[VehicleSettings], bays: Mapping[str, str]) -> Mapping[str, Values]:
    """What the settings say of every vehicle, as data; one bay of a vehicle is its own."""
    own = {name: bay for bay, name in bays.items() if [*bays.values()].count(name) == 1}
    return {one.vehicle_id: _values(one, own.get(one.vehicle_id)) for one in fleet}


def _values(one: VehicleSettings, bay: str | None) -> Values:
    told = one.model_dump(mode="json", exclude_unset=True, exclude={"vehicle_id"})
    return told if bay is None else told | {"bay": bay}


def reader(site_zone: str, strangers: StrangerSettings) -> partial[KnownVehicle]:
    """How data are read on this site; what is left open is as for strangers."""
    return partial(_read, site_zone, strangers.vehicle())


def _read(
    site_zone: str, default: FleetVehicle, vehicle_id: str, held: Values, facts: Facts
) -> KnownVehicle:
    told = checked(vehicle_id, held)
    soc = facts.get("soc_pct")
    return KnownVehicle(
        vehicle=told.live(vehicle_id, site_zone, default, None if soc is None else soc.at),
        credentials=tuple(vehicle_credentials(vehicle_id, told)),
    )


def checked(vehicle_id: str, held: Values) -> VehicleFacts:
    """Data of one vehicle, each in its type and range.

    Raises:
        InvalidFactsError: with every fault.
    """
    try:
        return VehicleFacts.model_validate(dict(held))
    except ValidationError as error:
        faults = [
            Fault(pointer=_pointer(fault["loc"]), detail=fault["msg"])
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise InvalidFactsError(vehicle_id, faults) from error


def _pointer(loc: tuple[int | str, ...]) -> str:
    return "".join(f"/{part}" for part in loc)
