"""What a charger may draw over the next while: the cloud's limits and ours, the lower. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.power import power_from_current_w
from site_agent.devices.ocpp.limits.profiles import RateUnit
from site_agent.devices.ocpp.proxy.schedules import CloudProfile, Outlet, ceiling_a, steps
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """An EVSE with the most we allow it now, A per phase."""

    outlet: Outlet
    ours_a: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """Limits from `start` on; of several EVSEs the sum."""

    start: datetime
    duration_s: int
    unit: RateUnit
    periods: Mapping[int, float]
    """Limit by the second it begins."""

    def wire(self) -> dict[str, object]:
        """As both versions put it."""
        return {
            "duration": self.duration_s,
            "chargingRateUnit": self.unit.value,
            "chargingSchedulePeriod": [
                {"startPeriod": second, "limit": limit} for second, limit in self.periods.items()
            ],
        }


def composite(
    profiles: Sequence[CloudProfile],
    evses: Sequence[Allowed],
    *,
    start: datetime,
    duration_s: int,
    unit: RateUnit,
) -> Composite:
    """What holds from `start` on; our own limit is taken to stay as it is now."""
    periods: dict[int, float] = {}
    for mark in steps(profiles, [one.outlet for one in evses], start, duration_s):
        at = start + timedelta(seconds=mark)
        limit = _rounded(sum(_limit(profiles, one, at, unit) for one in evses))
        last = periods[max(periods)] if periods else math.inf
        if limit != last:  # within a second, never too much: a cut at its start, a raise at its end
            periods[math.floor(mark) if limit < last else math.ceil(mark)] = limit
    return Composite(start=start, duration_s=duration_s, unit=unit, periods=periods)


def answer(version_16: bool, evse: int, found: Composite) -> Json:
    """The result of GetCompositeSchedule (1.6 §6.26, 2.0.1 K08)."""
    schedule, start = found.wire(), fields.stamp(found.start)
    if version_16:
        head = {"status": "Accepted", "connectorId": evse, "scheduleStart": start}
        return {**head, "chargingSchedule": {**schedule, "startSchedule": start}}
    return {
        "status": "Accepted",
        "schedule": {**schedule, "evseId": evse, "scheduleStart": start},
    }


def _limit(profiles: Sequence[CloudProfile], one: Allowed, at: datetime, unit: RateUnit) -> float:
    theirs_a = ceiling_a(profiles, one.outlet, at)
    limit_a = one.ours_a if theirs_a is None else min(one.ours_a, theirs_a)
    if unit is RateUnit.AMPERE:
        return limit_a
    return power_from_current_w(limit_a, one.outlet.phases, one.outlet.voltage_v)


def _rounded(value: float) -> float:
    """Down to 0.1, the finest step of 1.6."""
    return math.floor(value * 10 + 1e-6) / 10
