"""What a detector has found, with its evidence, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from contracts.time import Interval


class Code(StrEnum):
    """What may be wrong."""

    STUCK = "meter-stuck"
    SPIKE = "meter-spike"
    SIGN = "meter-sign-flipped"
    TIMES_TEN = "meter-times-10"
    TENTH = "meter-tenth"
    SCALE = "meter-scale"
    """Wrong by another factor."""
    PHASE = "meter-phase-lost"
    DRIFT = "meter-drift"
    REGISTER = "meter-register-disagrees"
    """Its energy register tells another energy than its power."""
    SUBMETERS = "submeters-exceed-pcc"
    CLOCK = "clock-skew"
    LIMIT = "charger-ignores-limit"
    NO_ENERGY = "sessions-without-energy"
    FAULTS = "charger-faults-repeated"
    SILENT = "site-telemetry-missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One anomaly over a closed interval of evidence."""

    code: Code
    subject: str
    """A point of the site link, an EVSE, or `site`."""
    evidence: Interval
    reason: str
    """What was seen, with figures and units."""
    what_to_do: str
