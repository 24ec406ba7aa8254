"""A photovoltaic inverter under a drifting sky."""

from __future__ import annotations

from dataclasses import dataclass, replace

from depot_sim.physics.drift import Drift


@dataclass(frozen=True, slots=True, kw_only=True)
class Pv:
    """State of an inverter; `power_w` is negative while it generates.

    The sky offers `clearness` (0..1) of `rated_w`, give or take `swing` (0..1) of it. It does not
    follow the hour of the day, so that a run looks the same at noon and at night.
    """

    rated_w: float
    clearness: float
    swing: float
    sky: Drift
    available_w: float = 0.0
    power_w: float = 0.0
    generated_wh: float = 0.0

    def offers_w(self, now_s: float) -> float:
        """What the sky allows at `now_s`, within 0..rated."""
        share = self.clearness * (1.0 + self.swing * self.sky.at(now_s))
        return self.rated_w * max(0.0, min(1.0, share))

    def step(self, now_s: float, dt_s: float, *, limit_w: float | None) -> Pv:
        """The inverter `dt_s` later, curtailed to `limit_w` (None: not curtailed)."""
        available_w = self.offers_w(now_s)
        output_w = available_w if limit_w is None else min(available_w, max(0.0, limit_w))
        return replace(
            self,
            available_w=available_w,
            power_w=-output_w,
            generated_wh=self.generated_wh + output_w * dt_s / 3600.0,
        )
