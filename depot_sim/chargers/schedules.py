"""Charging schedules as both versions write them. Pure."""

from __future__ import annotations

import math
from datetime import datetime

from depot_sim.chargers.json_rpc import Json, instant, timestamp
from depot_sim.chargers.profiles import (
    ChargingProfile,
    Limit,
    Period,
    Purpose,
    RateUnit,
    Recurrency,
)


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
    return ChargingProfile(
        id=profile_id,
        evse_id=evse_id,
        stack_level=payload["stackLevel"],
        purpose=purpose,
        unit=RateUnit(schedule["chargingRateUnit"]),
        periods=tuple(_period(entry) for entry in schedule["chargingSchedulePeriod"]),
        received_at=now,
        start=None if relative else instant(schedule.get("startSchedule")),
        duration_s=schedule.get("duration"),
        recurrency=Recurrency(recurrency) if recurrency else None,
        valid_from=instant(payload.get("validFrom")),
        valid_to=instant(payload.get("validTo")),
        transaction_id=None if transaction_id is None else str(transaction_id),
    )


def written(steps: list[tuple[int, Limit]], unit: RateUnit, voltage_v: float) -> list[Json]:
    """The periods of a composite schedule; limits are rounded down to 0.1, which 1.6 demands."""
    return [
        {
            "startPeriod": start_s,
            "limit": math.floor(round(_in_unit(limit, unit, voltage_v) * 10, 6)) / 10,
            "numberPhases": limit.phases,
        }
        for start_s, limit in steps
    ]


def described(profile: ChargingProfile) -> Json:
    """Kind, validity and schedule of a profile, in the words 2.0.1 and 2.1 share."""
    kind = "Recurring" if profile.recurrency else "Absolute" if profile.start else "Relative"
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
    words: Json = {"startPeriod": period.start_s, "limit": period.limit}
    return words | _known(numberPhases=period.phases)


def _known(**values: object) -> Json:
    """Only what there is."""
    return {
        name: timestamp(value) if isinstance(value, datetime) else value
        for name, value in values.items()
        if value is not None
    }


def _period(entry: Json) -> Period:
    return Period(
        start_s=entry["startPeriod"],
        limit=float(entry["limit"]),
        phases=entry.get("numberPhases"),
    )


def _in_unit(limit: Limit, unit: RateUnit, voltage_v: float) -> float:
    return limit.current_a if unit is RateUnit.AMPERE else limit.power_w(voltage_v)
