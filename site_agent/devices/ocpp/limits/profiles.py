"""Limits as charging profiles (OCPP 1.6 §3.13, 2.0.1 part 2 K01): which forms, in which order.

Pure. A charger that refuses one form often accepts the next, so a limit has a ladder of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import product

import msgspec

from contracts.power import power_from_current_w
from site_agent.domain.device import ChargerSpec

CLOCK_MARGIN_S = 30
"""A lease begins this much in the past: a charger whose clock lags must not find it in the future,
where it would fall back to its fail-safe share at every renewal."""


class RateUnit(StrEnum):
    """Unit of a limit: A per phase, or W over all phases."""

    AMPERE = "A"
    WATT = "W"


class Purpose(StrEnum):
    """What a profile is for; a TxProfile replaces the TxDefaultProfile, even upwards."""

    TX_DEFAULT = "TxDefaultProfile"
    TX = "TxProfile"
    STATION_MAX = "ChargePointMaxProfile"
    """Caps the whole station; 2.0.1 calls it ChargingStationMaxProfile."""


class Kind(StrEnum):
    """What a schedule's start is relative to."""

    ABSOLUTE = "Absolute"
    RELATIVE = "Relative"
    """To the start of the transaction: needs no clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a charger says about smart charging; None: it does not say."""

    units: tuple[RateUnit, ...] = (RateUnit.AMPERE, RateUnit.WATT)
    """In the order to try; what it says may be wrong, so both are always there."""
    max_stack_level: int | None = None
    max_periods: int | None = None
    max_profiles: int | None = None
    discharges: bool = False
    """It can make a vehicle feed back (2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way to tell a charger a limit."""

    purpose: Purpose
    kind: Kind
    unit: RateUnit
    stack_level: int
    connector: int
    """0: the whole station."""
    phases_told: bool = False
    """Whether numberPhases is sent: some chargers refuse a schedule without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What turns A per phase into W: the phases in use, and the voltage from phase to neutral."""

    phases: int
    voltage_v: float

    @classmethod
    def of(cls, spec: ChargerSpec) -> Supply:
        """As built; what is measured later may differ."""
        return cls(phases=len(spec.phases), voltage_v=spec.voltage_v)


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """From `start_s` after the schedule's start until the next one; `limit` in the form's unit."""

    start_s: int
    limit: float
    phases: int | None = None
    """Phases the limit is for; None leaves it to the charger."""


class ChargingProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A profile in the words of both versions."""

    profile_id: int
    form: Form
    periods: tuple[Period, ...]
    start: datetime | None = None
    duration_s: int | None = None
    transaction_ref: str | None = None
    """The transaction's id as the charger knows it."""


def rate_units(advertised: str | None) -> tuple[RateUnit, ...]:
    """The order to try, from what a charger advertises.

    Seen: `Current`, `Power`, `Current,Power` (1.6), `A`, `W`, `A,W` (2.0.1), and `W` in 1.6.
    """
    words = {word.strip().lower() for word in (advertised or "").split(",")}
    in_watts = bool(words & {"power", "w"}) and not words & {"current", "a"}
    return (RateUnit.WATT, RateUnit.AMPERE) if in_watts else (RateUnit.AMPERE, RateUnit.WATT)


def legal_a(limit_a: float, spec: ChargerSpec) -> float:
    """The nearest legal limit not above `limit_a`: 0, or [min, max] in steps of 0.1 A.

    IEC 61851-1: below 6 A a vehicle may only be offered 0. A negative one discharges, never more
    than asked.
    """
    if limit_a < 0:
        return -_floor(min(-limit_a, spec.max_discharge_a)) or 0.0
    floored = _floor(min(limit_a, spec.max_current_a))
    return floored if floored >= spec.min_current_a else 0.0


def in_unit(limit_a: float, unit: RateUnit, supply: Supply) -> float:
    """A limit in A per phase as the number to send, rounded down to 0.1 (1.6 allows no finer).

    A negative one is rounded towards 0.
    """
    if limit_a < 0:
        return -in_unit(-limit_a, unit, supply) or 0.0
    if unit is RateUnit.AMPERE:
        return _floor(limit_a)
    return _floor(power_from_current_w(limit_a, supply.phases, supply.voltage_v))


def resting_forms(
    capabilities: Capabilities, connector: int, *, alone: bool, high: bool = False
) -> tuple[Form, ...]:
    """The ladder of the fail-safe share: low in the stack, for the whole station if `alone`.

    `high`: high in the stack, because somebody else's profile stands above the low ones.

    Relative first: it holds even after a reboot that lost the clock while nobody is there to set
    it. Then with numberPhases, and for a station of one EVSE at last as the station's maximum.
    """
    most = capabilities.max_stack_level or 0
    stack_levels = _distinct([most, max(0, most - 1), 0] if high else [0, most])
    connectors = (0, connector) if alone else (connector,)
    kinds = (Kind.RELATIVE, Kind.ABSOLUTE)
    forms = [
        Form(purpose=Purpose.TX_DEFAULT, kind=kind, unit=unit, stack_level=level, connector=where)
        for kind, where, unit, level in product(kinds, connectors, capabilities.units, stack_levels)
    ]
    told = [
        replace(forms[0], unit=unit, connector=where, phases_told=True)
        for where, unit in product(connectors, capabilities.units)
    ]
    capped = [
        replace(forms[0], purpose=Purpose.STATION_MAX, kind=kind, unit=unit)
        for kind, unit in product(kinds[::-1], capabilities.units)
    ]
    return (*forms, *told, *(capped if alone else ()))


def lease_forms(
    capabilities: Capabilities, connector: int, resting: Form | None
) -> tuple[Form, ...]:
    """The ladder of a limit: a TxProfile, at last the resting profile itself with a safe tail.

    Never a station's maximum: it wears the flash, and nothing lies below it once it has ended. A
    charger that takes nothing else stays at its fail-safe share.
    """
    most = capabilities.max_stack_level or 0
    stack_levels = _distinct([most, max(0, most - 1), 0])
    plain = [
        Form(
            purpose=Purpose.TX,
            kind=Kind.ABSOLUTE,
            unit=unit,
            stack_level=level,
            connector=connector,
        )
        for unit, level in product(capabilities.units, stack_levels)
    ]
    forms = [*plain, *(replace(form, phases_told=True) for form in plain)]
    if capabilities.max_profiles == 1:
        forms = []  # a TxProfile would have no room beside the resting one
    if resting is not None and resting.purpose is Purpose.TX_DEFAULT:
        forms.append(replace(resting, kind=Kind.ABSOLUTE))
    return tuple(forms)


def resting_profile(
    form: Form, limit_a: float, supply: Supply, connector: int, at: datetime
) -> ChargingProfile:
    """The fail-safe share, for ever."""
    start = None if form.kind is Kind.RELATIVE else _whole(at - timedelta(days=1))
    return ChargingProfile(
        profile_id=resting_id(connector),
        form=form,
        start=start,
        periods=(_period(form, 0, limit_a, supply),),
    )


class LeaseTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What the leases of one transaction have in common."""

    supply: Supply
    connector: int
    lasting_s: float
    rest_a: float
    """What it falls back to."""
    max_periods: int | None
    transaction_ref: str


def lease_profile(form: Form, limit_a: float, terms: LeaseTerms, at: datetime) -> ChargingProfile:
    """A limit that ends by itself at `at` (charger's clock) + `lasting_s`.

    A TxProfile ends by `duration` and leaves the resting profile in force. Chargers were seen to
    ignore `duration`, so where a second period is possible the end is also written as one. A
    TxDefaultProfile has nothing below it: it never expires, and its second period is the end.
    """
    end_s = math.floor(terms.lasting_s) + CLOCK_MARGIN_S
    transactional = form.purpose is Purpose.TX
    tail = not transactional or (terms.max_periods or 1) > 1
    limits = ((0, limit_a), (end_s, terms.rest_a)) if tail else ((0, limit_a),)
    return ChargingProfile(
        profile_id=lease_id(terms.connector) if transactional else resting_id(terms.connector),
        form=form,
        start=_whole(at) - timedelta(seconds=CLOCK_MARGIN_S),
        duration_s=end_s + tail if transactional else None,
        periods=tuple(
            [_period(form, start_s, value_a, terms.supply) for start_s, value_a in limits]
        ),
        transaction_ref=terms.transaction_ref if transactional else None,
    )


def _period(form: Form, start_s: int, limit_a: float, supply: Supply) -> Period:
    return Period(
        start_s=start_s,
        limit=in_unit(limit_a, form.unit, supply),
        phases=supply.phases if form.phases_told or limit_a < 0 else None,
    )


def resting_id(connector: int) -> int:
    """Id of the fail-safe share's profile: fixed, so that ours are known after any restart."""
    return 2 * connector - 1


def lease_id(connector: int) -> int:
    """Id of the limit's profile."""
    return 2 * connector


def _distinct(levels: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(levels))


def _floor(value: float) -> float:
    """Down to 0.1, but 6.0 computed as 5.9999999 stays 6.0."""
    return math.floor(value * 10 + 1e-6) / 10


def _whole(instant: datetime) -> datetime:
    return instant.replace(microsecond=0)
