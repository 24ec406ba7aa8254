"""Smart charging as all OCPP versions define it (1.6 §5.16, 2.x part 2 K01), without wires.

In force at an instant is, of each purpose, the valid profile of the highest stack level whose
schedule covers that instant (ties: the outlet's own before the station's). A TxProfile *replaces*
the TxDefaultProfile, even upwards; the result is then capped by the charging station's maximum.
A schedule that has run out leaves the field to the next one: this is what makes a TxProfile with a
`duration` a lease over the resting TxDefaultProfile.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from contracts.power import NOMINAL_VOLTAGE_V, current_from_power_a, power_from_current_w


class Purpose(StrEnum):
    """What a profile is for; the values are our own, the wires spell STATION_MAX differently."""

    STATION_MAX = "station-max"
    TX_DEFAULT = "tx-default"
    TX = "tx"
    EXTERNAL = "external"
    """Somebody other than the central system: a grid operator, an energy management system."""


class RateUnit(StrEnum):
    """Unit of a limit: ampere per phase, or watt over all phases."""

    AMPERE = "A"
    WATT = "W"


class Recurrency(StrEnum):
    """How often a recurring schedule starts again."""

    DAILY = "Daily"
    WEEKLY = "Weekly"

    @property
    def every(self) -> timedelta:
        """The time between two starts."""
        return timedelta(days=1 if self is Recurrency.DAILY else 7)


OPERATION_MODES = ("ChargingOnly", "CentralSetpoint", "Idle")
"""What a period may ask of an outlet (2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `start_s` after the schedule's start until the next period."""

    start_s: int
    limit: float
    phases: int | None = None
    mode: str = "ChargingOnly"
    """2.1: with CentralSetpoint `limit` is the setpoint, and negative to discharge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargingProfile:
    """One installed profile; `evse_id` 0 means the whole station.

    `start` None means relative to the start of the transaction (or to `received_at` where there
    is none), which is also what kind Relative asks for.
    """

    id: int
    evse_id: int
    stack_level: int
    purpose: Purpose
    unit: RateUnit
    periods: tuple[Period, ...]
    received_at: datetime
    start: datetime | None = None
    duration_s: int | None = None
    recurrency: Recurrency | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction_id: str | None = None
    dynamic: bool = False
    """2.1: its one period may be changed later."""

    def period_at(self, now: datetime, started_at: datetime | None) -> Period | None:
        """The period in force at `now` in a transaction begun at `started_at`, if any."""
        if not self._valid(now):
            return None
        elapsed_s = (now - self._origin(now, started_at)).total_seconds()
        if elapsed_s < 0 or (self.duration_s is not None and elapsed_s >= self.duration_s):
            return None
        begun = [period for period in self.periods if period.start_s <= elapsed_s]
        return begun[-1] if begun else None

    def edges(self, now: datetime, started_at: datetime | None) -> Iterator[datetime]:
        """Instants around `now` at which this profile may begin, change or end."""
        origin = self._origin(now, started_at)
        offsets = [period.start_s for period in self.periods]
        if self.duration_s is not None:
            offsets.append(self.duration_s)
        rounds = (0, 1) if self.recurrency else (0,)
        starts = [origin + n * (self.recurrency or Recurrency.DAILY).every for n in rounds]
        yield from (start + timedelta(seconds=s) for start in starts for s in offsets)
        yield from (edge for edge in (self.valid_from, self.valid_to) if edge is not None)

    def _valid(self, now: datetime) -> bool:
        begun = self.valid_from is None or self.valid_from <= now
        return begun and (self.valid_to is None or now < self.valid_to)

    def _origin(self, now: datetime, started_at: datetime | None) -> datetime:
        origin = self.start or started_at or self.received_at
        if self.recurrency is None:
            return origin
        return origin + (now - origin) // self.recurrency.every * self.recurrency.every


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which profiles to clear: every criterion given must hold."""

    id: int | None = None
    evse_id: int | None = None
    purpose: Purpose | None = None
    stack_level: int | None = None

    def __contains__(self, profile: ChargingProfile) -> bool:
        """An external limit is selected only by its purpose: it is not the central system's."""
        if profile.purpose is Purpose.EXTERNAL and self.purpose is not Purpose.EXTERNAL:
            return False
        pairs = (
            (self.id, profile.id),
            (self.evse_id, profile.evse_id),
            (self.purpose, profile.purpose),
            (self.stack_level, profile.stack_level),
        )
        return all(wanted is None or wanted == actual for wanted, actual in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The outlet whose limit is asked for, as far as it matters to a profile."""

    evse_id: int
    phases: int
    transaction_id: str | None = None
    started_at: datetime | None = None
    in_transaction: bool = False
    voltage_v: float = NOMINAL_VOLTAGE_V
    rated_a: float = math.inf
    sharing: int = 1
    """Outlets among which the station's maximum is shared equally."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """What an outlet may draw: ampere per phase, at most its rating, on at most `phases`."""

    current_a: float
    phases: int

    def power_w(self, voltage_v: float = NOMINAL_VOLTAGE_V) -> float:
        """The same, over all its phases."""
        return power_from_current_w(self.current_a, self.phases, voltage_v)


def install(
    installed: Iterable[ChargingProfile], new: ChargingProfile
) -> tuple[ChargingProfile, ...]:
    """`installed` with `new`, which replaces its own id and its own place in the stack."""
    place = _place(new)
    kept = [p for p in installed if p.id != new.id and _place(p) != place]
    return (*kept, new)


def limit_at(profiles: Iterable[ChargingProfile], where: Situation, now: datetime) -> Limit:
    """The limit in force for an outlet at `now`."""
    return _combined(_candidates(profiles, where), where, now)


def limit_until(
    profiles: Iterable[ChargingProfile], where: Situation, now: datetime
) -> tuple[Limit, datetime | None]:
    """The limit in force at `now`, and until when it surely is (None: for good)."""
    candidates = _candidates(profiles, where)
    edges = (edge for p in candidates for edge in p.edges(now, where.started_at) if edge > now)
    return _combined(candidates, where, now), min(edges, default=None)


def composite(
    profiles: Iterable[ChargingProfile], where: Situation, now: datetime, lasting: timedelta
) -> list[tuple[int, Limit]]:
    """The limits over `[now, now + lasting)` as (seconds from `now`, limit), equals merged."""
    candidates = _candidates(profiles, where)
    edges = {e for p in candidates for e in p.edges(now, where.started_at)}
    instants = [now, *sorted(edge for edge in edges if now < edge < now + lasting)]
    steps = [(instant, _combined(candidates, where, instant)) for instant in instants]
    runs = (next(run) for _, run in groupby(steps, key=lambda step: step[1]))
    return [(math.ceil((instant - now).total_seconds()), limit) for instant, limit in runs]


def _place(profile: ChargingProfile) -> tuple[int, Purpose, int, str | None]:
    return (profile.evse_id, profile.purpose, profile.stack_level, profile.transaction_id)


def _candidates(profiles: Iterable[ChargingProfile], where: Situation) -> list[ChargingProfile]:
    """Profiles that concern the outlet, strongest first."""
    concerned = [p for p in profiles if p.evse_id in (0, where.evse_id) and _applies(p, where)]
    return sorted(concerned, key=lambda p: (p.stack_level, p.evse_id), reverse=True)


def _applies(profile: ChargingProfile, where: Situation) -> bool:
    if profile.purpose is not Purpose.TX:
        return True
    return where.in_transaction and profile.transaction_id in (None, where.transaction_id)


def _combined(candidates: list[ChargingProfile], where: Situation, now: datetime) -> Limit:
    session = _first(candidates, Purpose.TX, where, now) or _first(
        candidates, Purpose.TX_DEFAULT, where, now
    )
    caps = [
        replace(cap, current_a=cap.current_a / where.sharing)
        for purpose in (Purpose.STATION_MAX, Purpose.EXTERNAL)
        if (cap := _first(candidates, purpose, where, now))
    ]
    rating = Limit(current_a=where.rated_a, phases=where.phases)
    limits = [rating, *caps, *([session] if session else [])]
    return Limit(
        current_a=min(limit.current_a for limit in limits),
        phases=min(limit.phases for limit in limits),
    )


def _first(
    candidates: list[ChargingProfile], purpose: Purpose, where: Situation, now: datetime
) -> Limit | None:
    for profile in candidates:
        if profile.purpose is purpose and (period := profile.period_at(now, where.started_at)):
            return _as_limit(period, profile.unit, where)
    return None


def _as_limit(period: Period, unit: RateUnit, where: Situation) -> Limit:
    phases = min(period.phases or where.phases, where.phases)
    if unit is RateUnit.AMPERE:
        return Limit(current_a=period.limit, phases=phases)
    current_a = current_from_power_a(period.limit, phases, where.voltage_v)
    return Limit(current_a=current_a, phases=phases)
