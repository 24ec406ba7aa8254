"""May this profile be installed? The answer a charging station owes to SetChargingProfile.

Reason codes are those of OCPP 2.0.1 part 2, appendix "Reason codes"; 1.6 says plain Rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from depot_sim.chargers.personality import Personality
from depot_sim.chargers.profiles import OPERATION_MODES, ChargingProfile, Purpose


class Refusal(StrEnum):
    """Why a profile was not installed."""

    UNSUPPORTED_PURPOSE = "UnsupportedRequest"
    UNSUPPORTED_RATE_UNIT = "UnsupportedRateUnit"
    INVALID_STACK_LEVEL = "InvalidStackLevel"
    UNSUPPORTED_MODE = "InvalidOperationMode"
    INVALID_SCHEDULE = "InvalidSchedule"
    INVALID_PROFILE = "InvalidProfile"
    UNKNOWN_EVSE = "UnknownEvse"
    NO_TRANSACTION = "TxNotFound"
    DUPLICATE = "DuplicateProfile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A profile and everything its acceptance depends on.

    `transaction_id` is that of the outlet's running transaction; `in_transaction` says whether
    there is one, since a 1.6 charger learns the id only from the central system.
    """

    profile: ChargingProfile
    personality: Personality
    evse_ids: frozenset[int]
    in_transaction: bool
    transaction_id: str | None
    tx_id_required: bool
    """2.0.1 discards a TxProfile without a transaction id (K01.FR.03); 1.6 leaves it optional."""
    bidirectional: bool = False
    """Whether a negative limit, an order to discharge, can be followed."""


def refusal(case: Case) -> Refusal | None:
    """The first reason against installing the profile, or None."""
    return next((reason for broken, reason in _RULES if broken(case)), None)


def duplicates(profile: ChargingProfile, installed: Iterable[ChargingProfile]) -> bool:
    """Whether another id already holds this place in the stack (2.0.1 K01.FR.06 and .39)."""
    return any(
        other.id != profile.id
        and (other.evse_id, other.purpose, other.stack_level)
        == (profile.evse_id, profile.purpose, profile.stack_level)
        and other.transaction_id == profile.transaction_id
        for other in installed
    )


def _wrong_scope(case: Case) -> bool:
    """A station's maximum belongs to EVSE 0, a transaction's profile to one outlet."""
    profile = case.profile
    if profile.purpose is Purpose.STATION_MAX:
        return profile.evse_id != 0
    return profile.purpose is Purpose.TX and profile.evse_id == 0


def _without_transaction(case: Case) -> bool:
    profile = case.profile
    if profile.purpose is not Purpose.TX:
        return False
    if not case.in_transaction or (case.tx_id_required and profile.transaction_id is None):
        return True
    return profile.transaction_id not in (None, case.transaction_id)


def _bad_schedule(case: Case) -> bool:
    periods = case.profile.periods
    starts = [period.start_s for period in periods]
    if not periods or len(periods) > case.personality.max_periods or starts[0] != 0:
        return True
    below_zero = any(period.limit < 0 for period in periods)
    return starts != sorted(set(starts)) or (below_zero and not case.bidirectional)


def _zero_where_refused(case: Case) -> bool:
    return not case.personality.accepts_zero and any(p.limit == 0 for p in case.profile.periods)


def _unknown_mode(case: Case) -> bool:
    return any(period.mode not in OPERATION_MODES for period in case.profile.periods)


_RULES: tuple[tuple[Callable[[Case], bool], Refusal], ...] = (
    (lambda c: c.profile.evse_id not in (0, *c.evse_ids), Refusal.UNKNOWN_EVSE),
    (
        lambda c: c.profile.purpose is Purpose.STATION_MAX and not c.personality.has_station_max,
        Refusal.UNSUPPORTED_PURPOSE,
    ),
    (_wrong_scope, Refusal.INVALID_PROFILE),
    (lambda c: c.profile.unit not in c.personality.rate_units, Refusal.UNSUPPORTED_RATE_UNIT),
    (lambda c: not c.personality.takes_level(c.profile.stack_level), Refusal.INVALID_STACK_LEVEL),
    (_unknown_mode, Refusal.UNSUPPORTED_MODE),
    (_bad_schedule, Refusal.INVALID_SCHEDULE),
    (_zero_where_refused, Refusal.INVALID_SCHEDULE),
    (_without_transaction, Refusal.NO_TRANSACTION),
)
