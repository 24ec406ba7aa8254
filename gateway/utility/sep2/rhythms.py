"""How often each kind of resource is read: the server's pollRate within bounds of the standard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from contracts.sep2.resources import (
    DefaultDERControl,
    DERControlList,
    DERCurve,
    DERCurveList,
    DERList,
    DERProgramList,
    DeviceCapability,
    EndDevice,
    EndDeviceList,
    FunctionSetAssignmentsList,
    Registration,
    Resource,
)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often resources of one kind are read, in s."""

    default_s: float
    """Where neither the resource nor what it hangs from names a pollRate."""
    longest_s: float
    """Never more seldom, whatever the pollRate."""
    backstop_s: float
    """At least this long while Notifications tell of changes."""
    obeys: bool = True
    """False: its pollRate is about something else, or there is none."""


_DAY_S = 86_400.0
_EVENTS = Rhythm(300.0, 900.0, 900.0)
"""At least every 15 min, better every 5 (IEEE 2030.5-2018, 10.2.3.3 a)."""
_FIXED = Rhythm(_DAY_S, _DAY_S, _DAY_S, obeys=False)
_SHORTEST_S = 1.0
"""No pollRate makes us ask more often."""
_RHYTHMS: Mapping[type[Resource], Rhythm] = {
    DERControlList: _EVENTS,
    DefaultDERControl: _EVENTS,
    DERProgramList: _EVENTS,
    EndDeviceList: Rhythm(900.0, _DAY_S, 3600.0),
    DeviceCapability: Rhythm(900.0, _DAY_S, 3600.0),
    FunctionSetAssignmentsList: Rhythm(3600.0, _DAY_S, 4 * 3600.0),  # hourly to daily, 8.6.3
    DERCurveList: Rhythm(900.0, _DAY_S, 3600.0),
    DERCurve: Rhythm(900.0, _DAY_S, 3600.0),
    DERList: _FIXED,  # its pollRate says how often DERStatus is wanted
    Registration: _FIXED,
    EndDevice: _FIXED,  # read only to be seen alive, 8.5.3
}
"""The most urgent first."""
_URGENCY = {kind: place for place, kind in enumerate(_RHYTHMS)}

SUBSCRIBED: tuple[type[Resource], ...] = (
    EndDeviceList,
    FunctionSetAssignmentsList,
    DERProgramList,
    DERControlList,
    DefaultDERControl,
)
"""What an aggregator subscribes to, this first (CSIP P31, P38)."""


def urgency(kind: type[Resource]) -> int:
    """What is read first when much is due: the lower number."""
    return _URGENCY[kind]


def rate_s(
    kind: type[Resource],
    poll_rate: timedelta | None,
    *,
    override_s: float | None = None,
    quiet: bool = False,
) -> float:
    """Time between two readings in s.

    `poll_rate` is the server's wish, of the resource or of what it hangs from; `override_s` our
    own, which goes before it; `quiet`: Notifications cover the resource.
    """
    rhythm = _RHYTHMS[kind]
    if override_s is not None and kind is not EndDevice:
        return override_s
    if not rhythm.obeys:
        return rhythm.default_s
    wish_s = rhythm.default_s if poll_rate is None else poll_rate.total_seconds()
    bounded_s = min(max(wish_s, _SHORTEST_S), rhythm.longest_s)
    return max(bounded_s, rhythm.backstop_s) if quiet else bounded_s
