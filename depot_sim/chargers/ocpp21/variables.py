"""The variables 2.1 adds: bidirectional charging of each EVSE."""

from __future__ import annotations

from depot_sim.chargers.ocpp201.device_model import Entry, Key
from depot_sim.chargers.ocpp201.variables import entries
from depot_sim.chargers.profiles import OPERATION_MODES
from depot_sim.chargers.station import Station
from depot_sim.chargers.variables import fixed

_CTRLR = "V2XChargingCtrlr"
_ONE_WAY = "ChargingOnly,Idle"


def entries21(station: Station) -> dict[Key, Entry]:
    """Those of 2.0.1, and V2XChargingCtrlr of the station and of every EVSE."""
    found = entries(station)
    able = {evse_id: outlet.evse.bidirectional for evse_id, outlet in station.outlets.items()}
    for evse_id, bidirectional in {0: any(able.values()), **able}.items():
        word = str(bidirectional).lower()
        modes = ",".join(OPERATION_MODES) if bidirectional else _ONE_WAY
        found[_CTRLR, "Available", evse_id] = Entry(fixed(word), "boolean")
        found[_CTRLR, "Enabled", evse_id] = Entry(fixed(word), "boolean")
        found[_CTRLR, "SupportedOperationModes", evse_id] = Entry(fixed(modes), "MemberList")
    return found
