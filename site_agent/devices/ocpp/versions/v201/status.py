"""What an outlet says of itself, by StatusNotification or by NotifyEvent (G01.FR.07)."""

from __future__ import annotations

from collections.abc import Mapping

from site_agent.devices.ocpp.known.inventory import Condition
from site_agent.devices.ocpp.versions.hearing import Hearer

_PLUGGED: Mapping[str, bool] = {"Available": False, "Reserved": False, "Occupied": True}
"""Unavailable and Faulted do not say whether a vehicle is there."""


def tell(station: Hearer, evse_id: int, status: str) -> None:
    """Note it; outlets that are not in the settings do not matter."""
    if evse_id not in station.evses:
        return
    station.inventory.conditions[evse_id] = Condition(status=status)
    plugged = _PLUGGED.get(status)
    if plugged is False:
        station.inventory.unplugged(evse_id)
    station.evse(evse_id).status(plugged)
