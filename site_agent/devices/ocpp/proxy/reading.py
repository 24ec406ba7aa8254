"""A charging profile of the cloud's, read from the wire of any version. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise

from contracts.errors import ProtocolError
from site_agent.devices.ocpp.limits.profiles import RateUnit
from site_agent.devices.ocpp.proxy.schedules import CloudProfile, Purpose, Schedule
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json

_PURPOSES: Mapping[str, Purpose] = {
    "ChargePointMaxProfile": Purpose.STATION,
    "ChargingStationMaxProfile": Purpose.STATION,
    "TxDefaultProfile": Purpose.TX_DEFAULT,
    "TxProfile": Purpose.TX,
}
_REPEATS_S = {"Daily": 86_400.0, "Weekly": 604_800.0}
_KINDS = ("Absolute", "Recurring", "Relative")
_MOST_PERIODS = 300
_MOST_SCHEDULES = 3
_LARGEST = 1e9
_LONGEST_S = 1e9


class ProfileError(ProtocolError):
    """A profile that cannot be kept: the cloud is told that it is rejected."""


def wire_of(payload: Json) -> tuple[int, Json]:
    """The EVSE and the profile of a SetChargingProfile request.

    Raises:
        CallFaultError: a number is missing or no number.
    """
    if "csChargingProfiles" in payload:  # 1.6
        return fields.whole(payload, "connectorId"), fields.part(payload, "csChargingProfiles")
    return fields.whole(payload, "evseId"), fields.part(payload, "chargingProfile")


def purpose_of(wire: Json) -> Purpose | None:
    """What a profile bounds; None for a purpose that is not kept here."""
    return _PURPOSES.get(purpose_word(wire))


def purpose_word(wire: Json) -> str:
    """Its purpose as its version spells it."""
    key = "chargingProfilePurpose"
    return fields.text_or_none(wire, key) or ""


def read(evse: int, wire: Json, transaction: str | None) -> CloudProfile:
    """The profile; `transaction` is the one it is for, as the charger knows it.

    Refused, as they could only raise a limit or have no fixed value: the purposes of external
    limits, priority charging and local generation, dynamic schedules and periods without a limit.

    Raises:
        ProfileError: it breaks a rule of the standard or is of no use as an upper bound.
    """
    purpose, kind = purpose_of(wire), fields.text(wire, "chargingProfileKind")
    if purpose is None or kind not in _KINDS:
        raise ProfileError(f"no profile of a cloud: {purpose_word(wire)[:40]}, {kind[:20]}")
    if purpose is Purpose.STATION and (evse != 0 or kind == "Relative"):
        raise ProfileError("a station's maximum is for EVSE 0 and not relative")
    schedules = wire.get("chargingSchedule")
    found = schedules if isinstance(schedules, list) else [schedules]
    if not 1 <= len(found) <= _MOST_SCHEDULES:
        raise ProfileError("one to three schedules")
    number = "chargingProfileId" if "chargingProfileId" in wire else "id"
    return CloudProfile(
        profile_id=fields.whole(wire, number),
        evse=evse,
        stack_level=fields.whole(wire, "stackLevel"),
        purpose=purpose,
        schedules=tuple(_schedule(kind, wire, one) for one in found if isinstance(one, dict)),
        valid_from=fields.moment_or_none(wire, "validFrom"),
        valid_to=fields.moment_or_none(wire, "validTo"),
        transaction=transaction,
    )


def _schedule(kind: str, profile: Json, wire: Json) -> Schedule:
    periods = fields.parts(wire, "chargingSchedulePeriod")
    if not 1 <= len(periods) <= _MOST_PERIODS:
        raise ProfileError(f"one to {_MOST_PERIODS} periods")
    starts = tuple(fields.number(period, "startPeriod") for period in periods)
    limits = tuple(_limit(period) for period in periods)
    if starts[0] != 0 or starts[-1] > _LONGEST_S or any(a >= b for a, b in pairwise(starts)):
        raise ProfileError("periods start at 0 and ascend")
    duration = fields.number(wire, "duration") if wire.get("duration") is not None else None
    return Schedule(
        unit=_unit(wire),
        starts_s=starts,
        limits=limits,
        start=_start(kind, wire),
        duration_s=duration,
        repeats_s=_repeats_s(profile) if kind == "Recurring" else None,
    )


def _unit(wire: Json) -> RateUnit:
    word = fields.text(wire, "chargingRateUnit")
    if word not in ("A", "W"):
        raise ProfileError(f"no rate unit: {word[:20]}")
    return RateUnit(word)


def _limit(period: Json) -> float:
    limit = fields.number(period, "limit")
    if not 0 <= limit <= _LARGEST:
        raise ProfileError("a limit lies between 0 and 1e9")
    return limit


def _start(kind: str, wire: Json) -> datetime | None:
    start = fields.moment_or_none(wire, "startSchedule")
    if kind == "Recurring" and start is None:
        raise ProfileError("a recurring schedule needs its start")
    return None if kind == "Relative" else start


def _repeats_s(profile: Json) -> float:
    """A day is 24 h: the standard knows no time zones, so none with a change of clocks either."""
    word = fields.text(profile, "recurrencyKind")
    if word not in _REPEATS_S:
        raise ProfileError(f"no recurrence: {word[:20]}")
    return _REPEATS_S[word]
