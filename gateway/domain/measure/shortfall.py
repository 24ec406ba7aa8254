"""Why a site gave less than was planned of it, in W by cause, so that the parts are the whole.

What is missing of a reduction planned against a load that was expected is, exactly,

    planned - (baseline - actual) = (expected - baseline) + (actual - (expected - planned))

the load that was expected and was not there, and what was drawn above the limit. The first part is
explained by what held the load down beforehand, the second by what was seen of the devices. A cause
takes at most what its evidence shows, in the order of how certain that is; what is left has no
explanation, and is told so. The decomposition is ours: no program defines one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import fsum

NOTHING_W = 1.0
"""Less than this is no shortfall."""
_NO_VEHICLES = 0.5
"""Fewer vehicles than this on average: none."""


class Cause(StrEnum):
    """What kept a site from giving what was planned."""

    OPT_OUT = "opt-out"
    REFUSED = "instruction-refused"
    LINK_LOST = "link-lost"
    """It was never told, or not of the last change."""
    NOT_OFFERED = "not-offered"
    """More was asked of the portfolio than all sites offered."""
    LIMIT = "limit"
    """A fuse's, utility's or operator's limit already held the load, or what batteries gave."""
    NO_VEHICLES = "no-vehicles"
    FORECAST = "forecast"
    """Less load was there to shed than the plan expected."""
    NOT_OBEYED = "limit-not-obeyed"
    BATTERY_EMPTY = "battery-empty"
    CHARGER_OFFLINE = "charger-offline"
    VEHICLE_DUE = "vehicle-due"
    """A vehicle about to leave was charged all the same."""
    UNEXPLAINED = "unexplained"


WORDS: Mapping[Cause, str] = {
    Cause.OPT_OUT: "opted out",
    Cause.REFUSED: "instruction refused or expired",
    Cause.LINK_LOST: "link lost: not told",
    Cause.NOT_OFFERED: "more asked than offered",
    Cause.LIMIT: "another limit held it",
    Cause.NO_VEHICLES: "no vehicles charging",
    Cause.FORECAST: "less load there than planned",
    Cause.NOT_OBEYED: "limit not obeyed",
    Cause.BATTERY_EMPTY: "battery empty",
    Cause.CHARGER_OFFLINE: "chargers offline",
    Cause.VEHICLE_DUE: "vehicles due at departure",
    Cause.UNEXPLAINED: "unexplained",
}
"""For people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotFacts:
    """One site over one interval, as far as is known; powers in W on the event's meter."""

    planned_w: float
    """Reduction planned, also after the site was left out of the plan."""
    baseline_w: float
    actual_w: float
    expected_w: float | None = None
    """The load that the plan was made against; None: it told of none."""
    out_share: float = 0.0
    """Part of the interval for which it was opted out, 0-1."""
    refused_share: float = 0.0
    """The same for an instruction that it refused or that expired unused."""
    unheard_w: float = 0.0
    """Reduction of which it was never told."""
    vehicles_before: float | None = None
    """Vehicles that charged just before the event, mean; None: not known, or no chargers."""
    held_w: float | None = None
    """Another limit to which the load was held just before the event."""
    not_obeyed_w: float = 0.0
    """What devices took above limits that they did not keep."""
    battery_lost_w: float = 0.0
    """What an empty battery no longer gave of what it had given before."""
    offline_share: float = 0.0
    """Part of the chargers that did not answer, 0-1."""
    due_w: float = 0.0
    """What vehicles drew that had to leave soon."""
    unmet: bool = False
    """The site said itself that it could not keep the limit: too much else was drawn."""
    at_floor: bool = False
    """It gave all that a limit on exports allows."""
    left_out: bool = False
    """It was no longer counted on, for it was not heard of or did not take its instruction."""

    @property
    def short_w(self) -> float:
        """What is missing, W, >= 0."""
        return max(0.0, self.planned_w - (self.baseline_w - self.actual_w))


Parts = Mapping[Cause, float]
"""By cause, W > 0."""


def apportioned(facts: SlotFacts) -> Parts:
    """The shortfall of one interval by cause; the parts sum to `facts.short_w`."""
    rest, found = facts.short_w, dict[Cause, float]()
    for cause, at_most_w in _claims(facts):
        part = min(rest, max(0.0, at_most_w))
        if part > 0:
            found[cause] = found.get(cause, 0.0) + part
            rest -= part
    if rest > 0:
        found[Cause.UNEXPLAINED] = rest
    return found


def _claims(facts: SlotFacts) -> Iterator[tuple[Cause, float]]:
    """What each cause explains at most, the most certain first."""
    all_of_it = facts.short_w
    yield Cause.OPT_OUT, facts.out_share * facts.planned_w
    yield Cause.REFUSED, facts.refused_share * facts.planned_w
    yield Cause.LINK_LOST, facts.unheard_w
    yield from _less_there(facts)
    yield Cause.NOT_OBEYED, facts.not_obeyed_w
    yield Cause.BATTERY_EMPTY, facts.battery_lost_w
    yield Cause.CHARGER_OFFLINE, facts.offline_share * facts.planned_w
    yield Cause.VEHICLE_DUE, facts.due_w
    yield Cause.LIMIT, all_of_it if facts.at_floor else 0.0
    yield Cause.FORECAST, all_of_it if facts.unmet else 0.0
    yield Cause.LINK_LOST, all_of_it if facts.left_out else 0.0


def _less_there(facts: SlotFacts) -> Iterator[tuple[Cause, float]]:
    """The load that the plan expected and the baseline does not have."""
    expected_w = facts.expected_w
    if expected_w is None:
        return
    less_w = max(0.0, expected_w - facts.baseline_w)
    held_w = 0.0 if facts.held_w is None else min(less_w, max(0.0, expected_w - facts.held_w))
    none = facts.vehicles_before is not None and facts.vehicles_before < _NO_VEHICLES
    yield Cause.LIMIT, held_w
    yield Cause.NO_VEHICLES if none else Cause.FORECAST, less_w - held_w


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortfallPart:
    """What one cause explains."""

    cause: Cause
    mean_w: float
    """Mean over the known intervals of the event, W."""
    about: tuple[str, ...] = ()
    """Devices or vehicles concerned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """Over an event; surplus of one interval makes up for nothing in another."""

    mean_w: float
    """The sum of the parts."""
    planned_mean_w: float
    parts: tuple[ShortfallPart, ...] = ()
    """The largest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotShort:
    """One known interval of a site or of the whole."""

    seconds: float
    planned_w: float
    parts: Parts = field(default_factory=dict)


def over_event(
    slots: Sequence[SlotShort], about: Mapping[Cause, tuple[str, ...]] | None = None
) -> Shortfall | None:
    """Means over the known intervals; None: none is known, or nothing is missing.

    A cause of less than `NOTHING_W` is told as unexplained.
    """
    seconds = fsum(slot.seconds for slot in slots)
    if not seconds:
        return None
    means = {
        cause: fsum(slot.seconds * slot.parts.get(cause, 0.0) for slot in slots) / seconds
        for cause in Cause
    }
    whole = fsum(means.values())
    if whole < NOTHING_W:
        return None
    little = [cause for cause, w in means.items() if w < NOTHING_W]
    means[Cause.UNEXPLAINED] += fsum(means.pop(one) for one in little if one != Cause.UNEXPLAINED)
    parts = [
        ShortfallPart(cause=cause, mean_w=w, about=(about or {}).get(cause, ()))
        for cause, w in means.items()
        if w > 0
    ]
    return Shortfall(
        mean_w=whole,
        planned_mean_w=fsum(slot.seconds * slot.planned_w for slot in slots) / seconds,
        parts=tuple(sorted(parts, key=lambda part: -part.mean_w)),
    )


def of_the_whole(short_w: float, not_offered_w: float, sites: Sequence[Parts]) -> Parts:
    """The portfolio's shortfall of one interval by cause.

    Where the sites together missed more than the portfolio did, others made up for some of it: the
    causes are told in proportion. Where they missed less, the rest has no explanation.
    """
    claims = {cause: fsum(parts.get(cause, 0.0) for parts in sites) for cause in Cause}
    claims[Cause.NOT_OFFERED] += not_offered_w
    whole = fsum(claims.values())
    scale = min(1.0, short_w / whole) if whole > 0 else 0.0
    found = {cause: w * scale for cause, w in claims.items() if w * scale > 0}
    rest = short_w - fsum(found.values())
    if rest > 0:
        found[Cause.UNEXPLAINED] = found.get(Cause.UNEXPLAINED, 0.0) + rest
    return found
