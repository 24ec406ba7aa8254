"""Charging schedules as all versions write them. Pure."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime

from depot_sim.chargers.json_rpc import CallError, Json, instant_in, timestamp
from depot_sim.chargers.profiles import (
    ChargingProfile,
    Limit,
    Period,
    Purpose,
    RateUnit,
    Recurrency,
)

_OTHERS = ("_L2", "_L3")
_HIGHEST_LIMIT = 1e9
_LONGEST_S = 10 * 365 * 86_400


def seconds(value: int) -> int:
    """A length of time as a schedule may have it.

    Raises:
        CallError: negative, or longer than ten years.
    """
    if not 0 <= value <= _LONGEST_S:
        raise CallError("PropertyConstraintViolation", f"{value} s is out of range")
    return value


def read(
    payload: Json,
    schedule: Json,
    *,
    profile_id: int,
    evse_id: int,
    purpose: Purpose,
    now: datetime,
) -> ChargingProfile:
    """A profile already checked against its schema; `schedule` is the part that holds the periods.

    Raises:
        CallError: a timestamp is not one.
    """
    relative = payload["chargingProfileKind"] == "Relative"
    transaction_id = payload.get("transactionId")
    recurrency = payload.get("recurrencyKind")
    unit = RateUnit(schedule["chargingRateUnit"])
    return ChargingProfile(
        id=profile_id,
        evse_id=evse_id,
        stack_level=payload["stackLevel"],
        purpose=purpose,
        unit=unit,
        periods=tuple(_period(e, unit) for e in schedule["chargingSchedulePeriod"]),
        received_at=now,
        start=None if relative else instant_in(schedule, "startSchedule"),
        duration_s=seconds(schedule["duration"]) if "duration" in schedule else None,
        recurrency=Recurrency(recurrency) if recurrency else None,
        valid_from=instant_in(payload, "validFrom"),
        valid_to=instant_in(payload, "validTo"),
        transaction_id=None if transaction_id is None else str(transaction_id),
        dynamic=payload["chargingProfileKind"] == "Dynamic",
    )


def written(steps: list[tuple[int, Limit]], unit: RateUnit, voltage_v: float) -> list[Json]:
    """The periods of a composite schedule; limits are rounded down to 0.1, which 1.6 demands."""
    return [
        {
            "startPeriod": start_s,
            **_rate(math.trunc(round(_in_unit(limit, unit, voltage_v) * 10, 6)) / 10),
            "numberPhases": limit.phases,
        }
        for start_s, limit in steps
    ]


def _rate(value: float) -> Json:
    """Discharging is a setpoint; only 2.1 ever gets here with one."""
    if value >= 0.0:
        return {"limit": value}
    return {"setpoint": value, "operationMode": "CentralSetpoint"}


def described(profile: ChargingProfile) -> Json:
    """Kind, validity and schedule of a profile, in the words 2.0.1 and 2.1 share."""
    kind = "Recurring" if profile.recurrency else "Absolute" if profile.start else "Relative"
    if profile.dynamic:
        kind = "Dynamic"
    schedule: Json = {
        "id": profile.id,
        "chargingRateUnit": profile.unit.value,
        "chargingSchedulePeriod": [_period_words(period) for period in profile.periods],
    }
    words: Json = {"chargingProfileKind": kind, "chargingSchedule": [schedule]}
    schedule |= _known(startSchedule=profile.start, duration=profile.duration_s)
    recurrency = profile.recurrency.value if profile.recurrency else None
    return words | _known(
        recurrencyKind=recurrency,
        validFrom=profile.valid_from,
        validTo=profile.valid_to,
        transactionId=profile.transaction_id,
    )


def _period_words(period: Period) -> Json:
    words: Json = {"startPeriod": period.start_s, **_known(numberPhases=period.phases)}
    if period.mode == "CentralSetpoint":
        words |= {"setpoint": period.limit, "operationMode": period.mode}
    elif math.isfinite(period.limit):
        words["limit"] = period.limit
    return words


def _known(**values: object) -> Json:
    """Only what there is."""
    return {
        name: timestamp(value) if isinstance(value, datetime) else value
        for name, value in values.items()
        if value is not None
    }


def updated(period: Period, entry: Json, unit: RateUnit) -> Period:
    """A period with what UpdateDynamicSchedule changes of it.

    Raises:
        CallError: a setpoint is missing.
    """
    mode = "CentralSetpoint" if "setpoint" in entry else period.mode
    return replace(period, mode=mode, limit=_limit(entry, mode, unit))


def _period(entry: Json, unit: RateUnit) -> Period:
    mode = entry.get("operationMode", "ChargingOnly")
    return Period(
        start_s=seconds(entry["startPeriod"]),
        limit=_limit(entry, mode, unit),
        phases=entry.get("numberPhases"),
        mode=mode,
    )


def _limit(entry: Json, mode: str, unit: RateUnit) -> float:
    """The signed limit of a period; 2.1 may leave it out, which leaves the rating."""
    limit = _over_phases(entry, "limit", unit, math.inf)
    if mode == "Idle":
        return 0.0
    if mode != "CentralSetpoint":
        return limit
    if "setpoint" not in entry:
        raise CallError("OccurrenceConstraintViolation", "CentralSetpoint needs a setpoint")
    lowest = _over_phases(entry, "dischargeLimit", unit, -math.inf)
    return min(limit, max(lowest, _over_phases(entry, "setpoint", unit, 0.0)))


def _over_phases(entry: Json, name: str, unit: RateUnit, missing: float) -> float:
    """2.1 gives one value, or one a phase: in W they add up, in A the first stands for all."""
    if name not in entry:
        return missing
    others = 0.0 if unit is RateUnit.AMPERE else sum(entry.get(name + p, 0.0) for p in _OTHERS)
    total = entry[name] + others
    if not abs(total) <= _HIGHEST_LIMIT:  # nor is it a number when it compares with nothing
        raise CallError("PropertyConstraintViolation", f"{name} is out of range")
    return float(total)


def _in_unit(limit: Limit, unit: RateUnit, voltage_v: float) -> float:
    return limit.current_a if unit is RateUnit.AMPERE else limit.power_w(voltage_v)
