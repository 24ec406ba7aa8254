"""The cloud's charging profiles as a limit at an instant (OCPP 1.6 §3.13, 2.0.1 part 2 K). Pure.

Of each purpose the highest stack level with a limit now counts, one for the EVSE before one for the
whole station. A TxProfile of the running transaction replaces the TxDefaultProfile; the station's
maximum is an upper bound to either.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from contracts.power import current_from_power_a
from site_agent.devices.ocpp.limits.profiles import RateUnit

_MOST_STEPS = 500
"""Steps of a composite schedule; what lies beyond is left out."""


class Purpose(Enum):
    """What a profile bounds."""

    STATION = auto()
    TX_DEFAULT = auto()
    TX = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Limits over time; `starts_s` ascend from 0, `limits` are in `unit`."""

    unit: RateUnit
    starts_s: tuple[float, ...]
    limits: tuple[float, ...]
    start: datetime | None = None
    """None: the start of the transaction."""
    duration_s: float | None = None
    repeats_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudProfile:
    """A charging profile of the cloud's."""

    profile_id: int
    evse: int
    """0: every EVSE of the station; for a station's maximum, all of them together."""
    stack_level: int
    purpose: Purpose
    schedules: tuple[Schedule, ...]
    """Several are a choice for the vehicle (ISO 15118): the lowest counts."""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction: str | None = None
    """Of a TxProfile: the transaction it is for, as the charger knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """An EVSE as profiles see it."""

    evse: int
    phases: int
    voltage_v: float
    transaction: str | None = None
    began: datetime | None = None
    """When its transaction began; None: it would begin now."""
    sharing: int = 1
    """Among how many EVSEs the station's maximum is shared out."""


def ceiling_a(profiles: Sequence[CloudProfile], outlet: Outlet, at: datetime) -> float | None:
    """Most that the profiles allow this EVSE at `at`, A per phase; None: they do not say.

    Watts are spread over the phases of the EVSE, whatever `numberPhases` says: fewer phases than
    the cloud means can then never make it more.
    """
    station_a = _highest(profiles, Purpose.STATION, outlet, at)
    if station_a is not None:
        station_a /= max(1, outlet.sharing)
    session_a = _highest(profiles, Purpose.TX, outlet, at)
    if session_a is None:
        session_a = _highest(profiles, Purpose.TX_DEFAULT, outlet, at)
    return min((a for a in (station_a, session_a) if a is not None), default=None)


def steps(
    profiles: Sequence[CloudProfile], outlets: Sequence[Outlet], start: datetime, lasting_s: float
) -> list[float]:
    """Seconds after `start`, from 0, at which the ceiling of an outlet may change."""
    found = {0.0}
    for profile in profiles:
        for outlet in outlets:
            began = outlet.began or start
            marks = (profile.valid_from, profile.valid_to)
            found |= {(mark - start).total_seconds() for mark in marks if mark is not None}
            for schedule in profile.schedules:
                found |= set(_marks(schedule, schedule.start or began, start, lasting_s))
    return sorted(mark for mark in found if 0 <= mark < lasting_s)[:_MOST_STEPS]


def _marks(
    schedule: Schedule, begins: datetime, start: datetime, lasting_s: float
) -> Iterator[float]:
    """Period starts and the end, repeated within the window; s after `start`."""
    offset_s = (begins - start).total_seconds()
    ends = () if schedule.duration_s is None else (schedule.duration_s,)
    marks = (*schedule.starts_s, *ends)
    repeats_s = schedule.repeats_s
    if repeats_s is None:
        yield from (offset_s + mark for mark in marks)
        return
    first = max(0, math.floor(-offset_s / repeats_s))
    base_s = offset_s + first * repeats_s
    while base_s < lasting_s:
        yield from (base_s + mark for mark in marks)
        base_s += repeats_s


def _highest(
    profiles: Iterable[CloudProfile], purpose: Purpose, outlet: Outlet, at: datetime
) -> float | None:
    candidates = [p for p in profiles if p.purpose is purpose and _applies(p, outlet, at)]
    candidates.sort(key=lambda p: (p.evse == outlet.evse, p.stack_level), reverse=True)
    limits = (_limit_a(profile, outlet, at) for profile in candidates)
    return next((limit for limit in limits if limit is not None), None)


def _applies(profile: CloudProfile, outlet: Outlet, at: datetime) -> bool:
    if profile.evse not in (0, outlet.evse):
        return False
    if profile.purpose is Purpose.TX and (
        outlet.transaction is None or profile.transaction != outlet.transaction
    ):
        return False
    begun = profile.valid_from is None or profile.valid_from <= at
    return begun and (profile.valid_to is None or at < profile.valid_to)


def _limit_a(profile: CloudProfile, outlet: Outlet, at: datetime) -> float | None:
    found = (_schedule_a(schedule, outlet, at) for schedule in profile.schedules)
    return min((limit for limit in found if limit is not None), default=None)


def _schedule_a(schedule: Schedule, outlet: Outlet, at: datetime) -> float | None:
    elapsed = at - (schedule.start or outlet.began or at)
    if elapsed < timedelta(0):
        return None
    elapsed_s = elapsed.total_seconds()
    if schedule.repeats_s is not None:
        elapsed_s %= schedule.repeats_s
    if schedule.duration_s is not None and elapsed_s >= schedule.duration_s:
        return None
    limit = schedule.limits[bisect_right(schedule.starts_s, elapsed_s) - 1]
    if schedule.unit is RateUnit.AMPERE:
        return limit
    return current_from_power_a(limit, outlet.phases, outlet.voltage_v)
