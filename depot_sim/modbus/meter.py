"""What every simulated meter has in common, whatever its registers: it can be wrong."""

from __future__ import annotations

from collections.abc import Callable

from depot_sim.faults import FaultKind, Faults
from depot_sim.physics.instrument import RIGHT, Instrument
from depot_sim.physics.phases import PhaseWatts
from depot_sim.physics.plant import Plant


class Metering:
    """Follows a plant with the faults sign-flipped and scaled."""

    def __init__(self, plant: Callable[[], Plant], faults: Faults) -> None:
        self._plant = plant
        self._faults = faults
        self._instrument = Instrument()

    def step(self, dt_s: float) -> None:
        """Let `dt_s` pass in which the plant's power of now has flowed."""
        self._instrument = self._instrument.step(dt_s, self._plant(), self._factors())

    def shows(self) -> Plant:
        """What the meter reads now."""
        plant = self._plant()
        return self._instrument.step(0.0, plant, self._factors()).shows(plant)

    def _factors(self) -> PhaseWatts:
        faults = self._faults
        scaled = faults.active(FaultKind.SCALED)
        ratio = faults.amount(FaultKind.SCALED) if scaled else 1.0
        if not faults.active(FaultKind.SIGN_FLIPPED):
            return (ratio, ratio, ratio) if scaled else RIGHT
        which = round(faults.amount(FaultKind.SIGN_FLIPPED))
        l1, l2, l3 = (-ratio if which in {0, phase} else ratio for phase in (1, 2, 3))
        return l1, l2, l3
