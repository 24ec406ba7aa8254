"""GetCompositeSchedule: all versions ask and answer alike, only the schedule stands elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from depot_sim.chargers import schedules
from depot_sim.chargers.answers import ACCEPTED, REJECTED
from depot_sim.chargers.json_rpc import Json, timestamp
from depot_sim.chargers.station import Station

Placed = Callable[[int, str, Json], Json]
"""How a version says that a schedule is for this outlet and starts then."""


def composite(station: Station, evse_id: int, asked: Json, now: datetime, placed: Placed) -> Json:
    """The answer; the whole station (0) is not served: Rejected.

    Raises:
        CallError: the duration is out of range.
    """
    outlet = station.outlets.get(evse_id)
    if outlet is None:
        return REJECTED
    duration_s = schedules.seconds(asked["duration"])
    steps = station.composite(evse_id, now, timedelta(seconds=duration_s))
    if steps is None:
        return ACCEPTED
    unit = station.personality.unit_for(asked.get("chargingRateUnit"))
    schedule = {
        "duration": duration_s,
        "chargingRateUnit": unit.value,
        "chargingSchedulePeriod": schedules.written(steps, unit, outlet.evse.voltage_v),
    }
    return {**ACCEPTED, **placed(evse_id, timestamp(now), schedule)}
