"""Who charged what: energy of sessions from what was measured at their EVSE, and how EVSEs served.

The energy of an EVSE in a slot belongs to the sessions that ran in it, by the time each ran; what
flowed in a slot without any is nobody's. So nothing counts twice and nothing is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    first: int
    """The first slot of the month in which it ran."""
    wh: Numbers
    """Wh in that slot and each after it, up to its last: a month has thousands of sessions."""
    coverage: float
    """Of its time in the month, how much was measured, 0 to 1."""

    @property
    def slots(self) -> slice:
        """Those of `wh`, in the month."""
        return slice(self.first, self.first + len(self.wh))

    def within_wh(self, span: tuple[int, int]) -> float:
        """What it drew in some slots of the month, `first` to `end`."""
        first, end = (max(0, one - self.first) for one in span)
        return float(self.wh[first:end].sum())


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
    grid = metered.grid
    lasting = [grid.overlaps_s(one.window) for one in sessions]
    together = {one.evse_id: np.zeros(grid.count) for one in sessions}
    for one, (first, ran_s) in zip(sessions, lasting, strict=True):
        together[one.evse_id][first : first + len(ran_s)] += ran_s
    return tuple(
        _of(metered, one, first, ran_s, together[one.evse_id])
        for one, (first, ran_s) in zip(sessions, lasting, strict=True)
    )


def _of(
    metered: Metered, one: ChargingSession, first: int, ran_s: Numbers, together_s: Numbers
) -> Charged:
    here = slice(first, first + len(ran_s))
    all_s = together_s[here]
    share = np.divide(ran_s, all_s, out=np.zeros_like(ran_s), where=all_s > 0)
    known_s = metered.covered_s.get(one.evse_id)
    measured = 0.0 if known_s is None else float(np.minimum(known_s[here], ran_s).sum())
    drawn_wh = metered.evse_wh.get(one.evse_id)
    total = float(ran_s.sum())
    return Charged(
        session=one,
        first=first,
        wh=np.zeros_like(ran_s) if drawn_wh is None else drawn_wh[here] * share,
        coverage=min(1.0, measured / total) if total > 0 else 0.0,
    )


def used(metered: Metered, sessions: Sequence[ChargingSession]) -> tuple[EvseUse, ...]:
    """How every EVSE served that has told its power or had a session, by id."""
    grid = metered.grid
    by_evse: dict[str, list[ChargingSession]] = {name: [] for name in metered.evse_wh}
    for one in sessions:
        by_evse.setdefault(one.evse_id, []).append(one)
    return tuple(_use(name, metered, grid, mine) for name, mine in sorted(by_evse.items()))


def _use(name: str, metered: Metered, grid: SlotGrid, mine: Sequence[ChargingSession]) -> EvseUse:
    wh = metered.evse_wh.get(name, np.zeros(grid.count))
    plugged_s = np.zeros(grid.count)
    for one in mine:
        first, ran_s = grid.overlaps_s(one.window)
        plugged_s[first : first + len(ran_s)] += ran_s
    plugged_s = np.minimum(grid.seconds, plugged_s)
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
