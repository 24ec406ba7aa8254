"""What an outage of the grid does to the hardware, and how it comes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from depot_sim.config_field import GridSettings
from depot_sim.faults import FaultKind


class Fallible(Protocol):
    """Anything that loses power."""

    def fail(self, kind: FaultKind, for_s: float | None, amount: float | None = None) -> None:
        """Let a fault begin."""
        ...


def black_out(
    chargers: Sequence[Fallible],
    pv: Sequence[Fallible],
    others: Sequence[Fallible],
    stages: GridSettings,
    for_s: float | None,
) -> None:
    """Let devices lose power for `for_s` and then for as long as each takes to come back.

    None: for good; 0: the outage ends now.
    """
    for device, after_s in _returns(chargers, pv, others, stages):
        away_s = None if for_s is None else for_s + after_s
        try:
            device.fail(FaultKind.KILL, away_s)
        except ValueError:  # what is simulated without a supply loses its network
            device.fail(FaultKind.DROP, away_s)


def _returns(
    chargers: Sequence[Fallible],
    pv: Sequence[Fallible],
    others: Sequence[Fallible],
    stages: GridSettings,
) -> Iterator[tuple[Fallible, float]]:
    for place, charger in enumerate(chargers, start=1):
        yield charger, stages.others_s + place * stages.charger_gap_s
    for inverter in pv:
        yield inverter, stages.pv_s
    for other in others:
        yield other, stages.others_s
