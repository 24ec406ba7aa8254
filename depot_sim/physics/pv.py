"""A photovoltaic inverter under some sky."""

from __future__ import annotations

from dataclasses import dataclass, replace

from depot_sim.physics.sky import Sky


@dataclass(frozen=True, slots=True, kw_only=True)
class Pv:
    """State of an inverter; `power_w` is negative while it generates."""

    rated_w: float
    sky: Sky
    available_w: float = 0.0
    power_w: float = 0.0
    generated_wh: float = 0.0

    def offers_w(self, now_s: float) -> float:
        """What the sky allows at `now_s`, within 0..rated."""
        return self.rated_w * self.sky.share(now_s)

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
