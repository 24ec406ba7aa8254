"""What a meter makes of what flows: right, or wrong in the ways meters are wired and set wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace

from depot_sim.physics.phases import PhaseWatts
from depot_sim.physics.plant import Plant

RIGHT: PhaseWatts = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A meter's error: `factors` by which each phase is wrong now, and what that has added.

    A current transformer turned round makes a factor of -1, a wrong ratio any other. Its registers
    count what it believes, and never fall.
    """

    factors: PhaseWatts = RIGHT
    import_wh: float = 0.0
    export_wh: float = 0.0

    def step(self, dt_s: float, plant: Plant, factors: PhaseWatts) -> Instrument:
        """The meter after `dt_s` in which `plant.phases_w` flowed and it was wrong by `factors`."""
        if factors == RIGHT:
            return self if self.factors == RIGHT else replace(self, factors=RIGHT)
        believed_wh = sum(_times(plant.phases_w, factors)) * dt_s / 3600.0
        true_wh = plant.power_w * dt_s / 3600.0
        return Instrument(
            factors=factors,
            import_wh=self.import_wh + max(0.0, believed_wh) - max(0.0, true_wh),
            export_wh=self.export_wh + max(0.0, -believed_wh) - max(0.0, -true_wh),
        )

    def shows(self, plant: Plant) -> Plant:
        """The plant as this meter shows it."""
        return replace(
            plant,
            phases_w=_times(plant.phases_w, self.factors),
            import_wh=plant.import_wh + self.import_wh,
            export_wh=plant.export_wh + self.export_wh,
        )


def _times(watts: PhaseWatts, factors: PhaseWatts) -> PhaseWatts:
    l1, l2, l3 = (power_w * factor for power_w, factor in zip(watts, factors, strict=True))
    return l1, l2, l3
