"""Where meters stand: at the connection point, and before parts of the depot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from depot_sim.config import BUILDING
from depot_sim.grid import Mains
from depot_sim.physics.phases import NO_FLOW, PhaseWatts
from depot_sim.physics.plant import Plant


class MeteringPoints:
    """What has passed the connection point (`plant`), and each part that has a meter of its own.

    The connection point goes by the id of its meter; reactive power is all the building's.
    """

    def __init__(self, mains: Mains, connection: str, power_factor: float) -> None:
        self.plant = Plant()
        self._mains = mains
        self._connection = connection
        self._power_factor = power_factor
        self._parts: dict[str, Plant] = {}

    def shown(self, part: str) -> Callable[[], Plant]:
        """What a meter there sees whenever it looks."""
        if part == self._connection:
            return lambda: self.plant
        self._parts.setdefault(part, Plant())
        return lambda: self._parts[part]

    def step(self, dt_s: float, flows: Mapping[str, PhaseWatts]) -> None:
        """Let these flows, one of each part, pass for `dt_s`."""
        self.plant = self._seen(self.plant.step(dt_s, flows.values()), flows[BUILDING])
        for part, before in self._parts.items():
            inductive_w = flows[part] if part == BUILDING else NO_FLOW
            seen = self._seen(before.step(dt_s, [flows[part]]), inductive_w)
            self._parts[part] = replace(seen, phases_v=self.plant.phases_v)

    def _seen(self, plant: Plant, inductive_w: PhaseWatts) -> Plant:
        return self._mains.at_the_meter(plant, inductive_w, self._power_factor)
