"""Schedules that chargers tell, to A per phase by the unit they come in."""

from __future__ import annotations

from contracts.errors import ProtocolError
from contracts.power import current_from_power_a
from site_agent.devices.ocpp.limits.profiles import RateUnit
from site_agent.devices.ocpp.versions.words import Composite, CompositePeriod
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import CallFaultError, Fault, Json

_LONGEST_S = 366 * 24 * 3600
"""A schedule beyond this is no plan: chargers were seen to answer 8638204776048 s."""
_MOST_PERIODS = 1024
_MOST_PHASES = 3


def read(answer: Json, held: Json, phases: int, voltage_v: float) -> Composite | None:
    """A composite schedule; None when it is refused, empty, absurd or unreadable.

    `held` has `start`, `duration`, `chargingRateUnit` and `chargingSchedulePeriod`.
    """
    if answer.get("status") != "Accepted":
        return None
    try:
        unit = RateUnit(fields.text(held, "chargingRateUnit"))
        duration_s = fields.whole(held, "duration") if held.get("duration") is not None else None
        periods = read_periods(held, unit, phases, voltage_v)
        start = fields.moment_or_none(held, "start")
    except (ProtocolError, ValueError):
        return None
    if not periods or not 0 < (duration_s or 1) <= _LONGEST_S:
        return None
    return Composite(start=start, duration_s=duration_s, periods=periods, unit=unit)


def read_periods(
    held: Json, unit: RateUnit, phases: int, voltage_v: float
) -> tuple[CompositePeriod, ...]:
    """The periods of a schedule in order of time, A per phase.

    Raises:
        CallFaultError: one cannot be read, or there are too many.
    """
    entries = fields.parts(held, "chargingSchedulePeriod")
    if len(entries) > _MOST_PERIODS:
        raise CallFaultError(Fault.VALUE, "too many periods")
    read = [_period(entry, unit, phases, voltage_v) for entry in entries]
    return tuple(sorted(read, key=lambda period: period.start_s))


def _period(entry: Json, unit: RateUnit, phases: int, voltage_v: float) -> CompositePeriod:
    start_s = fields.whole(entry, "startPeriod")
    told = fields.whole(entry, "numberPhases") if entry.get("numberPhases") is not None else None
    if not 0 <= start_s <= _LONGEST_S or not 1 <= (told or 1) <= _MOST_PHASES:
        raise CallFaultError(Fault.VALUE, "implausible period")
    limit_a = _limit_a(entry, unit, told or phases, voltage_v)
    return CompositePeriod(start_s=start_s, limit_a=limit_a, phases=told)


def _limit_a(entry: Json, unit: RateUnit, phases: int, voltage_v: float) -> float:
    """Of the tightest phase; 2.1 may name each, and a setpoint goes before a limit."""
    name = "limit" if entry.get("setpoint") is None else "setpoint"
    value = fields.number(entry, name)
    others = [key for key in (f"{name}_L2", f"{name}_L3") if entry.get(key) is not None]
    if others:
        value = min(value, *(fields.number(entry, key) for key in others))
        return current_from_power_a(value, 1, voltage_v) if unit is RateUnit.WATT else value
    if unit is RateUnit.WATT:
        return current_from_power_a(value, phases, voltage_v)
    return value / phases if name == "setpoint" else value
