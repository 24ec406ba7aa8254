"""How a charger deviates from the book: composable, one entry each.

`slow-<n>s` takes its seconds from the name. Every other name is a key of `PERSONALITIES`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from depot_sim.chargers.profiles import RateUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class Personality:
    """What a charger does and what it can; the defaults are `good`."""

    honours_profiles: bool = True
    """False: answers Accepted, changes nothing, has no composite schedule."""
    rate_units: frozenset[RateUnit] = frozenset(RateUnit)
    accepts_zero: bool = True
    boots_on_reconnect: bool = True
    """False: comes back without BootNotification and StatusNotification."""
    leases_expire: bool = True
    """False: ignores `duration` and `validTo`."""
    has_station_max: bool = True
    apply_delay_s: float = 0.0
    max_stack_level: int = 8
    max_periods: int = 24

    def unit_for(self, asked: str | None) -> RateUnit:
        """The unit of a composite schedule: the one asked for if known, ampere by preference."""
        if asked is not None and RateUnit(asked) in self.rate_units:
            return RateUnit(asked)
        return RateUnit.AMPERE if RateUnit.AMPERE in self.rate_units else RateUnit.WATT


PERSONALITIES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "good": {},
        "accepts-and-ignores": {"honours_profiles": False},
        "amps-only": {"rate_units": frozenset({RateUnit.AMPERE})},
        "watts-only": {"rate_units": frozenset({RateUnit.WATT})},
        "rejects-zero": {"accepts_zero": False},
        "no-boot-on-reconnect": {"boots_on_reconnect": False},
        "keeps-expired-profile": {"leases_expire": False},
        "no-cpmax": {"has_station_max": False},
        "stack-zero-only": {"max_stack_level": 0},
    }
)

_SLOW = re.compile(r"slow-(\d{1,3})s")


def compose(names: Iterable[str]) -> Personality:
    """The personality of these names together.

    Raises:
        ValueError: a name is unknown; the message lists the known ones.
    """
    result = Personality()
    for name in names:
        result = replace(result, **_deviation(name))
    return result


def _deviation(name: str) -> Mapping[str, Any]:
    if slow := _SLOW.fullmatch(name):
        return {"apply_delay_s": float(slow[1])}
    if name not in PERSONALITIES:
        known = ", ".join([*PERSONALITIES, "slow-<n>s"])
        raise ValueError(f"unknown personality {name!r}; known: {known}")
    return PERSONALITIES[name]
