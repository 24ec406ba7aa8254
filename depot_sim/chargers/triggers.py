"""TriggerMessage: all versions name the messages alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from depot_sim.chargers.events import BootWanted, Context, HeartbeatDue
from depot_sim.chargers.outlet import Outlet
from depot_sim.chargers.station import Station

Own = Mapping[str, Callable[[], None]]
"""Messages of the whole station that only one version has, and how to queue them."""
_STATION_WIDE = {"BootNotification": BootWanted, "Heartbeat": HeartbeatDue}


def _meter(station: Station, outlet: Outlet, now: datetime) -> None:
    station.meter(outlet, Context.TRIGGER, now)


_PER_OUTLET: Mapping[str, Callable[[Station, Outlet, datetime], None]] = {
    "MeterValues": _meter,
    "StatusNotification": lambda station, outlet, now: station.tell_status(outlet, now),
    "TransactionEvent": _meter,
}


def trigger(station: Station, message: str, evse_id: int | None, now: datetime, own: Own) -> str:
    """Queue the message asked for, of one outlet or of all (None, 0); the status to answer."""
    if message in own:
        own[message]()
        return "Accepted"
    if message in _STATION_WIDE:
        station.outbox.put(_STATION_WIDE[message](at=now))
        return "Accepted"
    tell = _PER_OUTLET.get(message)
    if tell is None:
        return "NotImplemented"
    outlets = [o for o in station.outlets.values() if evse_id in (None, 0, o.id)]
    for outlet in outlets:
        tell(station, outlet, now)
    return "Accepted" if outlets else "Rejected"
