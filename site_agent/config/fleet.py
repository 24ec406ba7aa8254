"""Settings of the fleet: who drives when, and what a stranger gets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, model_validator

from contracts.config import Settings
from contracts.time import as_utc
from site_agent.config.values import Name, Percent, Positive
from site_agent.domain.fleet.access import Access, Offline, Rule
from site_agent.domain.fleet.agreed import (
    Departure,
    FleetVehicle,
    LeavesAfter,
    LeavesAt,
    LeavesDaily,
    Target,
)
from site_agent.domain.fleet.identity import Credential, Key, Kind, Roster, normal

_CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{value!r} is no time zone (such as Europe/Berlin)") from error
    return value


def _no_number(value: object) -> object:
    if isinstance(value, int | float):
        raise ValueError("put clock times in quotes: YAML reads 22:00 as the number 1320")  # noqa: TRY004 (pydantic wants ValueError)
    return value


def _card(value: object) -> object:
    """A bare word is a card of which nothing else is said."""
    if isinstance(value, int | float):
        raise ValueError("put id tags in quotes: YAML reads 0012 as a number")  # noqa: TRY004 (pydantic wants ValueError)
    return {"tag": value} if isinstance(value, str) else value


Zone = Annotated[str, AfterValidator(_zone)]
HolderName = Annotated[str, Field(min_length=1, max_length=60)]
Tag = Annotated[str, Field(min_length=1, max_length=36, pattern=r"^[!-~]+( [!-~]+)*$")]
"""Printable ASCII; 1.6 chargers take at most 20 characters."""
Group = Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[!-~]+$")]
ContractId = Annotated[
    str, Field(pattern=r"^[A-Za-z]{2}-?[0-9A-Za-z]{3}-?[Cc]?[0-9A-Za-z]{8,9}(-?[0-9A-Za-z])?$")
]
VehicleAddress = Annotated[str, Field(pattern=r"^[0-9A-Za-z:.-]{12,255}$")]


# --- who is who -----------------------------------------------------------------------------------


class CardSettings(Settings):
    """A card, fob or app account. It is personal data: logs show its last characters only."""

    tag: Tag
    """The id that chargers read from it; upper and lower case are the same."""
    type: Literal["ISO14443", "ISO15693", "KeyCode", "Local", "Central"] = "ISO14443"
    """What it is in the local lists of 2.0.1 chargers; a card shown counts whatever its type."""
    group: Group | None = None
    """Instead of its holder's."""
    valid_until: Annotated[AwareDatetime, AfterValidator(as_utc)] | None = None
    """RFC 3339, with its offset."""
    blocked: bool = False
    """Lost or withdrawn: refused wherever it is shown."""
    evses: tuple[Name, ...] = ()
    """Only at these EVSEs; empty: at all."""


class HolderSettings(Settings):
    """Who may hold cards."""

    id_tags: tuple[Annotated[CardSettings, BeforeValidator(_card)], ...] = ()
    """Its cards: `TAG`, or `{tag: TAG, group: ..., valid_until: ..., blocked: ..., evses: ...}`."""
    group: Group | None = None
    """Cards of one group may stop each other's transactions."""


class VehicleSettings(HolderSettings):
    """One vehicle of the fleet."""

    vehicle_id: HolderName
    vin: Annotated[str, Field(pattern=r"^[A-HJ-NPR-Za-hj-npr-z0-9]{17}$")] | None = None
    """ISO 3779; for chargers that tell it."""
    emaids: tuple[ContractId, ...] = ()
    """Contracts in its ISO 15118 certificates, with or without hyphens and check digit."""
    evccids: tuple[VehicleAddress, ...] = ()
    """What it calls itself on the cable: a MAC address (autocharge), or an ISO 15118-20 EVCCID."""
    departure: Annotated[str | datetime | None, BeforeValidator(_no_number)] = None
    """"HH:MM" every day on the local clock, or one instant (RFC 3339, with its offset)."""
    in_hours: Positive | None = None
    """Instead of `departure`: so long after it is plugged in."""
    time_zone: Zone | None = None
    """Of "HH:MM"; None: the site's."""
    required_soc_pct: Percent | None = None
    required_wh: Annotated[float, Field(ge=0)] | None = None
    """Instead of `required_soc_pct`: energy per stay."""
    capacity_wh: Positive | None = None
    arrival_soc_pct: Percent = 20.0
    """Assumed where nobody tells its state of charge."""
    max_power_w: Positive | None = None
    rank: Annotated[int, Field(ge=0, le=1000)] = 0
    """Lower goes first when not all can be served."""

    @model_validator(mode="after")
    def _says_when_and_how_much(self) -> VehicleSettings:
        if (self.departure is None) == (self.in_hours is None):
            raise ValueError("give either departure or in_hours")
        if (self.required_soc_pct is None) == (self.required_wh is None):
            raise ValueError("give either required_soc_pct or required_wh")
        if self.required_soc_pct is not None and self.capacity_wh is None:
            raise ValueError("required_soc_pct needs capacity_wh")
        self.leaves("UTC")
        return self

    def leaves(self, site_zone: str) -> Departure:
        """Its departure in the domain's words.

        Raises:
            ValueError: neither a clock time nor an instant with an offset.
        """
        if self.in_hours is not None:
            return LeavesAfter(stay=timedelta(hours=self.in_hours))
        text = str(self.departure)
        if clock := _CLOCK_TIME.fullmatch(text):
            at = time(int(clock[1]), int(clock[2]))
            return LeavesDaily(at=at, zone=ZoneInfo(self.time_zone or site_zone))
        try:
            instant = datetime.fromisoformat(text)
        except ValueError as error:
            raise ValueError(f'departure {text!r}: "HH:MM" in quotes, or RFC 3339') from error
        if instant.tzinfo is None:
            raise ValueError(f"departure {text!r} has no offset: whose clock is that?")
        return LeavesAt(instant=instant)

    def vehicle(self, site_zone: str) -> FleetVehicle:
        """The vehicle in the domain's words."""
        return FleetVehicle(
            vehicle_id=self.vehicle_id,
            departure=self.leaves(site_zone),
            target=Target(
                soc_pct=self.required_soc_pct,
                capacity_wh=self.capacity_wh,
                energy_wh=self.required_wh,
                arrival_soc_pct=self.arrival_soc_pct,
            ),
            max_power_w=self.max_power_w,
            rank=self.rank,
        )


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
        plain = Credential(vehicle=vehicle.vehicle_id, group=vehicle.group)
        told = [(Kind.EMAID, text) for text in vehicle.emaids]
        told += [(Kind.EVCCID, text) for text in vehicle.evccids]
        told += [(Kind.VIN, vehicle.vin)] if vehicle.vin is not None else []
        for kind, text in told:
            yield (kind, normal(kind, text)), replace(plain, text=text)
        yield from _cards(vehicle, plain)
    for driver in drivers:
        yield from _cards(driver, Credential(driver=driver.driver_id, group=driver.group))
    for tag in rules.blocked:
        card = Credential(blocked=True, text=tag, token_type="ISO14443")  # noqa: S106 (a kind)
        yield (Kind.TAG, normal(Kind.TAG, tag)), card


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
