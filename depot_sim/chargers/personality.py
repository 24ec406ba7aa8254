"""How a charger deviates from the book: named traits, composable, some with parameters.

An entry is a name (`rejects-zero`), a name with its main parameter (`{slow: 45}`), or a name with
parameters by name (`{spikes-on-update: {for_s: 5}}`). `slow-<n>s` is short for `{slow: n}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from depot_sim.chargers.profiles import RateUnit
from depot_sim.chargers.traits import TRAITS

Value = bool | int | float | str
Entry = str | Mapping[str, Value | Mapping[str, Value]]
"""One entry of a personality, as a settings file has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Personality:
    """What a charger does and what it can; the defaults are `good`. Times in s."""

    # --- profiles
    honours_profiles: bool = True
    """False: answers Accepted, changes nothing, has no composite schedule, reads out no values."""
    serves_profiles: bool = True
    """False: has no smart charging: its messages are NotImplemented, its settings unknown."""
    rate_units: frozenset[RateUnit] = frozenset(RateUnit)
    watt_word: str = "Power"
    """How the 1.6 key ChargingScheduleAllowedChargingRateUnit spells watt."""
    composite: str = "true"
    """Answer to GetCompositeSchedule: `true`, `endless`, `rejected` or `nothing`."""
    composite_unit: RateUnit | None = None
    """Unit of every composite schedule, whatever was asked or set."""
    accepts_zero: bool = True
    has_station_max: bool = True
    max_stack_level: int = 8
    refuses_max_stack: bool = False
    """True: refuses the very level it advertises as its highest."""
    max_periods: int = 24
    leases_expire: bool = True
    """False: ignores `duration` and `validTo`."""
    honours_number_phases: bool = True
    default_waits: bool = False
    """True: a TxDefaultProfile set in a transaction applies from the next one on."""
    profiles_survive_reboot: bool = True
    # --- power
    apply_delay_s: float = 0.0
    spike_s: float = 0.0
    """After every profile update the rating is drawn for so long."""
    stuck_until: frozenset[str] = frozenset()
    """What gets charging going again after a limit too small: `clear-and-set`, `remote-start`."""
    one_phase_a: float = 0.0
    """Current drawn once switched to one phase, whatever smaller limit is set."""
    # --- meter
    energy_only_kwh: bool = False
    power_reads_zero: bool = False
    dirty_every: int = 0
    """One meter value in so many holds a bad sample beside the good ones; 0: none."""
    # --- the link
    boots_on_reconnect: bool = True
    """False: comes back without BootNotification and StatusNotification."""
    replay_after_s: float | None = None
    """So long after a reconnect the samples of the outage are told."""
    ends_first: str | None = None
    """First word after a reconnect is an end: of an `unknown` or the `running` transaction."""
    forgets_transaction: bool = False
    """True: a transaction that a reboot cuts off is never stopped."""
    bad_frame_every_s: float = 0.0
    """Mean time between malformed frames; 0: none."""
    offers: str = "right"
    """Subprotocols of the handshake: `right`, `none`, `misspelt` or `unknown`."""
    pongs: bool = True
    deaf_after_calls: int | None = None
    """On its first connection it answers so many CALLs, then none."""
    on_trigger: str = "obeys"
    """TriggerMessage: `obeys`, `silent` (no answer), `idle` (Accepted, nothing follows)."""
    twin_after_s: float | None = None
    """So long after connecting it opens a second socket and speaks there."""

    def unit_for(self, asked: str | None) -> RateUnit:
        """The unit of a composite schedule: the one asked for if known, ampere by preference."""
        if self.composite_unit is not None:
            return self.composite_unit
        if asked is not None and RateUnit(asked) in self.rate_units:
            return RateUnit(asked)
        return RateUnit.AMPERE if RateUnit.AMPERE in self.rate_units else RateUnit.WATT

    def takes_level(self, stack_level: int) -> bool:
        """Whether a profile of this stack level may be installed."""
        highest = self.max_stack_level - (1 if self.refuses_max_stack else 0)
        return 0 <= stack_level <= highest


PERSONALITIES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {name: trait.sets for name, trait in TRAITS.items()}
)
"""What each name alone sets."""

_SLOW = re.compile(r"slow-(\d{1,3})s")
_MOST_ENTRIES = 50


def compose(entries: Iterable[Entry]) -> Personality:
    """The personality of these entries together; a later one wins over an earlier one.

    Raises:
        ValueError: a name or parameter is unknown (the message lists the known ones) or a value
            is out of its range.
    """
    result = Personality()
    for count, entry in enumerate(entries):
        if count >= _MOST_ENTRIES:
            raise ValueError(f"more than {_MOST_ENTRIES} entries")
        for name, given in ({entry: {}} if isinstance(entry, str) else entry).items():
            result = replace(result, **_deviation(name, given))
    return result


def _deviation(name: str, given: Value | Mapping[str, Value]) -> dict[str, Any]:
    if slow := _SLOW.fullmatch(name):
        name, given = "slow", float(slow[1])
    trait = TRAITS.get(name)
    if trait is None:
        known = ", ".join([*TRAITS, "slow-<n>s"])
        raise ValueError(f"unknown personality {name!r}; known: {known}")
    result = dict(trait.sets)
    for key, value in _parameters(name, given).items():
        if key not in trait.takes:
            known = ", ".join(trait.takes) or "none"
            raise ValueError(f"personality {name!r} has no parameter {key!r}; it has: {known}")
        parameter = trait.takes[key]
        try:
            result[parameter.sets] = parameter.read(value)
        except ValueError as error:
            raise ValueError(f"personality {name!r}, {key}: {error}") from error
    return result


def _parameters(name: str, given: Value | Mapping[str, Value]) -> Mapping[str, Value]:
    """Parameters by name; a bare value is the first, and a bare true just says the name."""
    if isinstance(given, Mapping):
        return given
    if given is True:
        return {}
    if given is False:
        raise ValueError(f"personality {name!r}: leave it out instead of saying false")
    return {next(iter(TRAITS[name].takes), "value"): given}
