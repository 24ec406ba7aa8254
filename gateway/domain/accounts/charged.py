"""Who charged what: energy of sessions from what was measured at their EVSE, and how EVSEs served.

The energy of an EVSE in a slot belongs to the sessions that ran in it, by the time each ran; what
flowed in a slot without any is nobody's. So nothing counts twice and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gateway.domain.accounts.balance import Metered
from gateway.domain.accounts.grid import Numbers, SlotGrid
from gateway.domain.accounts.session import ChargingSession

DRAWING_W = 100.0
"""More than a charger's own electronics takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """What one session drew inside the month."""

    session: ChargingSession
    wh: Numbers
    """Wh in every slot."""
    coverage: float
    """Of its time in the month, how much was measured, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvseUse:
    """How one EVSE served; shares are of the month, by whole slots."""

    evse_id: str
    sessions: int
    energy_wh: float
    plugged_share: float
    """In a session (a transaction: a cable without one is not told)."""
    charging_share: float
    idle_share: float
    """In a session and drawing nothing."""


def charged(metered: Metered, sessions: Sequence[ChargingSession]) -> tuple[Charged, ...]:
    """The energy of every session, in order."""
    lasting = {one.session_id: _overlap(metered.grid, one) for one in sessions}
    together: dict[str, Numbers] = {}
    for one in sessions:
        before = together.get(one.evse_id, np.zeros(metered.grid.count))
        together[one.evse_id] = before + lasting[one.session_id]
    return tuple(_of(metered, one, lasting[one.session_id], together) for one in sessions)


def _of(
    metered: Metered, one: ChargingSession, ran_s: Numbers, together: Mapping[str, Numbers]
) -> Charged:
    all_s = together[one.evse_id]
    share = np.divide(ran_s, all_s, out=np.zeros_like(ran_s), where=all_s > 0)
    nothing = np.zeros(metered.grid.count)
    known_s = metered.covered_s.get(one.evse_id, nothing)
    measured = float(np.minimum(known_s, ran_s).sum())
    total = float(ran_s.sum())
    return Charged(
        session=one,
        wh=metered.evse_wh.get(one.evse_id, nothing) * share,
        coverage=min(1.0, measured / total) if total > 0 else 0.0,
    )


def used(metered: Metered, sessions: Sequence[ChargingSession]) -> tuple[EvseUse, ...]:
    """How every EVSE served that has told its power or had a session, by id."""
    grid = metered.grid
    names = sorted({*metered.evse_wh, *(one.evse_id for one in sessions)})
    return tuple(_use(name, metered, grid, sessions) for name in names)


def _use(
    name: str, metered: Metered, grid: SlotGrid, sessions: Sequence[ChargingSession]
) -> EvseUse:
    wh = metered.evse_wh.get(name, np.zeros(grid.count))
    mine = [one for one in sessions if one.evse_id == name]
    plugged_s = np.zeros(grid.count)
    for one in mine:
        plugged_s = np.minimum(grid.seconds, plugged_s + _overlap(grid, one))
    drawing = wh * 3600.0 / grid.seconds > DRAWING_W
    whole_s = grid.seconds * grid.count
    return EvseUse(
        evse_id=name,
        sessions=len(mine),
        energy_wh=float(wh.sum()),
        plugged_share=float(plugged_s.sum()) / whole_s,
        charging_share=float(drawing.sum()) * grid.seconds / whole_s,
        idle_share=float(plugged_s[~drawing].sum()) / whole_s,
    )


def _overlap(grid: SlotGrid, one: ChargingSession) -> Numbers:
    return grid.overlaps_s(one.window)
