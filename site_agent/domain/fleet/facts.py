"""What is known of a vehicle, datum by datum: each with who told it, and when.

The settings are the base; what a fleet's system, a dispatcher or a file tells stands above them,
datum by datum, until it is told otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Json = object
"""A JSON value: None, bool, int, float, str, list or dict of these."""
Values = Mapping[str, Json]

MEASURED = frozenset({"soc_pct", "arrives"})
"""What is observed rather than decided: an older observation never replaces a newer one."""
EXCLUSIVE = (("departure", "in_hours"), ("required_soc_pct", "required_wh"))
"""Two ways to say one thing: who says it one way takes the other back."""


class Source(StrEnum):
    """Who has told something."""

    SETTINGS = "settings"
    API = "api"
    CSV = "csv"
    GEOTAB = "geotab"
    SAMSARA = "samsara"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One datum that was told; a value of None says that there is none (any more)."""

    value: Json
    source: Source
    at: datetime
    """When it was told, or of what is measured: when it was measured."""


Facts = Mapping[str, Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What somebody tells of one vehicle."""

    vehicle_id: str
    values: Values
    """By name; None takes a datum back."""
    source: Source
    at: datetime
    measured_at: datetime | None = None
    """Of what is `MEASURED`; None: `at`."""
    whole: bool = False
    """Everything that is not named is taken back."""


def told(facts: Facts, change: Change, base: Values) -> Facts:
    """`facts` with a change; `base`: what the settings say of the vehicle.

    What only repeats what holds already is no change, so the same file twice alters nothing.
    """
    given = dict(change.values)
    if change.whole:
        given = dict.fromkeys({*base, *facts} - {"vehicle_id"}) | given
    for pair in EXCLUSIVE:
        for one, other in (pair, pair[::-1]):
            if given.get(one) is not None and given.get(other) is None:
                given[other] = None
    after = dict(facts)
    for name, value in given.items():
        if _counts(after.get(name), base.get(name), name, value, change):
            after[name] = Fact(value=value, source=change.source, at=_at(name, change))
    return after


def values(base: Values, facts: Facts) -> dict[str, Json]:
    """What holds: the base with the facts above it, without what was taken back."""
    held = {**base, **{name: fact.value for name, fact in facts.items()}}
    return {name: value for name, value in held.items() if value is not None}


def _counts(held: Fact | None, settled: Json, name: str, value: Json, change: Change) -> bool:
    if held is None:
        return value != settled
    if name in MEASURED:
        return _at(name, change) > held.at
    return value != held.value


def _at(name: str, change: Change) -> datetime:
    return (change.measured_at or change.at) if name in MEASURED else change.at
