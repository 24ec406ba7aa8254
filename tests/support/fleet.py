"""A live fleet for tests, by the settings' own reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from site_agent.config.fleet import AccessSettings, StrangerSettings, access
from site_agent.config.fleet_roster import base_values, reader
from site_agent.config.fleet_vehicle import VehicleSettings
from site_agent.domain.fleet.facts import Change, Source
from site_agent.domain.fleet.known import Settled
from site_agent.flows.fleet.roster import LiveRoster
from site_agent.ports import RosterStore
from site_agent.store.memory_fleet import MemoryRoster
from support.site import NOON

ZONE = "Europe/Berlin"
VAN = {
    "vehicle_id": "van-1",
    "id_tags": ["04A1B2C3"],
    "departure": "06:30",
    "required_soc_pct": 80.0,
    "capacity_wh": 50_000.0,
}
STRANGERS = StrangerSettings(stay_h=8, required_wh=20_000)


def settled(
    *fleet: Mapping[str, Any],
    bays: Mapping[str, str] | None = None,
    evses: Sequence[str] = ("a", "b"),
    strangers: StrangerSettings = STRANGERS,
) -> Settled:
    """What the settings of such a fleet come to."""
    vehicles = [VehicleSettings.model_validate(one) for one in fleet]
    return Settled(
        base=base_values(vehicles, bays or {}),
        access=access(vehicles, (), bays or {}, strangers, AccessSettings(blocked=("BAD1",))),
        stranger=strangers.vehicle(),
        evses=frozenset(evses),
        read=reader(ZONE, strangers),
    )


def live_roster(
    *fleet: Mapping[str, Any], store: RosterStore | None = None, **more: Any
) -> LiveRoster:
    """A live fleet whose settings name `fleet` (one van, when left out)."""
    return LiveRoster(settled(*(fleet or (VAN,)), **more), store or MemoryRoster())


def change(
    vehicle_id: str = "van-1",
    at: datetime = NOON,
    source: Source = Source.API,
    *,
    measured_at: datetime | None = None,
    whole: bool = False,
    **values: Any,
) -> Change:
    """What somebody tells of a vehicle."""
    return Change(
        vehicle_id=vehicle_id,
        values=values,
        source=source,
        at=at,
        measured_at=measured_at,
        whole=whole,
    )
