"""Settings of the fleet: who drives when, and what a stranger gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from contracts.config import Settings
from site_agent.config.fleet_vehicle import (
    HolderName,
    HolderSettings,
    Tag,
    VehicleData,
    VehicleSettings,
    Zone,
)
from site_agent.config.values import Name, Positive
from site_agent.domain.fleet.access import Access, Offline, Rule
from site_agent.domain.fleet.agreed import FleetVehicle, LeavesAfter, Target
from site_agent.domain.fleet.identity import Credential, Key, Kind, Roster, normal

__all__ = [
    "AccessSettings",
    "DriverSettings",
    "HolderName",
    "StrangerSettings",
    "VehicleSettings",
    "Zone",
    "access",
    "credentials",
    "vehicle_credentials",
]


class DriverSettings(HolderSettings):
    """One driver of the fleet."""

    driver_id: HolderName
    vehicle: HolderName | None = None
    """The one usually driven; None: whichever stands there (see `bays`)."""


class StrangerSettings(Settings):
    """What a vehicle gets that the fleet table does not know."""

    admit: bool = True
    """Whether a card that nobody knows may start a transaction."""
    admit_at: tuple[Name, ...] = ()
    """Only at these EVSEs; empty: at all."""
    without_card: bool = True
    """Whether a button, or plugging in alone, may start one where the charger asks for no card."""
    without_card_at: tuple[Name, ...] = ()
    """Only at these EVSEs; empty: at all."""
    stay_h: Positive = 8.0
    required_wh: Annotated[float, Field(ge=0)] = 20_000.0
    rank: Annotated[int, Field(ge=0, le=1000)] = 100

    def vehicle(self) -> FleetVehicle:
        """What stands in for a vehicle nobody knows."""
        return FleetVehicle(
            vehicle_id="unknown",
            departure=LeavesAfter(stay=timedelta(hours=self.stay_h)),
            target=Target(energy_wh=self.required_wh),
            rank=self.rank,
        )


class AccessSettings(Settings):
    """Rules for all cards."""

    concurrent: bool = True
    """Whether one card may charge at several plugs at once, as a depot's shared cards do."""
    offline: Literal["list", "anyone", "nobody"] | None = None
    """Whom chargers let charge while they cannot ask.

    `list`: the fleet's cards, from a list that the agent keeps in each charger; `anyone`: all but
    blocked cards; None: `anyone` where strangers are admitted everywhere, else `list`.
    """
    blocked: tuple[Tag, ...] = ()
    """Cards that belong to nobody of the fleet and are refused all the same."""


def access(
    vehicles: Sequence[VehicleSettings],
    drivers: Sequence[DriverSettings],
    bays: Mapping[str, str],
    strangers: StrangerSettings,
    rules: AccessSettings,
) -> Access:
    """Who is who and who may charge, in the domain's words."""
    everyone = strangers.admit and not strangers.admit_at
    offline = rules.offline or (Offline.ANYONE if everyone else Offline.LIST)
    return Access(
        roster=Roster(
            credentials=dict(credentials(vehicles, drivers, rules)),
            drives={one.driver_id: one.vehicle for one in drivers if one.vehicle is not None},
            bays=bays,
        ),
        strangers=Rule(admit=strangers.admit, at=_places(strangers.admit_at)),
        bare=Rule(admit=strangers.without_card, at=_places(strangers.without_card_at)),
        concurrent=rules.concurrent,
        offline=Offline(offline),
    )


def credentials(
    vehicles: Sequence[VehicleSettings], drivers: Sequence[DriverSettings], rules: AccessSettings
) -> Iterator[tuple[Key, Credential]]:
    """Everything that may be presented, in its `normal` spelling; the same twice is a mistake."""
    for vehicle in vehicles:
        yield from vehicle_credentials(vehicle.vehicle_id, vehicle)
    for driver in drivers:
        yield from _cards(driver, Credential(driver=driver.driver_id, group=driver.group))
    for tag in rules.blocked:
        card = Credential(blocked=True, text=tag, token_type="ISO14443")  # noqa: S106 (a kind)
        yield (Kind.TAG, normal(Kind.TAG, tag)), card


def vehicle_credentials(vehicle_id: str, told: VehicleData) -> Iterator[tuple[Key, Credential]]:
    """What one vehicle may be known by."""
    plain = Credential(vehicle=vehicle_id, group=told.group)
    found = [(Kind.EMAID, text) for text in told.emaids]
    found += [(Kind.EVCCID, text) for text in told.evccids]
    found += [(Kind.VIN, told.vin)] if told.vin is not None else []
    for kind, text in found:
        yield (kind, normal(kind, text)), replace(plain, text=text)
    yield from _cards(told, plain)


def _cards(holder: HolderSettings, plain: Credential) -> Iterator[tuple[Key, Credential]]:
    for card in holder.id_tags:
        yield (
            (Kind.TAG, normal(Kind.TAG, card.tag)),
            replace(
                plain,
                group=card.group or plain.group,
                valid_until=card.valid_until,
                blocked=card.blocked,
                evses=_places(card.evses),
                text=card.tag,
                token_type=card.type,
            ),
        )


def _places(evses: tuple[str, ...]) -> frozenset[str] | None:
    return frozenset(evses) or None
