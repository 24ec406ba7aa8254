"""Vehicles one after the other at one plug: when each must be charged, and whether all can be.

A forward pass says when each can be charged at the earliest, a backward pass when it must be at the
latest for the next one to make its departure even when people come late. Times are in hours since
the list is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from site_agent.domain.yard.model import YardVehicle

_MIDDLE = 0.5
"""Where between the earliest and the latest instant a swap is planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """What people take, h, and how fast plugs charge."""

    swap_h: float
    slack_h: float
    stretch: float
    """Charging is planned so many times as long as at full power, >= 1: plugs share the site's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A vehicle in the queue of a plug, h."""

    vehicle: YardVehicle
    arrives_h: float
    departs_h: float
    need_h: float
    """Charging time at this plug, stretched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A guest's time at the plug, h."""

    guest: Guest
    since_h: float
    done_h: float
    """Charged at the earliest."""
    latest_h: float
    """When it must be: its departure, or what the next one needs."""
    until_h: float
    """When it should be."""
    swapped: bool
    """People unplug it for the next one before it leaves by itself."""

    @property
    def spare_h(self) -> float:
        """Between being charged and having to be; negative: short."""
        return self.latest_h - self.done_h


def turns(guests: Sequence[Guest], how: Handling) -> list[Turn]:
    """Everybody's turn, in this order."""
    latest = _latest(guests, how)
    found: list[Turn] = []
    free_h = 0.0
    for guest, (latest_h, swapped) in zip(guests, latest, strict=True):
        since_h = max(guest.arrives_h, free_h)
        done_h = since_h + guest.need_h
        until_h = guest.departs_h
        if swapped:
            until_h = max(done_h, done_h + _MIDDLE * (latest_h - done_h))
        found.append(
            Turn(
                guest=guest,
                since_h=since_h,
                done_h=done_h,
                latest_h=latest_h,
                until_h=until_h,
                swapped=swapped,
            )
        )
        free_h = done_h + how.swap_h
    return found


def _latest(guests: Sequence[Guest], how: Handling) -> list[tuple[float, bool]]:
    """Until when each may keep the plug, and whether it has to give it up before it leaves."""
    found: list[tuple[float, bool]] = []
    wanted_h: float | None = None
    for guest in reversed(guests):
        swapped = wanted_h is not None and wanted_h < guest.departs_h
        latest_h = guest.departs_h if wanted_h is None else min(guest.departs_h, wanted_h)
        found.append((latest_h, swapped))
        begins_h = latest_h - guest.need_h - how.slack_h
        wanted_h = begins_h - how.swap_h
    return found[::-1]
