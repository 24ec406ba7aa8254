"""The grid in front of a depot, with its events: as a device, it has faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from depot_sim.faults import FaultKind, Faults
from depot_sim.physics.grid import DEAD, Grid, Supply
from depot_sim.physics.phases import PhaseWatts
from depot_sim.physics.plant import Plant, reactive

GRID = "grid"
"""Its id, in faults."""
GRID_FAULTS = frozenset({FaultKind.OUTAGE, FaultKind.FREQUENCY, FaultKind.VOLTAGE})


class Mains:
    """What the connection point has of the grid, now."""

    def __init__(self, grid: Grid, elapsed: Callable[[], float]) -> None:
        self._grid = grid
        self._elapsed = elapsed
        self._faults = Faults(GRID_FAULTS, elapsed)

    def fail(self, kind: FaultKind, for_s: float | None, amount: float | None = None) -> None:
        """Let an event begin, for some seconds or for good (None).

        Raises:
            ValueError: no event of a grid.
        """
        self._faults.begin(kind, for_s, amount)

    @property
    def away_s(self) -> float:
        """How long the outage goes on, s; inf: for good."""
        return self._faults.remaining_s(FaultKind.OUTAGE)

    @property
    def supply(self) -> Supply:
        """Its voltage and frequency without load."""
        if self._faults.active(FaultKind.OUTAGE):
            return DEAD
        return self._grid.supply(
            self._elapsed(),
            beside_hz=self._faults.amount(FaultKind.FREQUENCY),
            beside_v=self._faults.amount(FaultKind.VOLTAGE),
        )

    def at_the_meter(self, plant: Plant, inductive_w: PhaseWatts, power_factor: float) -> Plant:
        """The plant as its flows and this grid make it; `inductive_w` has that power factor."""
        supply = self.supply
        return replace(
            plant,
            phases_v=self._grid.at_the_meter_v(supply, plant.phases_w),
            phases_var=reactive(inductive_w, power_factor),
            frequency_hz=supply.frequency_hz,
        )
