"""An answer to "why", and the words its numbers are said in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from site_agent.domain.decide.control import Decision
from site_agent.domain.site import SiteSnapshot


class Subject(StrEnum):
    """What can be asked about."""

    SITE = "site"
    NODE = "node"
    CHARGER = "charger"
    BATTERY = "battery"
    PV = "pv"
    VEHICLE = "vehicle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """Whether a vehicle will be ready, as `domain.fleet.readiness` found."""

    vehicle_id: str
    evse_id: str
    """Empty: it is not here yet."""
    on_track: bool
    words: str
    """Such as "on track, 1 h to spare"."""
    helps: str = ""
    """What somebody can do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one control cycle saw and decided, as far as answers need it."""

    snapshot: SiteSnapshot
    decision: Decision
    fleet: frozenset[str] = frozenset()
    """Ids of the vehicles that the site knows, here or not."""
    prospects: tuple[Prospect, ...] = ()
    """Of the vehicles that are here, and of those that are expected."""
    mode: str = ""
    """Such as "island"; empty: not told."""
    mode_why: str = ""
    guided_by: str = ""
    """Who wished something in this cycle, such as "the plan of 14:05"; empty: nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One link of the chain from a limit to what a device does."""

    what: str
    """limit, room, need, share, setpoint, accepted, device, lease, ready, or another plain word."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Why something is as it is."""

    of: Subject
    name: str
    """Its id on this site; of the site itself, the site's id."""
    at: datetime
    """Of the control cycle that is explained."""
    sentence: str
    """One sentence in plain English, without a full stop."""
    binding: str
    """The limit or fact that binds, in words; empty: nothing of the site does."""
    steps: tuple[Step, ...]
    """From the cause to the effect."""


_IN_SECONDS = timedelta(seconds=90)
_IN_DAYS = timedelta(hours=48)


def kw(power_w: float) -> str:
    """A power for people, kW with one decimal; never "-0.0"."""
    return f"{round(power_w / 1000, 1) + 0.0:.1f} kW"


def amps(current_a: float) -> str:
    """A current for people, A with at most one decimal."""
    return f"{round(current_a, 1) + 0.0:g} A"


def kwh(energy_wh: float) -> str:
    """An energy for people, kWh with one decimal."""
    return f"{round(energy_wh / 1000, 1) + 0.0:.1f} kWh"


def span(length: timedelta) -> str:
    """A duration for people; negative ones by their size."""
    length = abs(length)
    if length < _IN_SECONDS:
        return f"{length.total_seconds():.0f} s"
    minutes = round(length / timedelta(minutes=1))
    hours, rest = divmod(minutes, 60)
    if length >= _IN_DAYS:
        return f"{hours // 24} days"
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def because(cause: str) -> str:
    """A cause as the end of a sentence: "because it ..." for what a device does, else ": ..."."""
    if not cause:
        return ""
    if cause == "all it can take":
        return " because that is all it can take"
    if cause.startswith("changed a moment ago: "):
        return f"; its limit {cause.replace(': ', ' and ', 1)}"
    first = cause.split(" ", 1)[0]
    if first in _DOES:
        return f" because it {cause}"
    return f": {cause}"


_DOES = frozenset(
    {"shares", "takes", "follows", "holds", "charges", "discharges", "waits", "needs"}
)
