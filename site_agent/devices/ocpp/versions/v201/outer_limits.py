"""Limits set by others, as 2.0.1 and 2.1 tell them (K12), to A per phase."""

from __future__ import annotations

from datetime import datetime, timedelta

from site_agent.devices.ocpp.evse.ceilings import Ceiling
from site_agent.devices.ocpp.limits.profiles import RateUnit
from site_agent.devices.ocpp.versions import composites
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import CallFaultError, Fault, Json
from site_agent.domain.device import ChargerSpec

_MOST_SCHEDULES = 4
_LONGEST_S = 366 * 24 * 3600


def ceilings(
    payload: Json, spec: ChargerSpec, now: datetime, *, shared_by: int = 1
) -> list[Ceiling]:
    """One for each schedule; they hold together. A limit of the station is shared evenly.

    Raises:
        CallFaultError: a schedule cannot be read; a limit must not be lost in silence.
    """
    schedules = fields.parts(payload, "chargingSchedule")
    if len(schedules) > _MOST_SCHEDULES:
        raise CallFaultError(Fault.VALUE, "too many schedules")
    return [_ceiling(schedule, spec, now, shared_by) for schedule in schedules]


def _ceiling(schedule: Json, spec: ChargerSpec, now: datetime, shared_by: int) -> Ceiling:
    try:
        unit = RateUnit(fields.text(schedule, "chargingRateUnit"))
    except ValueError as error:
        raise CallFaultError(Fault.VALUE, "chargingRateUnit") from error
    start = fields.moment_or_none(schedule, "startSchedule") or now
    periods = composites.read_periods(schedule, unit, len(spec.phases), spec.voltage_v)
    steps: list[tuple[datetime, float | None]] = [
        (_later(start, period.start_s), period.limit_a / shared_by) for period in periods
    ]
    if schedule.get("duration") is not None:
        duration_s = fields.whole(schedule, "duration")
        if 0 <= duration_s <= _LONGEST_S:
            end = _later(start, duration_s)
            steps = [step for step in steps if step[0] < end] + [(end, None)]
    return Ceiling(steps=tuple(steps))


def _later(start: datetime, seconds: int) -> datetime:
    try:
        return start + timedelta(seconds=seconds)
    except OverflowError as error:
        raise CallFaultError(Fault.VALUE, "no such instant") from error
